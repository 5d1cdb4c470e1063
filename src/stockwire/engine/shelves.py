"""Shelves: the live views that somebody holds, or held until lately, found by what a change may concern.

A view whose filter pins a field to a value concerns only rows that have that value, or had it. Such views stand by field
and value, so a changed row is tried against those of its own values and those that pin nothing, however many others
there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from stockwire.core.feed import Applied, Entry
from stockwire.core.live import LiveView
from stockwire.core.rows import FEEDS, FeedName
from stockwire.core.views import View
from stockwire.core.wire import Field

KEEP_VIEW: Final = 600.0
"""Seconds that a view nobody holds stays live."""


class Shelf:
    """A live view, and how many hold it."""

    __slots__ = ("holders", "live")

    def __init__(self, live: LiveView) -> None:
        self.live = live
        self.holders = 0


class Shelves:
    """Every live view. `monotonic` is the timing clock. What nobody holds is in `_free`, with since when, oldest first."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._all: dict[View, Shelf] = {}
        self._free: dict[View, float] = {}
        self._loose: dict[FeedName, dict[View, Shelf]] = {name: {} for name in FEEDS}
        self._pinned: dict[FeedName, dict[str, _Pinned]] = {name: {} for name in FEEDS}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Shelf]:
        return iter(self._all.values())

    @property
    def holders(self) -> int:
        """How many holds there are on all of them together."""
        return sum(shelf.holders for shelf in self)

    def hold(self, view: View, make: Callable[[], LiveView]) -> LiveView:
        """The live view, made when it is not there; each call needs one `let_go`."""
        shelf = self._all.get(view)
        if shelf is None:
            self._sweep()
            shelf = self._all[view] = Shelf(make())
            self._place(view)[view] = shelf
        shelf.holders += 1
        self._free.pop(view, None)
        return shelf.live

    def let_go(self, view: View) -> None:
        """One holder less."""
        shelf = self._all.get(view)
        if shelf is not None:
            shelf.holders -= 1
            if shelf.holders == 0:
                self._free[view] = self._monotonic()

    def _place(self, view: View) -> dict[View, Shelf]:
        if view.pin is None:
            return self._loose[view.feed]
        field, value = view.pin
        fields = self._pinned[view.feed]
        if field.name not in fields:
            fields[field.name] = _Pinned(field)
        return fields[field.name].by_value.setdefault(value, {})

    def _sweep(self) -> None:
        """Drop the views that nobody has held for a while."""
        before = self._monotonic() - KEEP_VIEW
        while self._free:
            view, since = next(iter(self._free.items()))
            if since >= before:
                return
            del self._free[view]
            del self._all[view]
            del self._place(view)[view]
            if view.pin is not None:
                self._pinned[view.feed][view.pin.field.name].tidy(view.pin.value)

    def concerned(self, feed: FeedName, applied: Applied) -> Iterator[tuple[LiveView, Applied]]:
        """The views that a batch may change, each with what of the batch may change it."""
        for shelf in self._loose[feed].values():
            yield shelf.live, applied
        for pinned in self._pinned[feed].values():
            for value, fresh in pinned.split(applied).items():
                for shelf in pinned.by_value[value].values():
                    yield shelf.live, Applied(fresh, applied.before)


class _Pinned:
    """The views that pin one field, by the value."""

    def __init__(self, field: Field) -> None:
        self._get = field.get
        self.by_value: dict[Any, dict[View, Shelf]] = {}

    def split(self, applied: Applied) -> dict[Any, list[Entry]]:
        """The entries that concern a value that is looked at, by the value: those that have it, or had it before."""
        found: dict[Any, list[Entry]] = {}
        for entry in applied.fresh:
            old = applied.before.get(entry.key)
            rows = (entry.row, old.row if old is not None else None)
            for value in {self._get(row) for row in rows if row is not None}:
                if value in self.by_value:
                    found.setdefault(value, []).append(entry)
        return found

    def tidy(self, value: Any) -> None:
        """Forget a value that no view pins any more."""
        if not self.by_value[value]:
            del self.by_value[value]
