"""Events over HTTP: in by one door, acknowledged only when they are on disk.

A batch is taken whole or not at all, and what is wrong with it is named event by event. NDJSON of any length is taken in commits of
up to 1,000 events; when it stops at a bad line the answer says what was stored before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any, Final, Protocol

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from stockwire.core.errors import Interrupted, Invalid, Problem, StockwireError, TooLarge, Unsupported
from stockwire.core.events import Event, parse_event
from stockwire.core.rows import Key
from stockwire.core.values import SECOND, moment_text
from stockwire.core.wire import encode
from stockwire.engine.access import Headers, Reader
from stockwire.engine.hub import Hub
from stockwire.transport.http.body import MANY, MEDIA_TYPES, ONE, STREAM, Line, decode, flaw_in, lines, whole
from stockwire.transport.http.describing import sending
from stockwire.transport.http.limits import BATCH_EVENTS, BODY_BYTES, FUTURE_SECONDS, PROBLEMS_NAMED, SOURCES_MOST
from stockwire.transport.http.problems import problem_response
from stockwire.transport.http.requests import asked_by, pieces

_OFF_LOOP_BYTES: Final = 32 * 1024


class Receipt(Protocol):
    """What became of events that were handed in: all are on disk."""

    @property
    def accepted(self) -> int: ...

    @property
    def duplicates(self) -> int: ...

    @property
    def version(self) -> int: ...


class Ingest(Protocol):
    """The way into the log. `submit` gives its receipt after the durable commit, or raises Unavailable or Failed."""

    async def submit(self, events: Sequence[Event]) -> Receipt: ...


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer to events says: how many are new, how many were there already, and the version that has them all."""

    accepted: int = 0
    duplicates: int = 0
    version: int = 0

    def plus(self, receipt: Receipt) -> Acknowledged:
        """With another commit added."""
        return Acknowledged(
            accepted=self.accepted + receipt.accepted,
            duplicates=self.duplicates + receipt.duplicates,
            version=max(self.version, receipt.version),
        )


def understand(values: Sequence[Any], latest: int, wheres: Sequence[Problem]) -> list[Event]:
    """The events that decoded envelopes carry, all of them or none.

    `latest` is the newest moment an event may have occurred at; `wheres` says for each value where it stood (index or line).
    Raises Invalid with a problem for each bad one (the first 100).
    """
    events: list[Event] = []
    problems: list[Problem] = []
    bad = 0
    for value, where in zip(values, wheres, strict=True):
        found = flaw_in(value)
        if found is None:
            try:
                event = parse_event(value)
                if event.time > latest:
                    raise Invalid(
                        f"`time` is ahead of this server's clock; the newest it takes is {moment_text(latest)}"
                    )
                events.append(event)
                continue
            except Invalid as error:
                found = Problem(detail=error.detail)
        bad += 1
        if len(problems) < PROBLEMS_NAMED:
            problems.append(Problem(**{**where, **found}))
    if bad:
        named = "" if bad == len(problems) else f"; the first {len(problems)} are named"
        raise Invalid(
            f"{bad} of {len(values)} events cannot be taken{named}; nothing of them was stored", problems=problems
        )
    return events


def understand_body(body: bytes, media_type: str, latest: int) -> list[Event]:
    """The events of a whole body. Raises Invalid or TooLarge."""
    value = decode(body)
    if media_type == MANY and not isinstance(value, list):
        raise Invalid(f"{MANY} is a JSON array of events")
    if media_type == ONE and isinstance(value, list):
        raise Invalid(f"{ONE} is one event; an array is {MANY}")
    values = value if isinstance(value, list) else [value]
    if len(values) > BATCH_EVENTS:
        raise TooLarge(
            f"a batch has at most {BATCH_EVENTS:,} events, this one {len(values):,}; send several, or NDJSON"
        )
    return understand(values, latest, [Problem(index=index) for index in range(len(values))])


