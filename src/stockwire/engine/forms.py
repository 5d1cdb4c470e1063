"""The forms a frame takes on a wire, made once for all who receive it in that form.

* `TEXT`: a WebSocket text message (RFC 6455, from the server, so not masked).
* `DEFLATED`: the same with permessage-deflate without context takeover (RFC 7692), from 256 bytes on.
* `EVENT`: a server-sent event as a chunk of a chunked HTTP/1.1 answer.
* `GZIP`: the same inside one gzip stream. Each event is compressed on its own and flushed to a byte boundary, so it
  refers to nothing before it and fits into any connection's stream. One stream, and not a gzip member per event,
  because not every client reads more than one member.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Final

from stockwire.core.wire import Frame, sse_event

COMPRESS_FROM: Final = 256
GZIP_BEGINS: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""The head of a gzip stream (RFC 1952): no name, no time."""
_LEVEL: Final = 6
_RAW: Final = -15
_FLUSHED: Final = b"\x00\x00\xff\xff"


class Form(IntEnum):
    """How a connection takes its frames."""

    TEXT = 0
    DEFLATED = 1
    EVENT = 2
    GZIP = 3


def shaped(form: Form, sent: Frame, id_: str | None = None) -> bytes:
    """The frame in that form. `id_` is the cursor of the whole set, for server-sent events (P1.6)."""
    key = (form, id_)
    kept = sent.forms.get(key)
    if kept is None:
        kept = sent.forms[key] = _shape(form, sent, id_)
    return kept


def _shape(form: Form, sent: Frame, id_: str | None) -> bytes:
    match form:
        case Form.TEXT:
            return websocket_message(0x81, sent.body)
        case Form.DEFLATED:
            if len(sent.body) >= COMPRESS_FROM:
                packed = deflate(sent.body).removesuffix(_FLUSHED)
                if len(packed) < len(sent.body):
                    return websocket_message(0xC1, packed)
            return websocket_message(0x81, sent.body)
        case Form.EVENT:
            return chunk(sse_event(sent, id_))
        case Form.GZIP:
            return chunk(deflate(sse_event(sent, id_)))


def alone(form: Form, sent: Frame) -> bytes:
    """The frame in that form for one receiver only: not compressed, not kept."""
    match form:
        case Form.TEXT | Form.DEFLATED:
            return websocket_message(0x81, sent.body)
        case Form.EVENT:
            return chunk(sse_event(sent))
        case Form.GZIP:
            return chunk(stored(sse_event(sent)))


def websocket_message(first: int, payload: bytes) -> bytes:
    """An unmasked WebSocket frame whose first byte (final, compressed, opcode) is `first`."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked answer (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK: Final = b"0\r\n\r\n"


def deflate(data: bytes) -> bytes:
    """Deflate blocks that refer to nothing before them and end at a byte, not the last of their stream."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


def stored(data: bytes) -> bytes:
    """The data as deflate blocks without compression (RFC 1951, 3.2.4)."""
    pieces = []
    for start in range(0, len(data), 65_535):
        piece = data[start : start + 65_535]
        size = len(piece)
        pieces.append(b"\x00" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + piece)
    return b"".join(pieces)
