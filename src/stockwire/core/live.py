"""Live views: a view kept up to date, that knows exactly which of its rows changed, came or left since a version.

A subscriber must hear that a row left its view, and must not hear of rows it never had. So for each view that somebody
holds, the members are kept, and a list of what happened to them, as a feed keeps for its rows. With a limit, all
matching rows are ranked and the members are the first of them. A view begins to remember at `start`; an older cursor is
answered from the feed where that is exact (no limit), else not at all (`since` gives None: the whole content must be
sent).

Views of a whole feed keep nothing of their own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sortedcontainers import SortedList

from stockwire.core.feed import Applied, Entry, Feed, checksum
from stockwire.core.rows import Key
from stockwire.core.views import View

_MODULUS: Final = 2**32


class Change(NamedTuple):
    """One row's newest state in a view: at `version` it came or changed (`entry`) or left (None)."""

    version: int
    key: Key
    entry: Entry | None


class LiveView:
    """A view over a feed. Feed it every batch's new entries with `apply`."""

    def __init__(self, view: View, feed: Feed, start: int) -> None:
        self.view = view
        self.start = start
        self._feed = feed
        self._sum: int | None = None
        self.changed_at = start
        """The version of the last batch that changed the view."""

    @property
    def entries(self) -> dict[Key, Entry]:
        """The rows that belong now."""
        return self._feed.entries

    def content(self) -> list[Entry]:
        """The rows that belong now; in the view's order when it has a limit."""
        return list(self.entries.values())

    def apply(self, version: int, applied: Applied) -> bool:
        """Take a batch in. True when the view changed."""
        changed = bool(applied.fresh)
        for entry in applied.fresh:
            self._count(applied.before.get(entry.key), entry if entry.row is not None else None)
        if changed:
            self.changed_at = version
        return changed

    def since(self, cursor: int) -> list[Change] | None:
        """What changed in the view after `cursor`, in order of version; None when that cannot be said exactly."""
        return [
            Change(entry.version, entry.key, entry if entry.row is not None else None)
            for entry in self._feed.since(cursor)
        ]

    def checksum(self) -> int:
        """The checksum of P7.1, kept incrementally once it was asked for."""
        if self._sum is None:
            self._sum = checksum(self.entries.values())
        return self._sum

    def _count(self, old: Entry | None, new: Entry | None) -> None:
        if self._sum is not None:
            gone = old.crc if old is not None else 0
            come = new.crc if new is not None else 0
            self._sum = (self._sum + come - gone) % _MODULUS


