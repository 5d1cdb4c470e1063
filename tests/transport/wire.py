"""WebSocket frames as a client writes them, right or wrong, byte by byte."""

from __future__ import annotations


def masked(first: int, payload: bytes = b"", *, mask: bytes = b"\x0a\x5b\xc3\xf1") -> bytes:
    """A masked frame whose first byte (final, reserved bits, opcode) is `first`."""
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65_536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
