"""What a request for a stream asks for: the views, pace and wait of spec/protocol.md P1.5, from a query or a JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from stockwire.core.cadence import Pace, parse_pace
from stockwire.core.cursor import Cursor, parse_cursor
from stockwire.core.errors import Invalid, Problem, Refused, TooLarge
from stockwire.core.greeting import VIEWS_MOST
from stockwire.core.rights import OWN, Rights
from stockwire.core.session import Session
from stockwire.core.views import query_view
from stockwire.core.wire import Frame, parse_json

WAIT_MOST = 55
WAIT = 25
_OURS = frozenset({"views", "wait", "interval", "paused", "reason"})


class Asking(msgspec.Struct, frozen=True):
    """The subscribe objects, the pace wished for, and how long a long-poll may wait (seconds)."""

    views: tuple[dict[str, Any], ...]
    pace: Pace
    wait: int


def whose(rights: Rights, asking: Asking | None) -> str:
    """The name of the rights as far as they decide about the answer: equal for all who are answered the same."""
    own = asking is not None and any(view.get("feed") == OWN for view in asking.views)
    return rights.over(OWN if own else "").name


def parse_asking(query: bytes, body: bytes = b"") -> Asking:
    """What a request's query string and (for POST) JSON body ask for. Raises Invalid."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise Invalid("the query is not understood; it must be UTF-8, percent-encoded") from None
    asked: dict[str, Any] = {name: value for name, value in pairs if name in _OURS}
    if body:
        posted = parse_json(body)
        if not isinstance(posted, dict):
            raise Invalid("the body must be a JSON object")
        asked.update(posted)
    views = asked.get("views")
    if views is None:
        views = [_single(pairs)]
    elif isinstance(views, str):
        views = parse_json(views)
    if not isinstance(views, list) or not all(isinstance(each, dict) for each in views):
        raise Invalid("`views` must be a JSON array of objects")
    if len(views) > VIEWS_MOST:
        raise TooLarge(f"a connection holds at most {VIEWS_MOST} views")
    return Asking(tuple(_named(each, at) for at, each in enumerate(views)), parse_pace(asked), _wait(asked))


def _single(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The one view whose members stand in the query itself."""
    one = query_view([pair for pair in pairs if pair[0] not in _OURS])
    feed = dict(pairs).get("feed")
    if feed is None:
        raise Invalid("name a `feed`, or give `views`")
    one["feed"] = feed
    return one


def _named(asked: dict[str, Any], at: int) -> dict[str, Any]:
    id_ = asked.get("id", str(at + 1))
    if not isinstance(id_, str) or not 1 <= len(id_) <= 64:
        raise Invalid("`id` must be a text of 1 to 64 characters")
    return {**asked, "id": id_}


def _wait(asked: Mapping[str, Any]) -> int:
    wait = asked.get("wait", WAIT)
    if isinstance(wait, str) and wait.isascii() and wait.isdigit() and len(wait) < 4:
        wait = int(wait)
    if isinstance(wait, bool) or not isinstance(wait, int) or not 0 <= wait <= WAIT_MOST:
        raise Invalid(f"`wait` is seconds, 0 to {WAIT_MOST}")
    return wait


def begin(session: Session, asking: Asking, now: float, last_event_id: str | None = None) -> list[Frame]:
    """Open a session that cannot be spoken to later: hello, paced, and a `subscribed` per view.

    `last_event_id` is where views without a cursor resume from (P1.6). Raises Invalid or TooLarge; when it is
    about one view, the last of the error's problems has that view's id as its path (P4.6).
    """
    last: Cursor | None = None
    if last_event_id:
        last = parse_cursor(last_event_id)
    frames = [session.open()]
    if asking.pace != Pace():
        frames.append(session.set_pace(asking.pace))
    for asked in asking.views:
        try:
            frames.append(session.subscribe(asked, now, last=last))
        except Refused as error:
            error.problems = [*error.problems, Problem(path=asked["id"], detail=error.detail)]
            raise
    return frames
