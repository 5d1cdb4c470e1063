"""The board: the notices as they are, durable, and what is kept over them to find them by.

Rules, the conditions that they are met by, the notifications that came of it, and people. Only `commit` changes it, after
a batch is on disk; what a batch makes of it is the noticeboard's (noticeboard.py). Of the notifications of one rule and
subject only the newest goes on, and each stands among the deadlines with the moment at which time alone changes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

from sortedcontainers import SortedList

from stockwire.core.projections.notifications import due_at
from stockwire.core.rows import Condition, Key, NotificationRow, PersonRow, RuleRow
from stockwire.core.rulebook import RuleBook
from stockwire.core.tables import Table


class Board:
    """The durable notices, and what is kept over them. Hold it in one thread."""

    def __init__(
        self,
        rules: Iterable[RuleRow] = (),
        notifications: Iterable[NotificationRow] = (),
        people: Iterable[PersonRow] = (),
        conditions: Iterable[Condition] = (),
    ) -> None:
        self.rules: Table[Key, RuleRow] = Table({row.key: row for row in rules})
        self.notifications: Table[Key, NotificationRow] = Table({row.key: row for row in notifications})
        self.people: Table[Key, PersonRow] = Table({row.key: row for row in people})
        self.conditions: Table[Key, Condition] = Table({row.key: row for row in conditions})
        self.book = RuleBook(self.rules)
        self.newest: dict[str, Key] = {}
        self.over: SortedList[tuple[int, Key]] = SortedList()
        self.deadlines: SortedList[tuple[int, Key]] = SortedList()
        self._due: dict[Key, int] = {}
        for row in sorted(self.notifications, key=lambda row: row.began_at):
            self._hang(row)
        self.watched = Counter(order_id for person in self.people for order_id in person.watched)

    def _hang(self, row: NotificationRow) -> None:
        self.newest[row.dedupe_key] = row.key
        if row.state == "resolved":
            self.over.add((cast(int, row.ended_at), row.key))
        self._expect(row)

    def _expect(self, row: NotificationRow) -> None:
        """Let the row be due when its rule, as it is now, says."""
        self._forget(row)
        at = due_at(row, self.rules.rows.get((row.rule_id,)))
        if at is not None:
            self._due[row.key] = at
            self.deadlines.add((at, row.key))

    def _forget(self, row: NotificationRow) -> None:
        at = self._due.pop(row.key, None)
        if at is not None:
            self.deadlines.discard((at, row.key))

    def _take_down(self, row: NotificationRow) -> None:
        if self.newest.get(row.dedupe_key) == row.key:
            del self.newest[row.dedupe_key]
        if row.state == "resolved":
            self.over.discard((cast(int, row.ended_at), row.key))
        self._forget(row)

    def commit(
        self,
        rules: Mapping[Key, RuleRow | None],
        notifications: Mapping[Key, NotificationRow | None],
        people: Mapping[Key, PersonRow | None],
        conditions: Mapping[Key, Condition | None],
    ) -> None:
        """Take over a batch's changes, now that they are durable."""
        for key in notifications:
            before = self.notifications.rows.get(key)
            if before is not None:
                self._take_down(before)
        self.notifications.commit(notifications)
        if rules:
            self.rules.commit(rules)
            self.book = RuleBook(self.rules)
            for row in self.notifications:
                if (row.rule_id,) in rules:
                    self._expect(row)
        for row in sorted((row for row in notifications.values() if row is not None), key=lambda row: row.began_at):
            self._hang(row)
        self.conditions.commit(conditions)
        if people:
            self.people.commit(people)
            self.watched = Counter(order_id for person in self.people for order_id in person.watched)
