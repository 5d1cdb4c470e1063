"""Readings: what a GET asks of a feed, and how the next page is named.

A page begins where the last one ended by value, not by number: its cursor holds the ordered values and the key of the
last row shown. Rows that change while somebody turns pages neither repeat nor hide the rows around them; only a row that
itself moves can be met twice or not at all. The cursor carries no authority and is checked like anything from outside.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from stockwire.core.errors import Invalid, NotReached
from stockwire.core.feed import Entry
from stockwire.core.rights import Rights
from stockwire.core.rows import KEYS, FeedName
from stockwire.core.views import RESERVED, View, parse_query
from stockwire.core.wire import Field
from stockwire.engine.hub import Hub
from stockwire.transport.http.describing import LIMIT, WAIT
from stockwire.transport.http.limits import NAME_LENGTH, PAGE_ROWS, PARAMETERS, QUERY_LENGTH, WAIT_SECONDS

_VERSION_MOST: Final = 2**53
_FIGURE_MOST: Final = 2**63

Parameters = list[tuple[str, str]]


class Awaited(NamedTuple):
    """The version an answer must have reached, and how many seconds it may wait for it."""

    at_least: int
    wait: int


class Reading(NamedTuple):
    """One page of a view: at most `limit` rows after `after` (ordered values, then the key; None: from the start)."""

    view: View
    limit: int
    after: tuple[Any, ...] | None


# --- parsing ------------------------------------------------------------------------------------------------------


def parse_parameters(query: bytes) -> Parameters:
    """A query's names and values. Raises Invalid when it is not percent-encoded UTF-8, too long, or repeats a name."""
    if len(query) > QUERY_LENGTH:
        raise Invalid(f"the query is longer than {QUERY_LENGTH:,} bytes")
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict")
    except ValueError:
        raise Invalid(f"the query must be percent-encoded UTF-8 with at most {PARAMETERS} names") from None
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Invalid(f"`{name[:60]}` stands in the query twice; separate choices with commas")
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Invalid("the query holds U+0000")
    return pairs


def take_awaited(parameters: Parameters) -> tuple[Awaited, Parameters]:
    """`at_least` and `wait`, and the other parameters. Raises Invalid."""
    asked = dict(parameters)
    at_least = whole_number("at_least", asked.get("at_least"), 0, _VERSION_MOST, default=0)
    wait = whole_number("wait", asked.get("wait"), 0, WAIT_SECONDS, default=WAIT)
    return Awaited(at_least, wait), [pair for pair in parameters if pair[0] not in ("at_least", "wait")]


def whole_number(name: str, text: str | None, least: int, most: int, *, default: int) -> int:
    """A parameter that is a whole number. Raises Invalid."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        raise Invalid(f"`{name}` must be a whole number from {least} to {most}")
    return int(text)


def refuse_unknown(parameters: Parameters, known: Iterable[str]) -> None:
    """Raises Invalid when a parameter is none of `known`."""
    names = list(known)
    for name, _ in parameters:
        if name not in names:
            raise Invalid(
                f"there is no parameter `{name[:60]}` here" + (f"; there are {', '.join(names)}" if names else "")
            )


def parse_reading(feed: FeedName, parameters: Parameters, rights: Rights) -> Reading:
    """The page that `limit`, `page`, `order` and filter fields ask for (P1.5's grammar). Raises Invalid."""
    for name, _ in parameters:
        if name in RESERVED and name not in ("order", "limit", "page"):
            raise Invalid(f"`{name}` has no meaning here")
    asked = dict(parameters)
    view = parse_query(feed, [pair for pair in parameters if pair[0] not in ("limit", "page")], rights)
    limit = whole_number("limit", asked.get("limit"), 1, PAGE_ROWS, default=LIMIT)
    return Reading(view, limit, _parse_page(view, asked["page"]) if "page" in asked else None)


def page_after(view: View, row: Any) -> str:
    """The cursor of the page that begins after `row`."""
    values = [view.name, *(field.get(row) for field, _ in view.order), *row.key]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()


def _parse_page(view: View, text: str) -> tuple[Any, ...]:
    try:
        values = msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Invalid("`page` is not a cursor this server gave") from None
    ordered, keys = len(view.order), len(KEYS[view.feed])
    if not isinstance(values, list) or len(values) != 1 + ordered + keys or values[0] != view.name:
        raise Invalid("`page` belongs to another filter or order; begin again without it")
    after = tuple(values[1:])
    fits = all(_fits(field, value) for (field, _), value in zip(view.order, after, strict=False))
    if not fits or not all(isinstance(part, str) and "\0" not in part for part in after[ordered:]):
        raise Invalid("`page` is not a cursor this server gave")
    return after


def _fits(field: Field, value: Any) -> bool:
    match field.kind:
        case "text":
            return value is None or (isinstance(value, str) and "\0" not in value)
        case "flag":
            return value is None or isinstance(value, bool)
        case _:
            number = isinstance(value, int) and not isinstance(value, bool)
            return value is None or (number and -_FIGURE_MOST <= value < _FIGURE_MOST)


def path_text(raw: str, most: int = NAME_LENGTH) -> str:
    """A part of the path as its sender meant it. Raises Invalid when it is not percent-encoded UTF-8 without U+0000."""
    try:
        text = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("the path must be percent-encoded UTF-8") from None
    if "\0" in text or len(text) > most:
        raise Invalid(f"a name in the path has at most {most:,} characters and no U+0000")
    return text


# --- reading ------------------------------------------------------------------------------------------------------


def page_of(reading: Reading, entries: Sequence[Entry]) -> tuple[list[Entry], bool]:
    """The page's entries, and whether more follow. Costs one pass over the feed, never a sort of it."""
    view, ordered = reading.view, len(reading.view.order)
    found = (
        (view.sort_key(entry.key, entry.row), entry)
        for entry in entries
        if view.allows(entry.key) and view.matches(entry.row)
    )
    if reading.after is not None:
        begin = view.rank(reading.after[:ordered], reading.after[ordered:])
        found = (pair for pair in found if begin < pair[0])
    first = heapq.nsmallest(reading.limit + 1, found, key=lambda pair: pair[0])
    return [entry for _, entry in first[: reading.limit]], len(first) > reading.limit


async def reached(hub: Hub, awaited: Awaited) -> None:
    """Return once the hub has the version. Raises NotReached when it does not come in time."""
    wake = asyncio.Event()
    stop: Callable[[], None] = hub.listen(wake.set)
    try:
        async with asyncio.timeout(awaited.wait):
            while hub.version < awaited.at_least:
                wake.clear()
                await wake.wait()
    except TimeoutError:
        raise NotReached(f"the log is at version {hub.version}, not yet at {awaited.at_least}") from None
    finally:
        stop()
