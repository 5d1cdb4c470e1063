"""How the WebSocket conducts itself towards clients that are right, odd or wrong, byte by byte (RFC 6455, RFC 7692).

The cases follow the classes of the Autobahn suite, which `make autobahn` runs where there is a Python 2.7 for it. Since
our server does not echo, what is understood shows in a `ping` frame that comes back as `pong`, with what it carried.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.transport.place import KEY, Place, served
from tests.transport.wire import masked

TEXT, CONTINUED, FINAL = 0x1, 0x0, 0x80
HELLO = masked(0x81, b'{"type":"hello","protocol":1}')
DEFLATE = "permessage-deflate; client_no_context_takeover"


class Client:
    """A client that writes what it is told, and takes the server's frames apart."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def shake(self, extensions: str | None) -> None:
        """The opening handshake, and the hellos."""
        lines = [
            "GET /api/v1/ws HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *(f"{name}: {value}" for name, value in KEY.items()),
        ]  # fmt: skip
        if extensions:
            lines.append(f"Sec-WebSocket-Extensions: {extensions}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        self.say(HELLO)
        assert (await self.message())["type"] == "hello"

    def say(self, *pieces: bytes) -> None:
        """Write all of it."""
        self._writer.write(b"".join(pieces))

    async def chop(self, data: bytes, size: int) -> None:
        """Write it in pieces that arrive apart."""
        for at in range(0, len(data), size):
            self._writer.write(data[at : at + size])
            await self._writer.drain()
            await asyncio.sleep(0)

    async def frame(self) -> tuple[int, bytes]:
        """The server's next frame: its first byte and its payload."""
        first, size = await self._reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await self._reader.readexactly({126: 2, 127: 8}[size]), "big")
        return first, await self._reader.readexactly(size)

    async def message(self) -> dict[str, Any]:
        """The server's next message, which is a whole text."""
        first, payload = await self.frame()
        if first == 0xC1:
            payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
        assert first in (0x81, 0xC1), (hex(first), payload)
        return dict(json.loads(payload))

    async def ended(self) -> int | None:
        """Read to the end; gives the code the server closed with, None when it sent no close."""
        code = None
        try:
            while True:
                first, payload = await self.frame()
                if first == 0x88:
                    code = int.from_bytes(payload[:2], "big")
                    self.say(masked(0x88, payload[:2]))
        except (asyncio.IncompleteReadError, ConnectionError):
            return code


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with served(Place()) as place:
        yield place


