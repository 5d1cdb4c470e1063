"""What a fuzzer throws bytes at: each parser of what comes from outside, and what must be so whatever it was given.

A parser gives a value or refuses; anything else that it raises is a bug. What it gives has properties of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from stockwire.core.cadence import parse_pace
from stockwire.core.cursor import parse_cursor
from stockwire.core.errors import Refused
from stockwire.core.rights import EVERYTHING
from stockwire.core.rows import FEEDS
from stockwire.core.values import moment
from stockwire.core.views import parse_view
from stockwire.core.wire import FRAME_BYTES, parse_frame
from stockwire.engine.asking import parse_asking
from stockwire.transport.http.body import MEDIA_TYPES
from stockwire.transport.http.events import understand_body
from stockwire.transport.http.reading import page_of, parse_parameters, parse_reading
from stockwire.transport.takeover.inbound import Close, Inbox, Text, agreed

Harness = Callable[[bytes], None]

_NOW: Final = moment("2026-03-25T12:00:00Z")


def frame(data: bytes) -> None:
    """A frame of the streaming protocol, and the view or pace in it."""
    with suppress(Refused):
        asked = parse_frame(data)
        assert isinstance(asked["type"], str)
        json.dumps(asked, default=str)
        with suppress(Refused):
            parse_pace(asked)
        view = parse_view(asked)
        again = parse_view({**asked, "filter": view.filter or None, "order": view.order_names, "limit": view.limit})
        assert again.name == view.name, "a view's own description names the same view"


def cursor(data: bytes) -> None:
    """A cursor."""
    text = data.decode("utf-8", "replace")
    with suppress(Refused):
        assert str(parse_cursor(text)) == text, "there is one text for a cursor"


def query(data: bytes) -> None:
    """The query of a reading: filter, order, limit and page."""
    feed = FEEDS[data[0] % len(FEEDS)] if data else FEEDS[0]
    with suppress(Refused):
        reading = parse_reading(feed, parse_parameters(data[1:]), EVERYTHING)
        assert page_of(reading, []) == ([], False)


def stream(data: bytes) -> None:
    """The query and body of a request for a stream."""
    asked, _, body = data.partition(b"\n")
    with suppress(Refused):
        for view in parse_asking(asked, body).views:
            with suppress(Refused):
                parse_view(view)


def socket(data: bytes) -> None:
    """The bytes of a WebSocket after its handshake, in two pieces."""
    inbox = Inbox(deflated=bool(data) and data[0] % 2 == 1)
    half = len(data) // 2
    said = [*inbox.take(data[1:half], lambda: True)]
    if not any(isinstance(each, Close) for each in said):
        said += inbox.take(data[max(half, 1) :], lambda: True)
    for each in said:
        if isinstance(each, Text):
            assert len(each.text) <= FRAME_BYTES
    agreed(data.decode("latin-1"))


def events(data: bytes) -> None:
    """A body of events."""
    kind = MEDIA_TYPES[data[0] % 3] if data else MEDIA_TYPES[0]
    with suppress(Refused):
        for event in understand_body(data[1:], kind, _NOW):
            assert json.loads(event.body) is not None
            assert event.key == (event.source, event.id)


HARNESSES: Final[dict[str, Harness]] = {each.__name__: each for each in (frame, cursor, query, stream, socket, events)}


def any_of_them(data: bytes) -> None:
    """The harness that the first byte chooses, with the rest."""
    if data:
        list(HARNESSES.values())[data[0] % len(HARNESSES)](data[1:])
