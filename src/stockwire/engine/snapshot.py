"""A view's whole content at one version, in parts that all who ask for it share.

It holds the entries it began with (8 bytes a row), and encodes a part when somebody first needs it. The newest parts
stay for a while; a reader that is so far behind the others that its part is gone has it encoded again. So a crowd
costs one encoding, and a stalled reader never keeps a large table's JSON in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from stockwire.core.feed import Entry
from stockwire.core.wire import Frame, snapshot_frame

FRAME_ROWS: Final = 1_000
FRAME_BYTES: Final = 256 * 1024
_PARTS_KEPT: Final = 16


class Snapshot:
    """The content of `view` at version `at` (P5.1)."""

    def __init__(self, view: str, at: int, entries: list[Entry]) -> None:
        self._view = view
        self._at = at
        self._entries = entries
        self._starts = [0]
        self._parts: OrderedDict[int, Frame] = OrderedDict()

    def part(self, index: int) -> Frame | None:
        """That part, counted from 0; None after the last. Parts not asked for before must be asked for in order."""
        kept = self._parts.get(index)
        if kept is not None:
            return kept
        if index >= len(self._starts):
            return None
        made = self._parts[index] = self._encode(index)
        if len(self._parts) > _PARTS_KEPT:
            self._parts.popitem(last=False)
        return made

    def _encode(self, index: int) -> Frame:
        entries = self._entries
        start = end = self._starts[index]
        most = min(len(entries), start + FRAME_ROWS)
        rows: list[bytes] = []
        size = 0
        while end < most and size < FRAME_BYTES:
            rows.append(entries[end].json_once())
            size += len(rows[-1])
            end += 1
        more = end < len(entries)
        if more and index + 1 == len(self._starts):
            self._starts.append(end)
        return snapshot_frame(self._view, self._at, index, more, rows)