class FilteredView(LiveView):
    """A view with a filter or limited rights: keeps its members and what happened to them."""

    def __init__(self, view: View, feed: Feed, start: int) -> None:
        super().__init__(view, feed, start)
        self._members: dict[Key, Entry] = {}
        self._at: dict[Key, int] = {}
        self._versions: list[int] = []
        self._keys: list[Key] = []
        self._fill()

    def _fill(self) -> None:
        self._members = {entry.key: entry for entry in self._candidates() if self._belongs(entry)}

    def _candidates(self) -> Iterable[Entry]:
        """Rows of the feed, all that belong among them."""
        pin = self.view.pin
        return self._feed if pin is None else self._feed.having(pin.field.name, pin.value)

    def _belongs(self, entry: Entry) -> bool:
        return entry.row is not None and self.view.allows(entry.key) and self.view.matches(entry.row)

    @property
    def entries(self) -> dict[Key, Entry]:
        return self._members

    def apply(self, version: int, applied: Applied) -> bool:
        changed = False
        for entry in applied.fresh:
            changed |= self._place(entry.version, entry.key, entry if self._belongs(entry) else None)
        if changed:
            self.changed_at = version
            self._thin()
        return changed

    def _place(self, version: int, key: Key, entry: Entry | None) -> bool:
        """Note that the key's row now is `entry` (None: it does not belong)."""
        old = self._members.get(key)
        if entry is None:
            if old is None:
                return False
            del self._members[key]
        else:
            self._members[key] = entry
        self._count(old, entry)
        self._at[key] = version
        self._versions.append(version)
        self._keys.append(key)
        return True

    def since(self, cursor: int) -> list[Change] | None:
        if cursor < self.start:
            return self._from_feed(cursor)
        first = bisect_right(self._versions, cursor)
        found: dict[Key, Change] = {}
        for index in range(first, len(self._keys)):
            key, version = self._keys[index], self._versions[index]
            if self._at.get(key) == version:
                found[key] = Change(version, key, self._members.get(key))
        return list(found.values())

    def _from_feed(self, cursor: int) -> list[Change] | None:
        """Exact though it may name rows the subscriber never had: what changed and does not belong now is a remove."""
        return [
            Change(entry.version, entry.key, self._members.get(entry.key))
            for entry in self._feed.since(cursor)
            if self.view.allows(entry.key)
        ]

    def _thin(self) -> None:
        """Keep each key's newest change only, once stale ones outnumber them."""
        if len(self._keys) < 256 + 2 * len(self._at):
            return
        kept = [
            (version, key)
            for version, key in zip(self._versions, self._keys, strict=True)
            if self._at.get(key) == version
        ]
        self._versions = [version for version, _ in kept]
        self._keys = [key for _, key in kept]

    def forget(self, horizon: int) -> None:
        """Drop what is remembered of keys that left at or below `horizon`."""
        for key in [key for key, at in self._at.items() if at <= horizon and key not in self._members]:
            del self._at[key]
        self.start = max(self.start, horizon)
        self._thin()


class LimitedView(FilteredView):
    """The first `limit` rows of an order. All matching rows are ranked; the members are the window at the front."""

    def _fill(self) -> None:
        self._sort_keys: dict[Key, tuple[Any, ...]] = {}
        self._entries: dict[Key, Entry] = {}
        for entry in self._candidates():
            if self._belongs(entry):
                self._entries[entry.key] = entry
                self._sort_keys[entry.key] = self.view.sort_key(entry.key, entry.row)
        self._ranking: SortedList[tuple[Any, ...]] = SortedList(self._sort_keys.values())
        self._members = {key: self._entries[key] for key in self._window()}

    def _window(self) -> list[Key]:
        return [ranked[-1] for ranked in self._ranking.islice(0, self.view.limit)]

    def content(self) -> list[Entry]:
        return [self._entries[key] for key in self._window()]

    def apply(self, version: int, applied: Applied) -> bool:
        touched = [entry for entry in applied.fresh if self._rank(entry)]
        if not touched:
            return False
        window = self._window()
        inside = set(window)
        changed = False
        for entry in touched:
            if entry.key in inside or entry.key in self._members:
                changed |= self._place(entry.version, entry.key, entry if entry.key in inside else None)
        for key in [key for key in self._members if key not in inside]:
            changed |= self._place(version, key, None)
        for key in window:
            if key not in self._members:
                changed |= self._place(version, key, self._entries[key])
        if changed:
            self.changed_at = version
            self._thin()
        return changed

    def _rank(self, entry: Entry) -> bool:
        """Put the entry where it belongs among all that match. False when it neither did nor does."""
        old = self._sort_keys.pop(entry.key, None)
        if old is not None:
            self._ranking.remove(old)
            del self._entries[entry.key]
        if self._belongs(entry):
            ranked = self.view.sort_key(entry.key, entry.row)
            self._sort_keys[entry.key] = ranked
            self._entries[entry.key] = entry
            self._ranking.add(ranked)
            return True
        return old is not None

    def _from_feed(self, cursor: int) -> list[Change] | None:
        return None


def live_view(view: View, feed: Feed, start: int) -> LiveView:
    """The view kept live over `feed` from version `start` on."""
    if view.plain:
        return LiveView(view, feed, start)
    if view.limit is not None:
        return LimitedView(view, feed, start)
    return FilteredView(view, feed, start)
