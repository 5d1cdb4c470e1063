"""The census: how many connections each process of a server has, in memory that they share.

Each process writes its own number and reads the others', so no lock is needed: a number is one machine word. Whoever starts
the processes gives out the places, and clears the place of one that ended.
"""

from __future__ import annotations

import mmap
import os
from typing import Final, Protocol

_WORD: Final = 8


class Count(Protocol):
    """Where a process notes how many connections it has, and sees how many the others have."""

    def note(self, connections: int) -> None: ...

    @property
    def elsewhere(self) -> int: ...


class Alone:
    """The census of a server that is one process."""

    elsewhere = 0

    def note(self, connections: int) -> None:
        """Nobody wants to know."""


class Census:
    """The numbers of `places` processes, in the file that `descriptor` stands for."""

    def __init__(self, descriptor: int, places: int) -> None:
        self._memory = mmap.mmap(descriptor, places * _WORD)
        self._numbers = memoryview(self._memory).cast("q")

    @classmethod
    def taken(cls, places: int) -> tuple[Census, int]:
        """A new census, and the descriptor that other processes open it by."""
        descriptor = os.memfd_create("stockwire-census", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, places * _WORD)
        return cls(descriptor, places), descriptor

    def at(self, place: int) -> Place:
        """The count of the process at that place."""
        return Place(self._numbers, place)

    @property
    def all(self) -> int:
        """How many connections there are."""
        return sum(self._numbers)

    def clear(self, place: int) -> None:
        """Nobody is at that place any more."""
        self._numbers[place] = 0


class Place:
    """One process's place in the census."""

    def __init__(self, numbers: memoryview[int], place: int) -> None:
        self._numbers = numbers
        self._place = place

    def note(self, connections: int) -> None:
        """This process has so many."""
        self._numbers[self._place] = connections

    @property
    def elsewhere(self) -> int:
        """How many the others have."""
        return sum(self._numbers) - self._numbers[self._place]
