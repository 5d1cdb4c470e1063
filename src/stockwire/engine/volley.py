"""A volley: the same bytes to many connections in one go, past their transports.

What a transport does beyond the one system call (it looks at its buffer, queues, looks again), and a loop in Python
around it, cost up to a fifth of a delivered frame. None of that is needed for a transport that holds nothing back, so where
`scripts/compile-volley` found a compiler its socket is written to directly. Whatever a socket does not take is its
transport's again, which then holds it, or finds that the connection is over.

`volley` sends the data to each of the sockets; it gives the place in the row of each that did not take all of it, with
how many bytes it took. A negative descriptor stands for a socket that cannot be written to directly, and takes nothing.

Python's own `os.write` would save half as much, but it lets other threads run at each call: one that is busy takes
milliseconds between any two frames.
"""

from __future__ import annotations


def left_to_transports(descriptors: list[int], data: bytes) -> list[tuple[int, int]]:
    """The volley where nothing is compiled: nobody takes anything."""
    return [(at, 0) for at in range(len(descriptors))]


try:
    from stockwire.engine._volley import volley
except ImportError:
    volley = left_to_transports

__all__ = ["left_to_transports", "volley"]
