"""Who may listen: the port between the streams and whatever decides about keys, cookies and origins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from stockwire.core.rights import Rights


class Headers(NamedTuple):
    """A request as far as access is concerned: header pairs as ASGI gives them, and who asks."""

    pairs: Sequence[tuple[bytes, bytes]]
    address: str

    def get(self, name: bytes) -> str | None:
        """The first header of that lower-case name."""
        for key, value in self.pairs:
            if key == name:
                return value.decode("latin-1")
        return None

    def every(self, name: bytes) -> str:
        """All headers of that lower-case name as one list with commas; empty when there is none (RFC 9110, 5.3)."""
        return b", ".join([value for key, value in self.pairs if key == name]).decode("latin-1")


class Reader(msgspec.Struct, frozen=True):
    """Somebody who may read: a name for logs, rights, and the hash of the key or session that let them in."""

    name: str
    rights: Rights
    credential: bytes = b""


Authorise = Callable[[Headers], Reader]
"""Gives the reader a request comes from. Raises Unauthenticated, Forbidden (origin) or TooMany. Does not block."""
