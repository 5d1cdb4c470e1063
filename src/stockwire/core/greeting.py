"""The greeting: what the server says of itself when a session opens (spec/protocol.md P2.2).

All of it but the session's name is the same for everybody at one moment, so it is encoded once for all who come then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stockwire.core.views import LIMIT_MOST
from stockwire.core.wire import FRAME_BYTES, Frame, encode

PROTOCOL: Final = 1
SPOKEN: Final = (PROTOCOL, PROTOCOL + 1, PROTOCOL - 1)
"""Versions of clients that one can speak with, best first (P2.1): a page may be one version older or newer."""
VIEWS_MOST: Final = 128
HEARTBEAT: Final = 20
"""Seconds of silence after which a heartbeat comes; each session's own is up to a tenth off, so that not all come
together.
"""
_LIMITS: Final = {"views": VIEWS_MOST, "frame_bytes": FRAME_BYTES, "limit": LIMIT_MOST}


def greeting(told: Mapping[str, Any], sources: list[dict[str, Any]]) -> bytes:
    """The members of a hello, encoded, without braces: `told` of the server and shop, and how fresh the sources are."""
    return encode({"heartbeat": HEARTBEAT, "limits": _LIMITS, "sources": sources, **told})[1:-1]


def hello(session: str, greeting: bytes) -> Frame:
    """The hello of the session of that name."""
    return Frame("hello", b'{"type":"hello","protocol":%d,"session":%b,%b}' % (PROTOCOL, encode(session), greeting))
