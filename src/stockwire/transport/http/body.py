"""Bodies: bytes from anybody, read within limits and understood exactly.

Two rules. Nothing is ever held that is larger than a named limit, however it was packed. And decoding never stops at the
first fault: what JSON should not hold (a member named twice, NaN, a number nobody could keep exactly) becomes a `Flaw`
at its place, so that a batch can name each bad event by its index. A decoder that raises could only name a byte.
"""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from stockwire.core.errors import Invalid, Problem, TooLarge, TooSlow, Unsupported
from stockwire.transport.http.limits import (
    BLANK_LINES,
    BODY_BYTES,
    DEPTH,
    IDLE_SECONDS,
    INTEGER_LIMIT,
    NUMBER_LENGTH,
    TEXT_LENGTH,
)

ONE_OR_MANY: Final = "application/json"
ONE: Final = "application/cloudevents+json"
MANY: Final = "application/cloudevents-batch+json"
STREAM: Final = "application/x-ndjson"
MEDIA_TYPES: Final = (ONE_OR_MANY, ONE, MANY, STREAM)
_PIECE: Final = 64 * 1024

_MARKUP: Final = re.compile(r"<[A-Za-z/!?]")
_FREE_TEXT: Final = frozenset({"note", "reason"})


class Flaw(NamedTuple):
    """What stands where JSON should not have it."""

    detail: str


# --- reading ------------------------------------------------------------------------------------------------------


async def _timely(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow() from None
        yield piece


class _Gunzip:
    """Inflates gzip members one after another, a bounded piece at a time."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._inflating.eof:
                self._inflating = zlib.decompressobj(wbits=31)
            self._begun = True
            try:
                piece = self._inflating.decompress(packed, _PIECE)
            except zlib.error:
                raise Invalid("the body is not gzip, though Content-Encoding says so") from None
            packed = self._inflating.unused_data if self._inflating.eof else self._inflating.unconsumed_tail
            if piece:
                yield piece

    def finish(self) -> None:
        if self._begun and not self._inflating.eof:
            raise Invalid("the gzip body ends too early")


async def plain(pieces: AsyncIterator[bytes], encoding: str | None) -> AsyncIterator[bytes]:
    """The body's bytes without their `Content-Encoding`. Raises Unsupported, Invalid (bad gzip) or TooSlow."""
    coding = (encoding or "identity").strip().lower()
    if coding == "identity":
        async for piece in _timely(pieces):
            yield piece
        return
    if coding not in ("gzip", "x-gzip"):
        raise Unsupported("the only Content-Encoding understood here is gzip")
    gunzip = _Gunzip()
    async for packed in _timely(pieces):
        for piece in gunzip.feed(packed):
            yield piece
    gunzip.finish()


async def whole(
    pieces: AsyncIterator[bytes], encoding: str | None, length: str | None, most: int = BODY_BYTES
) -> bytes:
    """The whole body. `length` is its Content-Length, so that one too large is refused unread.

    Raises TooLarge over `most` bytes, before or after inflating, and what `plain` raises.
    """
    too_large = f"the body is larger than {most:,} bytes; send fewer events at a time, or NDJSON"
    if length is not None and length.isascii() and length.isdigit() and int(length[:16]) > most:
        raise TooLarge(too_large)
    parts: list[bytes] = []
    size = 0
    async for piece in plain(pieces, encoding):
        size += len(piece)
        if size > most:
            raise TooLarge(too_large)
        parts.append(piece)
    return b"".join(parts)


class Line(NamedTuple):
    """One line of NDJSON that is not blank: its number from 1, and its bytes."""

    number: int
    text: bytes


async def lines(pieces: AsyncIterator[bytes], encoding: str | None) -> AsyncIterator[Line]:
    """The lines of an NDJSON body of any length.

    Raises TooLarge when one is over `BODY_BYTES`, Invalid after too many blank ones, and what `plain` raises.
    """
    number = blank = size = 0
    begun: list[bytes] = []
    """The pieces of a line whose end has not come; joined once it has, however many they are."""

    def take(text: bytes) -> Iterator[Line]:
        nonlocal number, blank
        number += 1
        text = text.strip(b" \t\r")
        blank = 0 if text else blank + 1
        if blank > BLANK_LINES:
            raise Invalid(f"there are more than {BLANK_LINES:,} blank lines in a row before line {number}")
        if text:
            yield Line(number, text)

    async for piece in plain(pieces, encoding):
        first, *others = piece.split(b"\n")
        begun.append(first)
        size += len(first)
        for following in others:
            for line in take(b"".join(begun)):
                yield line
            begun, size = [following], len(following)
        if size > BODY_BYTES:
            raise TooLarge(f"line {number + 1} is longer than {BODY_BYTES:,} bytes")
    for line in take(b"".join(begun)):
        yield line


# --- understanding ------------------------------------------------------------------------------------------------


def _integer(text: str) -> int | Flaw:
    if len(text) <= 17 and -INTEGER_LIMIT < (value := int(text)) < INTEGER_LIMIT:
        return value
    return Flaw("an integer is beyond 2^53")


def _fraction(text: str) -> Decimal | Flaw:
    if len(text) > NUMBER_LENGTH:
        return Flaw(f"a number has more than {NUMBER_LENGTH} characters")
    try:
        return Decimal(text)
    except InvalidOperation:
        return Flaw("a number is beyond anything")


def _constant(name: str) -> Flaw:
    return Flaw(f"{name} is not JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Flaw:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return Flaw(f"an object names {_quoted(twice)} twice")


def _quoted(name: str) -> str:
    """A name from outside, safe to show."""
    return json.dumps(name[:60])


def decode(body: bytes) -> Any:
    """The JSON value of a body, with integers as `int`, other numbers as `Decimal`, and a `Flaw` wherever it holds what
    Stockwire does not take. Raises Invalid when it is not JSON at all."""
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_constant,
            object_pairs_hook=_members,
        )
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None
    except RecursionError:
        raise Invalid(f"the body is nested deeper than {DEPTH} levels") from None
    except ValueError as error:
        raise Invalid(f"the body is not JSON: {str(error)[:200]}") from None


def flaw_in(value: Any, depth: int = 1, path: str = "") -> Problem | None:
    """The first thing in a decoded value that Stockwire does not take, with the path to it; None when all is well.

    `depth` is the level the value itself stands on.
    """
    if isinstance(value, Flaw):
        return _at(path, value.detail)
    if isinstance(value, str):
        return _flaw_in_text(value, path)
    if isinstance(value, dict | list) and depth > DEPTH:
        return _at(path, f"nested deeper than {DEPTH} levels")
    if isinstance(value, dict):
        for name, member in value.items():
            found = _flaw_in_text(name, path) or flaw_in(
                member, depth + 1, f"{path}.{name[:60]}" if path else name[:60]
            )
            if found is not None:
                return found
    elif isinstance(value, list):
        for index, member in enumerate(value):
            found = flaw_in(member, depth + 1, f"{path}[{index}]")
            if found is not None:
                return found
    return None


def _flaw_in_text(text: str, path: str) -> Problem | None:
    if len(text) > TEXT_LENGTH:
        return _at(path, f"a text is longer than {TEXT_LENGTH:,} characters")
    if "\0" in text:
        return _at(path, "a text holds U+0000")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return _at(path, "a text holds half of a surrogate pair")
    if "<" in text and path.rpartition(".")[2] not in _FREE_TEXT and _MARKUP.search(text):
        return _at(path, "a name holds markup; names are plain text")
    return None


def _at(path: str, detail: str) -> Problem:
    return Problem(path=path, detail=detail) if path else Problem(detail=detail)
