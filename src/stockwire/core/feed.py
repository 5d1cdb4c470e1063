"""Feeds: keyed tables that know what changed since any version.

A feed keeps the newest row of each key, a tombstone for each key that is gone, and a list of (version, key) in order of
change. `since(cursor)` walks that list backwards, so a delta costs what changed, never what exists; a key changed often
appears once, newest. The list is thinned when it is more than twice as long as there are keys. Tombstones are kept down
to `horizon`: a cursor below it cannot be resumed.

Entries are immutable and shared: a snapshot in progress holds the entries it began with. An entry's JSON is made once,
when first needed, and kept for as long as the row is the newest.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from stockwire.core.rows import KEYS, FeedName, Key
from stockwire.core.wire import encode_row

_MODULUS: Final = 2**32


class Entry:
    """One key's newest state in a feed. `row` is None for a tombstone."""

    __slots__ = ("_json", "feed", "key", "row", "version")

    def __init__(self, feed: FeedName, key: Key, version: int, row: Any) -> None:
        self.feed: FeedName = feed
        self.key = key
        self.version = version
        self.row = row
        self._json: bytes | None = None

    @property
    def json(self) -> bytes:
        """The row's JSON, encoded once."""
        if self._json is None:
            self._json = encode_row(self.feed, self.row)
        return self._json

    def json_once(self) -> bytes:
        """The row's JSON without keeping it: for snapshots, so that 400,000 rows do not stay encoded."""
        return self._json if self._json is not None else encode_row(self.feed, self.row)

    @property
    def crc(self) -> int:
        """What the entry adds to a view's checksum (P7.1)."""
        return zlib.crc32("\0".join(self.key).encode() + b"@%d" % self.version)


class Applied(NamedTuple):
    """What a batch did to a feed: the new entries (tombstones included) in order of version, and those they
    replaced.
    """

    fresh: list[Entry]
    before: dict[Key, Entry]


class Feed:
    """One feed. `version` is the newest change in it; it only rises."""

    def __init__(self, name: FeedName, rows: Iterable[Any] = (), tombstones: Mapping[Key, int] | None = None,
                 horizon: int = 0) -> None:  # fmt: skip
        self.name: FeedName = name
        self.horizon = horizon
        self.entries: dict[Key, Entry] = {}
        self.tombstones: dict[Key, Entry] = {}
        self._versions: list[int] = []
        self._changed: list[Key] = []
        self._paired = len(KEYS[name]) == 2
        self._seconds: set[str] = set()
        found = [Entry(name, row.key, row.version, row) for row in rows]
        found += [Entry(name, key, version, None) for key, version in (tombstones or {}).items()]
        found.sort(key=lambda entry: entry.version)
        for entry in found:
            self._take(entry)

    @property
    def version(self) -> int:
        """The version of the newest change; 0 when there was none."""
        return self._versions[-1] if self._versions else 0

    def __len__(self) -> int:
        return len(self.entries)

    def _take(self, entry: Entry) -> None:
        if entry.row is None:
            self.entries.pop(entry.key, None)
            self.tombstones[entry.key] = entry
        else:
            self.entries[entry.key] = entry
            self.tombstones.pop(entry.key, None)
            if self._paired:
                self._seconds.add(entry.key[1])
        self._versions.append(entry.version)
        self._changed.append(entry.key)

    def apply(self, version: int, changed: Mapping[Key, Any], gone: Mapping[Key, int] | None = None) -> Applied:
        """Take a committed batch's rows (None: deleted at `version`) and keys that left, each with its version.

        A key that never was here leaves no tombstone.
        """
        gone = gone or {}
        fresh = [
            Entry(self.name, key, version if row is None else row.version, row)
            for key, row in changed.items()
            if key not in gone and (row is not None or key in self.entries)
        ]
        fresh += [Entry(self.name, key, at, None) for key, at in gone.items()]
        if len(fresh) > 1:
            fresh.sort(key=lambda entry: entry.version)
        before = {entry.key: self.entries[entry.key] for entry in fresh if entry.key in self.entries}
        for entry in fresh:
            self._take(entry)
        if len(self._versions) > 64 + 2 * (len(self.entries) + len(self.tombstones)):
            self._thin()
        return Applied(fresh, before)

    def entry(self, key: Key) -> Entry | None:
        """The key's entry, a tombstone when it is gone, None when it never was."""
        return self.entries.get(key) or self.tombstones.get(key)

    def having(self, field: str, value: Any) -> Iterable[Entry]:
        """The rows among which are all whose `field` is `value`: few when it is the first field of the key (there are
        many products but few locations, and a row of each is looked up), else every row.
        """
        if field != KEYS[self.name][0]:
            return self
        keys: Iterable[Key] = ((value, second) for second in self._seconds) if self._paired else ((value,),)
        return [self.entries[key] for key in keys if key in self.entries]

    def since(self, cursor: int) -> list[Entry]:
        """Every entry (tombstones included) newer than `cursor`, once each, in order of version."""
        start = bisect_right(self._versions, cursor)
        found = []
        for index in range(start, len(self._changed)):
            entry = self.entry(self._changed[index])
            if entry is not None and entry.version == self._versions[index]:
                found.append(entry)
        return found if len(found) < 2 else list({entry.key: entry for entry in found}.values())

    def _thin(self) -> None:
        kept = self.since(-1)
        self._versions = [entry.version for entry in kept]
        self._changed = [entry.key for entry in kept]

    def forget(self, horizon: int) -> None:
        """Drop tombstones at or below `horizon`; cursors below it can no longer be resumed."""
        if horizon <= self.horizon:
            return
        self.horizon = horizon
        for key in [key for key, entry in self.tombstones.items() if entry.version <= horizon]:
            del self.tombstones[key]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


def checksum(entries: Iterable[Entry]) -> int:
    """The sum of a view's rows as P7.1 defines it."""
    return sum(entry.crc for entry in entries) % _MODULUS