@asynccontextmanager
async def dialled(place: Place, extensions: str | None = None) -> AsyncIterator[Client]:
    """A client after the hellos. It must be done within some seconds."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        client = Client(reader, writer)
        try:
            await client.shake(extensions)
            yield client
        finally:
            writer.close()


async def codes(
    place: Place, cases: Iterable[tuple[str, bytes]], extensions: str | None = None
) -> dict[str, int | None]:
    """The code that each connection ends with on which those bytes were said."""

    async def one(data: bytes) -> int | None:
        async with dialled(place, extensions) as client:
            client.say(data)
            return await client.ended()

    named = list(cases)
    return dict(zip((name for name, _ in named), await asyncio.gather(*(one(data) for _, data in named)), strict=True))


def ping(n: Any, size: int = 0) -> bytes:
    """A `ping` of the protocol that comes back with `n`, at least `size` bytes long."""
    body = json.dumps({"type": "ping", "n": n}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return body + b" " * (size - len(body))


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return masked(0x88, code.to_bytes(2, "big") + reason)


# --- framing --------------------------------------------------------------------------------------------------------


async def test_texts_of_every_length_form_are_understood(place: Place) -> None:
    async with dialled(place) as client:
        for size in (40, 125, 126, 127, 128, 65_535, 65_536):
            client.say(masked(0x81, ping(size, size)))
            assert (await client.message())["n"] == size


async def test_texts_that_come_in_shreds_are_understood(place: Place) -> None:
    async with dialled(place) as client:
        for size, shred in ((60, 1), (126, 1), (65_535, 997), (65_536, 8_192)):
            await client.chop(masked(0x81, ping(size, size)), shred)
            assert (await client.message())["n"] == size


async def test_many_texts_in_one_piece_are_answered_in_order(place: Place) -> None:
    async with dialled(place) as client:
        client.say(*(masked(0x81, ping(n)) for n in range(50)))
        assert [(await client.message())["n"] for _ in range(50)] == list(range(50))


async def test_a_whole_text_with_the_start_of_the_next_loses_neither(place: Place) -> None:
    async with dialled(place) as client:
        first, second = masked(0x81, ping(1)), masked(0x81, ping(2))
        client.say(first, second[:7])
        assert (await client.message())["n"] == 1
        client.say(second[7:])
        assert (await client.message())["n"] == 2


async def test_frames_that_break_the_rules_of_framing_end_the_connection(place: Place) -> None:
    body = ping(1)
    cases = {
        "not masked": bytes((0x81, len(body))) + body,
        "length of 2 bytes where 1 would do": b"\x81\xfe\x00\x05" + bytes(9),
        "length of 8 bytes where 2 would do": b"\x81\xff" + (200).to_bytes(8, "big") + bytes(204),
        "length beyond 2^63": b"\x81\xff" + b"\xff" * 8 + bytes(4),
    }
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1002)


async def test_a_binary_message_is_refused(place: Place) -> None:
    assert await codes(place, [("binary", masked(0x82, b"\x00\xff"))]) == {"binary": 4501}


# --- pings and pongs ------------------------------------------------------------------------------------------------


async def test_a_ping_is_answered_with_what_it_carried(place: Place) -> None:
    async with dialled(place) as client:
        for carried in (b"", b"Hello, world!", b"\x00\xff\xfe\xfd", b"x" * 125):
            client.say(masked(0x89, carried))
            assert await client.frame() == (0x8A, carried)


async def test_ten_pings_in_one_piece_get_ten_answers_in_order(place: Place) -> None:
    async with dialled(place) as client:
        client.say(*(masked(0x89, b"%d" % n) for n in range(10)))
        assert [await client.frame() for _ in range(10)] == [(0x8A, b"%d" % n) for n in range(10)]


async def test_a_ping_in_single_bytes_is_answered(place: Place) -> None:
    async with dialled(place) as client:
        await client.chop(masked(0x89, b"x" * 125), 1)
        assert await client.frame() == (0x8A, b"x" * 125)


async def test_a_pong_nobody_asked_for_is_ignored(place: Place) -> None:
    async with dialled(place) as client:
        client.say(masked(0x8A), masked(0x8A, b"unasked"), masked(0x89, b"asked"))
        assert await client.frame() == (0x8A, b"asked")


async def test_a_control_frame_is_whole_and_short(place: Place) -> None:
    cases = {
        "ping of 126 bytes": masked(0x89, b"x" * 126), "pong of 126 bytes": masked(0x8A, b"x" * 126),
        "ping in two frames": masked(0x09, b"x") + masked(0x80, b"y"), "close in two frames": masked(0x08, b"\x03\xe8"),
        "close of 126 bytes": close(1000, b"x" * 124),
    }  # fmt: skip
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1002)


# --- reserved bits and opcodes --------------------------------------------------------------------------------------


async def test_reserved_bits_end_the_connection(place: Place) -> None:
    kinds = {"text": 0x81, "ping": 0x89, "close": 0x88}
    cases = {
        f"{name} {bits:#04x}": masked(first | bits)
        for name, first in kinds.items()
        for bits in (0x40, 0x20, 0x10, 0x70)
    }
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1002)


async def test_with_compression_only_the_first_frame_of_a_message_may_say_so(place: Place) -> None:
    cases = {
        "ping": masked(0xC9), "close": masked(0xC8), "continued": masked(0x01, b"{") + masked(0xC0, b"}"),
        "second bit": masked(0xA1, b"{}"), "third bit": masked(0x91, b"{}"),
    }  # fmt: skip
    assert await codes(place, cases.items(), DEFLATE) == dict.fromkeys(cases, 1002)


async def test_unknown_opcodes_end_the_connection(place: Place) -> None:
    cases = {f"{opcode:#x}": masked(FINAL | opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)}
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1002)


# --- fragments ------------------------------------------------------------------------------------------------------


async def test_a_message_in_fragments_is_understood_with_pings_between(place: Place) -> None:
    body = ping("whole")
    async with dialled(place) as client:
        client.say(masked(TEXT, body[:5]), masked(CONTINUED), masked(0x89, b"between"), masked(CONTINUED, body[5:9]))
        assert await client.frame() == (0x8A, b"between")
        await client.chop(masked(FINAL | CONTINUED, body[9:]), 1)
        assert (await client.message())["n"] == "whole"
        client.say(masked(0x81, ping("next")))
        assert (await client.message())["n"] == "next"


async def test_fragments_out_of_order_end_the_connection(place: Place) -> None:
    cases = {
        "nothing to continue": masked(FINAL | CONTINUED, b"x"),
        "nothing to continue, and more": masked(CONTINUED, b"x"),
        "continued after the end": masked(0x81, ping(1)) + masked(FINAL | CONTINUED, b"x"),
        "a text inside a text": masked(TEXT, b"{") + masked(0x81, ping(1)),
        "a binary inside a text": masked(TEXT, b"{") + masked(0x82, b"x"),
    }
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1002)


# --- UTF-8 ----------------------------------------------------------------------------------------------------------

PROPER = (
    "\u03ba\u1f79\u03c3\u03bc\u03b5", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff",
    "\U00010000", "\U0001ffff", "\U0010ffff",
)  # fmt: skip
IMPROPER = {
    "a byte that continues nothing": b"\x80", "the last such byte": b"\xbf", "many of them": b"\x80" * 9,
    "two bytes, one missing": b"\xc2", "three bytes, one missing": b"\xe0\xa0", "four bytes, one missing": b"\xf0\x90\x80",
    "too long by two": b"\xc0\xaf", "too long by three": b"\xe0\x80\xaf", "too long by four": b"\xf0\x80\x80\xaf",
    "five bytes": b"\xf8\x88\x80\x80\x80", "six bytes": b"\xfc\x84\x80\x80\x80\x80", "half of a pair": b"\xed\xa0\x80",
    "the other half": b"\xed\xbf\xbf", "both halves": b"\xed\xa0\x80\xed\xb0\x80", "beyond the last": b"\xf4\x90\x80\x80",
    "no byte of UTF-8": b"\xfe", "nor this": b"\xff",
}  # fmt: skip


async def test_every_proper_text_is_understood_however_it_is_cut(place: Place) -> None:
    async with dialled(place) as client:
        for text in PROPER:
            body = ping(text)
            client.say(masked(0x81, body))
            assert (await client.message())["n"] == text
            middle = body.index(text.encode()) + 1
            client.say(masked(TEXT, body[:middle]), masked(FINAL | CONTINUED, body[middle:]))
            assert (await client.message())["n"] == text


async def test_what_is_not_utf_8_ends_the_connection(place: Place) -> None:
    cases = {name: masked(0x81, b'{"type":"ping","n":"' + wrong + b'"}') for name, wrong in IMPROPER.items()}
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1007)


async def test_what_is_not_utf_8_is_found_in_fragments_before_the_end(place: Place) -> None:
    cases = {
        name: masked(TEXT, b'{"n":"') + masked(CONTINUED, wrong + b'"')
        for name, wrong in IMPROPER.items()
    }  # fmt: skip
    cases["cut off at the end"] = masked(TEXT, b'"\xce') + masked(FINAL | CONTINUED, b"")
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1007)


# --- closing --------------------------------------------------------------------------------------------------------


async def test_a_proper_close_is_answered_with_its_code(place: Place) -> None:
    proper = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    cases = {str(code): close(code) for code in proper}
    assert await codes(place, cases.items()) == {str(code): code for code in proper}


async def test_a_close_may_say_nothing_or_much(place: Place) -> None:
    cases = {
        "nothing": masked(0x88),
        "a reason": close(1000, "fin \u2713".encode()),
        "a long one": close(1000, b"x" * 123),
    }
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1000)


async def test_an_improper_close_is_told_so(place: Place) -> None:
    improper = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)
    cases = {str(code): close(code) for code in improper} | {"one byte": masked(0x88, b"\x03")}
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 1002)
    assert await codes(place, [("reason", close(1000, b"\xce\xba\xe1"))]) == {"reason": 1007}


async def test_nothing_is_answered_after_a_close(place: Place) -> None:
    async with dialled(place) as client:
        client.say(close(1000), masked(0x89, b"late"), masked(0x81, ping(1)), close(1001))
        assert (await client.frame()) == (0x88, b"\x03\xe8")
        assert await client.ended() is None


async def test_a_client_that_vanishes_in_a_frame_leaves_nothing_behind(place: Place) -> None:
    async with dialled(place) as client:
        client.say(masked(0x81, ping(1))[:9])
    async with asyncio.timeout(60):
        while place.admission.connections:  # noqa: ASYNC110 (the place's own loop brings it about)
            await asyncio.sleep(0)


# --- limits ---------------------------------------------------------------------------------------------------------


def deflated(body: bytes) -> bytes:
    """RFC 7692, 7.2.1."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


