"""Heads of requests for streams that come in one piece, as they nearly always do; parsed by httptools, as uvicorn does.

`stream_head` understands those alone. Whatever else comes is uvicorn's: it gets the same bytes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from stockwire.engine.limits import HEAD_BYTES
from stockwire.transport.takeover.reception import STREAM_PATH, WS_PATH, Fields

_BEGINNINGS: Final = (b"GET " + WS_PATH, b"GET " + STREAM_PATH)
_END: Final = b"\r\n\r\n"


class Head(NamedTuple):
    """A request for a stream: for a WebSocket when `upgrade`, else for an event stream."""

    upgrade: bool
    query: bytes
    fields: Fields


class _Seen:
    """What the parser tells."""

    __slots__ = ("fields", "url", "whole")

    def __init__(self) -> None:
        self.url = b""
        self.fields: Fields = []
        self.whole = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))

    def on_message_complete(self) -> None:
        self.whole = True


def stream_head(data: bytes) -> Head | None:
    """The head that `data` consists of. None when it is anything else, or more, than one whole request for a stream in
    HTTP/1.1 that may be answered at once.
    """
    if not data.startswith(_BEGINNINGS) or not data.endswith(_END) or len(data) > HEAD_BYTES:
        return None
    seen = _Seen()
    parser = HttpRequestParser(seen)
    try:
        parser.feed_data(data)
        end = len(data)
    except HttpParserUpgrade as turn:
        end = turn.args[0]
    except HttpParserError:
        return None
    if not seen.whole or end != len(data) or data.find(_END) != len(data) - len(_END):
        return None
    path, _, query = seen.url.partition(b"?")
    upgrade = parser.should_upgrade()
    if parser.get_http_version() != "1.1" or path != (WS_PATH if upgrade else STREAM_PATH):
        return None
    fields = dict(seen.fields)
    if b"expect" in fields or (upgrade and fields.get(b"upgrade", b"").lower() != b"websocket"):
        return None
    return Head(upgrade, query, seen.fields)
