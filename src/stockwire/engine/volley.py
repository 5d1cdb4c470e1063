"""A volley: the same bytes to many connections in one go, past their transports.

What a transport does beyond the one system call (it looks at its buffer, queues, looks again) costs a quarter of a
delivered frame. None of that is needed for a transport that holds nothing back, so its socket is written to directly;
whatever the socket does not take is its transport's again, which then holds it, or finds that the connection is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import write
from typing import NamedTuple


class Short(NamedTuple):
    """Who did not take everything: the place in the row, and how many bytes were taken."""

    at: int
    taken: int


def volley(descriptors: Iterable[int], data: bytes) -> list[Short]:
    """Write `data` to each of these sockets, which do not block; gives those that did not take all of it. A negative
    descriptor stands for one that cannot be written to directly, and takes nothing.
    """
    size = len(data)
    short: list[Short] = []
    for at, descriptor in enumerate(descriptors):
        try:
            taken = write(descriptor, data) if descriptor >= 0 else 0
        except OSError:
            taken = 0
        if taken != size:
            short.append(Short(at, taken))
    return short