async def test_a_message_over_the_limit_ends_the_connection(place: Place) -> None:
    piece = b" " * 30_000
    cases = {
        "in one frame": masked(0x81, ping(1, 65_537)),
        "in fragments": masked(TEXT, piece) + masked(CONTINUED, piece) + masked(CONTINUED, piece),
    }
    assert await codes(place, cases.items()) == dict.fromkeys(cases, 4504)


async def test_a_message_that_inflates_over_the_limit_ends_the_connection(place: Place) -> None:
    bomb = deflated(b" " * 20_000_000)
    assert len(bomb) < 65_536
    cases = {
        "in one frame": masked(0xC1, bomb),
        "in fragments": masked(0x41, bomb[:9_000]) + masked(FINAL | CONTINUED, bomb[9_000:]),
    }
    assert await codes(place, cases.items(), DEFLATE) == dict.fromkeys(cases, 4504)


async def test_compressed_messages_are_understood_whole_and_in_fragments(place: Place) -> None:
    async with dialled(place, DEFLATE) as client:
        for size in (0, 200, 60_000):
            packed = deflated(ping(size, size))
            client.say(masked(0xC1, packed))
            assert (await client.message())["n"] == size
            client.say(masked(0x41, packed[:3]), masked(0x89), masked(FINAL | CONTINUED, packed[3:]))
            assert await client.frame() == (0x8A, b"")
            assert (await client.message())["n"] == size


async def test_what_does_not_inflate_ends_the_connection(place: Place) -> None:
    cases = {"no blocks": masked(0xC1, b"\xff\xff\xff\xff"), "a text that says it is packed": masked(0xC1, ping(1))}
    assert await codes(place, cases.items(), DEFLATE) == dict.fromkeys(cases, 1007)
