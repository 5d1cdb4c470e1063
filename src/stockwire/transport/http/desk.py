"""The desk: what the routes work with by which people change rules, notifications and their own.

Everything that is changed there is an event, written by whoever asks: the fold decides what becomes of it, and the answer
shows the row that came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from litestar import Response

from stockwire.core.errors import NotFound
from stockwire.core.events import Event
from stockwire.core.rows import FeedName, Key, NotificationRow, PersonRow, RuleRow
from stockwire.core.wire import encode
from stockwire.engine.deeds import deed
from stockwire.engine.hub import Hub
from stockwire.engine.previewing import History, Present
from stockwire.transport.http.access import Access
from stockwire.transport.http.events import Ingest
from stockwire.transport.http.queries import json_answer
from stockwire.transport.http.sales import Calendar

_Row = TypeVar("_Row")


class Desk(NamedTuple):
    """What is asked and written. `allowed_minutes`: how long an order may be at each status. What people do is timed by the shop's
    clock."""

    access: Access
    hub: Hub
    ingest: Ingest
    log: History
    calendar: Calendar
    allowed_minutes: Mapping[str, int]

    def clock(self) -> int:
        """The shop's clock."""
        return self.calendar.clock()

    def deed(self, type_: str, **data: Any) -> Event:
        """The event that says what somebody does. Raises Invalid."""
        return deed(type_, self.clock(), **data)

    async def write(self, event: Event) -> int:
        """Have it stored; gives the version. Raises as `Ingest.submit`."""
        return (await self.ingest.submit([event])).version

    def row(self, feed: FeedName, key: Key, kind: type[_Row]) -> _Row | None:
        """The row as it is now."""
        entry = self.hub.feeds[feed].entries.get(key)
        return entry.row if entry is not None and isinstance(entry.row, kind) else None

    def rule(self, rule_id: str) -> RuleRow:
        """Raises NotFound."""
        row = self.row("rules", (rule_id,), RuleRow)
        if row is None:
            raise NotFound("there is no rule by that id")
        return row

    def notification(self, notification_id: str) -> NotificationRow:
        """Raises NotFound."""
        row = self.row("notifications", (notification_id,), NotificationRow)
        if row is None:
            raise NotFound("there is no notification by that id")
        return row

    def person(self, name: str) -> PersonRow:
        return self.row("people", (name,), PersonRow) or PersonRow(version=0, person=name)

    def present(self) -> Present:
        """How the shop stands, for what looks at it from another thread."""
        feeds = self.hub.feeds
        return Present(
            stock=tuple(feeds["inventory"]),
            orders=tuple(feeds["orders"]),
            metrics=tuple(feeds["metrics"]),
            hours=tuple(feeds["hours"]),
            people=tuple(feeds["people"]),
            clock=self.clock(),
            wall=self.hub.now(),
            timezone=self.calendar.timezone,
            currency=self.calendar.currency,
            allowed_minutes=self.allowed_minutes,
            freshness=self.hub.freshness,
        )


def answered(value: dict[str, Any], status: int = 200) -> Response[bytes]:
    """An answer of these members, that nobody keeps."""
    answer = json_answer(encode(value))
    answer.status_code = status
    return answer
