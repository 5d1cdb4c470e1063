"""Freshness of sources: how old the newest word of each is, and whether that is still all right (spec/protocol.md
P6.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

State = Literal["ok", "late", "silent"]


class Thresholds(msgspec.Struct, frozen=True):
    """After how many seconds without an event a source is late, and silent."""

    late: float = 300.0
    silent: float = 900.0

    def state(self, age: float) -> State:
        """The state of a source whose newest event was recorded `age` seconds ago."""
        if age > self.silent:
            return "silent"
        return "late" if age > self.late else "ok"


class Freshness:
    """The thresholds of every source: its own, or the default."""

    def __init__(self, default: Thresholds | None = None, own: Mapping[str, Thresholds] | None = None) -> None:
        self._default = default or Thresholds()
        self._own = dict(own or {})

    def of(self, source: str, age: float) -> State:
        """The state of `source` at that age in seconds."""
        return self._own.get(source, self._default).state(age)

    def silent_after(self, source: str) -> float:
        """After how many seconds without an event the source is silent."""
        return self._own.get(source, self._default).silent

    @property
    def longest(self) -> float:
        """The longest time after which any source is silent."""
        return max(each.silent for each in (self._default, *self._own.values()))
