"""Looking back (spec/protocol.md section 9): the frames of a long-poll, of the shop as it was at a moment or a version.

Everything is read from a world of its own (engine/past.py), in that one's thread; the event loop only passes bytes on. An
order and the movements of a stock row are answered as `GET /api/v1/orders/{id}` and `.../movements` answer them now.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from stockwire.core.errors import Invalid, NotFound, StockwireError
from stockwire.core.greeting import HEARTBEAT
from stockwire.core.movements import movement_name, parse_movement
from stockwire.core.rights import Rights
from stockwire.core.session import Session
from stockwire.core.values import moment
from stockwire.core.wire import encode, show_line, show_movement, show_row, show_timeline
from stockwire.engine.access import Authorise
from stockwire.engine.admission import Admission
from stockwire.engine.asking import Asking, begin, parse_asking, whose
from stockwire.engine.exchange import Gone, Receive, Scope, Send, answer, body_of, headers_of, refuse, takes_gzip
from stockwire.engine.forms import COMPRESS_FROM
from stockwire.engine.past import Past, Progress, Target, World

PATIENCE: Final = 2.0
"""Seconds that an answer may take before it says how far it is instead."""
MOVEMENTS_MOST: Final = 200

Describe = Callable[[World], dict[str, Any]]


class Question(NamedTuple):
    """What is asked of a world: an order, a row's movements (before the last one seen), or views."""

    order_id: str | None
    row: tuple[str, str, tuple[int, int] | None] | None
    asking: Asking | None


class LookingBack:
    """The ASGI application behind `/api/v1/past`. `describe` gives what a world's hello says of the server and shop."""

    def __init__(self, past: Past, admission: Admission, authorise: Authorise, describe: Describe) -> None:
        self._past = past
        self._admission = admission
        self._authorise = authorise
        self._describe = describe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        packed = takes_gzip(headers)
        with ExitStack() as stack:
            try:
                rights = self._authorise(headers).rights
                stack.enter_context(self._admission.admit(headers.address))
                target, question = parse_question(scope["query_string"], await body_of(scope, receive))

                def made(world: World) -> bytes:
                    body = _body(world, question, rights, self._describe)
                    return gzip.compress(body, 6, mtime=0) if packed and len(body) >= COMPRESS_FROM else body

                name = (whose(rights, question.asking), packed, scope["query_string"], repr(question))
                given = await self._past.ask(target, name, made, PATIENCE)
            except StockwireError as error:
                await refuse(send, error)
                return
            except Gone:
                return
        if isinstance(given, Progress):
            await answer(send, 202, encode({"done": given.done, "of": given.of}), b"application/json", _SOON)
        elif given[:2] == _GZIP:
            await answer(send, 200, given, b"application/json", (b"content-encoding", b"gzip"))
        else:
            await answer(send, 200, given, b"application/json")


_SOON: Final = (b"retry-after", b"1")
_GZIP: Final = b"\x1f\x8b"


def parse_target(text: str) -> Target:
    """The world that `at` names: a version, or a time of the shop's clock. Raises Invalid."""
    if text.isascii() and text.isdigit() and len(text) < 17:
        return Target(version=int(text))
    try:
        return Target(moment=moment(text))
    except ValueError:
        raise Invalid("`at` must be a version, or an RFC 3339 time such as 2026-03-02T14:02:11Z") from None


def parse_question(query: bytes, body: bytes) -> tuple[Target, Question]:
    """What a request asks of which world. Raises Invalid or TooLarge."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise Invalid("the query is not understood; it must be UTF-8, percent-encoded") from None
    asked = dict(pairs)
    if "at" not in asked:
        raise Invalid("say `at` which moment: a version or a time")
    target = parse_target(asked["at"])
    if "order_id" in asked:
        return target, Question(asked["order_id"], None, None)
    if {"sku", "location"} <= asked.keys() and not {"views", "feed"} & asked.keys():
        before = parse_movement(asked["before"]) if "before" in asked else None
        return target, Question(None, (asked["sku"], asked["location"], before), None)
    rest = urlencode([pair for pair in pairs if pair[0] != "at"]).encode()
    asking = parse_asking(rest, body)
    views = tuple({name: value for name, value in view.items() if name != "cursor"} for view in asking.views)
    return target, Question(None, None, Asking(views, asking.pace, 0))


def _body(world: World, question: Question, rights: Rights, describe: Describe) -> bytes:
    if question.order_id is not None:
        return encode(_order(world, question.order_id, rights))
    if question.row is not None:
        sku, location, before = question.row
        return encode(_movements(world, (sku, location), before, rights))
    assert question.asking is not None
    return _frames(world, question.asking, rights, describe)


def _frames(world: World, asking: Asking, rights: Rights, describe: Describe) -> bytes:
    """Hello, and the whole content of every view."""
    session = Session("past", world.hub(describe), heartbeat=HEARTBEAT, now=0.0, rights=rights, brief=True)
    try:
        frames = [*begin(session, asking, 0.0), *session.pull(0.0)]
    finally:
        session.close()
    return b'{"frames":[' + b",".join([each.body for each in frames]) + b"]}"


def _order(world: World, order_id: str, rights: Rights) -> dict[str, Any]:
    row = world.order(order_id) if rights.allow("orders", (order_id,)) else None
    if row is None:
        raise NotFound("there was no order by that id")
    return {
        "version": world.version,
        "order": show_row("orders", row),
        "lines": [show_line(line) for line in row.lines],
        "timeline": [show_timeline(entry) for entry in world.timeline(order_id)],
    }


def _movements(world: World, key: tuple[str, str], before: tuple[int, int] | None, rights: Rights) -> dict[str, Any]:
    if not rights.allow("inventory", key) or key not in world.state.inventory.rows:
        raise NotFound("there was no stock of that SKU at that location")
    found = world.movements(*key, MOVEMENTS_MOST + 1, before)
    page = found[:MOVEMENTS_MOST]
    following = movement_name(page[-1]) if len(found) > MOVEMENTS_MOST else None
    return {"version": world.version, "next": following, "rows": [show_movement(movement) for movement in page]}