def understand_lines(chunk: Sequence[Line], latest: int) -> list[Event]:
    """The events of some lines of NDJSON. Raises Invalid."""
    values: list[Any] = []
    for line in chunk:
        try:
            values.append(decode(line.text))
        except Invalid as error:
            values.append(error)
    unreadable = [
        Problem(line=line.number, detail=value.detail.replace("the body", "the line"))
        for line, value in zip(chunk, values, strict=True)
        if isinstance(value, Invalid)
    ]
    if unreadable:
        raise Invalid(
            f"{len(unreadable)} lines cannot be read; nothing of these {len(chunk)} events was stored",
            problems=unreadable[:PROBLEMS_NAMED],
        )
    return understand(values, latest, [Problem(line=line.number) for line in chunk])


def check_sources(events: Sequence[Event], known: Collection[Key]) -> None:
    """Raises TooLarge when the events would bring a shop more sources than it may have."""
    fresh = {event.source for event in events if (event.source,) not in known}
    if fresh and len(known) + len(fresh) > SOURCES_MOST:
        raise TooLarge(
            f"a shop has at most {SOURCES_MOST:,} sources; name as `source` the system that sends, the same each time"
        )


async def chunks(source: AsyncIterator[Line]) -> AsyncIterator[list[Line]]:
    """Lines in groups of at most 1,000 and about 1 MiB: what is committed together."""
    chunk: list[Line] = []
    size = 0
    async for line in source:
        if chunk and (len(chunk) == BATCH_EVENTS or size + len(line.text) > BODY_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line.text)
    if chunk:
        yield chunk


def media_type_of(headers: Headers) -> str:
    """The body's media type. Raises Unsupported when events do not come in that form, or not in UTF-8."""
    media_type, *parameters = (part.strip().lower() for part in (headers.get(b"content-type") or "").split(";"))
    if media_type not in MEDIA_TYPES:
        raise Unsupported(f"events come as {', '.join(MEDIA_TYPES)}; name one of these in Content-Type")
    charset = next(
        (each.removeprefix("charset=").strip('"') for each in parameters if each.startswith("charset=")), "utf-8"
    )
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Unsupported("events come in UTF-8")
    return media_type


def event_routes(
    ingest: Ingest,
    producer: Callable[[Headers], Reader],
    hub: Hub,
    *,
    now: Callable[[], int],
    future_seconds: int = FUTURE_SECONDS,
) -> list[HTTPRouteHandler]:
    """`POST /api/v1/events`. `hub` knows the sources there are, and the newest version, which an empty batch is answered with."""

    def latest() -> int:
        return now() + future_seconds * SECOND

    async def submit(events: list[Event], so_far: Acknowledged) -> Acknowledged:
        if not events:
            return Acknowledged(version=max(so_far.version, hub.version))
        check_sources(events, hub.feeds["sources"].entries)
        receipt = await ingest.submit(events)
        return so_far.plus(receipt)

    async def take_stream(request: Request[Any, Any, Any], headers: Headers) -> Response[bytes]:
        done = Acknowledged(version=hub.version)
        taken = 0
        try:
            async for chunk in chunks(lines(pieces(request), headers.get(b"content-encoding"))):
                producer(headers)  # a body may come for hours, and a key be revoked meanwhile
                events = await asyncio.to_thread(understand_lines, chunk, latest())
                done = await submit(events, done)
                taken = chunk[-1].number
        except StockwireError as error:
            if not taken:
                raise
            told: StockwireError = error
            if isinstance(error, Invalid):
                told = Interrupted(f"{error.detail}; all before line {taken + 1} is stored", problems=error.problems)
            return problem_response(told, committed={"lines": taken, **msgspec.to_builtins(done)})
        return _acknowledge(done)

    @post("/api/v1/events", status_code=200, operation_id="send_events", operation_class=sending())
    async def send_events(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Store events."""
        headers = asked_by(request)
        producer(headers)
        media_type = media_type_of(headers)
        if media_type == STREAM:
            return await take_stream(request, headers)
        body = await whole(pieces(request), headers.get(b"content-encoding"), headers.get(b"content-length"))
        if len(body) > _OFF_LOOP_BYTES:
            events = await asyncio.to_thread(understand_body, body, media_type, latest())
        else:
            events = understand_body(body, media_type, latest())
        return _acknowledge(await submit(events, Acknowledged()))

    return [send_events]


def _acknowledge(done: Acknowledged) -> Response[bytes]:
    return Response(encode(done), media_type="application/json", headers={"cache-control": "no-store"})
