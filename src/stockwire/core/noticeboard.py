"""The noticeboard: what one batch makes of rules, of what they are met by, and of the notifications that come of it.

What is durable is the `Board`; `Notices` is one batch's changes of it. The fold shows `Notices` each row that an event
changed, as it was and as it is; it never looks through rows but when a rule is defined (subjects.py). What it makes of it is
a life at a time (projections/notifications.py).
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

import msgspec

from stockwire.core.board import Board
from stockwire.core.deadlines import Deadlines
from stockwire.core.events import (
    LogVerified,
    NotificationAcknowledged,
    NotificationData,
    NotificationSnoozed,
    PersonData,
    Record,
    RuleDefined,
    RuleObserved,
    RuleRemoved,
)
from stockwire.core.projections import notifications
from stockwire.core.projections.notifications import About, Now, Step, due_at, group_of
from stockwire.core.projections.people import fold_person
from stockwire.core.rows import (
    Condition,
    Happened,
    InventoryRow,
    Key,
    Movement,
    NotificationRow,
    Occasion,
    OrderRow,
    PersonRow,
    RuleRow,
    Told,
)
from stockwire.core.rulebook import BEYOND, RuleBook, fits, is_stuck, level, own_level
from stockwire.core.rules import BUILT_IN, rule_of
from stockwire.core.subjects import Shop, about_order, about_stock, met_now, number, of_stock
from stockwire.core.tables import Draft, rows_of
from stockwire.core.values import amount_text, moment, quantity_json

replace = msgspec.structs.replace

RECENT_OVER: Final = 1_000
"""How many notifications that are over are kept beside the others."""

_WHAT: Final = ("kind", "enabled", "scope", "threshold", "clear", "metric", "period", "comparison", "against",
                "group_by")  # fmt: skip
"""What of a rule decides whether it is met."""


class Notices:
    """One batch's notices. Give it every event in order, and time before each."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._changed = False
        self.rules: Draft[Key, RuleRow] = Draft(board.rules, self._note)
        self.notifications: Draft[Key, NotificationRow] = Draft(board.notifications, self._note)
        self.people: Draft[Key, PersonRow] = Draft(board.people, self._note)
        self.conditions: Draft[Key, Condition] = Draft(board.conditions, self._note)
        self._drafts: tuple[Draft[Key, Any], ...] = (self.rules, self.notifications, self.people, self.conditions)
        self._occasions: dict[tuple[int, str, str], Told] = {}
        self._told_before: list[tuple[tuple[int, str, str], Told | None]] = []
        self._deadlines = Deadlines(board.deadlines)
        self._book: RuleBook | None = board.book
        self._newest: dict[str, Key | None] = {}
        self._over: list[tuple[int, Key]] | None = None
        self._watched = board.watched
        self._at = self._version = self._recorded_at = 0

    @property
    def occasions(self) -> list[Told]:
        """What is to be told, in order."""
        return [self._occasions[order] for order in sorted(self._occasions)]

    @property
    def book(self) -> RuleBook:
        """The rules in force."""
        if self._book is None:
            self._book = RuleBook(rows_of(self.rules, self._board.rules))
        return self._book

    @property
    def _now(self) -> Now:
        return Now(self._at, self._version)

    # Events

    def begin(self, record: Record, clock: int) -> None:
        """What comes next is what this event does, at that moment of the shop's clock."""
        self._at, self._version, self._recorded_at = clock, record.version, record.recorded_at
        if record.version == 1:
            for rule in BUILT_IN:
                self._put_rule(replace(rule, version=1))

    def take(self, record: Record, shop: Shop) -> None:
        """Take an event about rules, notifications or a person in."""
        data = record.event.data
        match data:
            case RuleDefined():
                before = self.rules.get((data.rule_id,))
                if data.revises is None or (before is not None and before.revision == data.revises):
                    self._define(before, rule_of(data, before, record.version, self._at), shop)
            case RuleRemoved():
                rule = self.rules.get((data.rule_id,))
                if rule is not None:
                    self._clear(rule)
                    self._put_rule(rule, gone=True)
            case RuleObserved():
                self._observe(data)
            case NotificationData():
                self._act(data)
            case PersonData():
                self._put_person(fold_person(self.people.get((data.person,)), data, record.version))
            case LogVerified():
                self._verified(data.differences)
            case _:
                pass

    def _put_rule(self, rule: RuleRow, gone: bool = False) -> None:
        if gone:
            self.rules.delete(rule.key)
        else:
            self.rules.put(rule.key, rule)
        self._book = None

    def _put_person(self, row: PersonRow) -> None:
        before = self.people.get(row.key)
        self.people.put(row.key, row)
        watched = Counter(self._watched)
        watched.subtract(before.watched if before is not None else ())
        watched.update(row.watched)
        self._watched = watched

    def _act(self, data: NotificationData) -> None:
        """What somebody did with a notification; of one that is gone or over, nothing."""
        row = self.notifications.get((data.notification_id,))
        if row is None or row.state in ("resolved", "pending"):
            return
        if isinstance(data, NotificationAcknowledged):
            step = notifications.acknowledged(row, data.by, self._now)
        elif isinstance(data, NotificationSnoozed):
            step = notifications.snoozed(row, moment(data.until), data.by, self._now)
        else:
            step = notifications.resolved(row, self._now, data.by)
            for condition in self._conditions_of(row.rule_id):
                if condition.group == row.subject and condition.counted:
                    self.conditions.put(condition.key, replace(condition, counted=False))
        self._put(row, step)

    def _observe(self, data: RuleObserved) -> None:
        rule = self.rules.get((data.rule_id,))
        if rule is None or not rule.enabled:
            return
        kind, _, rest = data.about.partition("/")
        against = number(rule.threshold) if rule.baseline is None else data.previous
        about = About(
            data.about, value=data.value, threshold=against, name=rest.partition("/")[0],
            source=rest if kind == "source" else None, metric=rest.partition("/")[0] if kind == "metric" else None,
        )  # fmt: skip
        self._settle(rule, about, data.met)

    def _verified(self, differences: int) -> None:
        for rule in self.book.drift:
            self._settle(rule, About("log", value=str(differences), threshold="0"), differences > 0)

    # Rules anew

    def _define(self, before: RuleRow | None, rule: RuleRow, shop: Shop) -> None:
        """A rule is in force: what it is met by already comes in, what it is met by no more goes."""
        anew = before is None or any(getattr(before, name) != getattr(rule, name) for name in _WHAT)
        if before is not None and anew and (before.kind, before.group_by) != (rule.kind, rule.group_by):
            self._clear(before)
        self._put_rule(rule)
        if anew:
            self.meet(rule, shop)
        for row in rows_of(self.notifications, self._board.notifications):
            if row.rule_id == rule.rule_id:
                self._expect(row, rule)

    def meet(self, rule: RuleRow, shop: Shop) -> None:
        """Let come what a rule is met by as the shop stands, and go what it is met by no more."""
        met = {about.subject: about for about in met_now(rule, shop, self._met_before(rule), self._watched)}
        for condition in list(self._conditions_of(rule.rule_id)):
            if condition.subject not in met:
                self._settle(rule, About(condition.subject), False)
        for about in met.values():
            self._settle(rule, about, True)

    def _met_before(self, rule: RuleRow) -> set[str]:
        return {condition.subject for condition in self._conditions_of(rule.rule_id)}

    def _clear(self, rule: RuleRow) -> None:
        """Let go of all that a rule is met by."""
        for condition in list(self._conditions_of(rule.rule_id)):
            self.conditions.delete(condition.key)
        for row in list(rows_of(self.notifications, self._board.notifications)):
            if row.rule_id == rule.rule_id and (row.state != "resolved" or row.untold):
                over = row.state == "resolved" or row.occurrences > 0
                self._put(row, notifications.resolved(replace(row, untold=False), self._now) if over else Step(None))

    def _conditions_of(self, rule_id: str) -> Iterator[Condition]:
        return (row for row in rows_of(self.conditions, self._board.conditions) if row.rule_id == rule_id)

    # Rows that changed

    def stock(self, touched: Iterable[tuple[InventoryRow | None, InventoryRow | None]]) -> None:
        """Stock rows changed: each as it was and as it is."""
        book = self.book
        if not book.looks_at_stock:
            return
        for before, after in touched:
            was, now = level(before), level(after)
            if was != now or before is None or after is None or before.reorder_point != after.reorder_point:
                self._cross(book, before, after, was, now)

    def _cross(
        self, book: RuleBook, before: InventoryRow | None, after: InventoryRow | None, was: int, now: int
    ) -> None:
        """Let the rules follow whose level a row crossed."""
        row = after or before
        if row is None:
            return
        own_was, own_now = own_level(before, was), own_level(after, now)
        for shelf in book.shelves(row.sku, row.location):
            if (was > shelf.highest < now) and (own_was > shelf.own_highest < own_now):
                continue
            if was > now:
                self._settle_stock(shelf.met.fallen(was, now), row, True)
            elif was < now:
                self._settle_stock(shelf.over.risen(was, now), row, False)
                if now < BEYOND:
                    self._happen_in(shelf.facts.risen(was, now), row, now)
            if own_was > own_now:
                self._settle_stock(shelf.own_met.fallen(own_was, own_now), row, True)
            elif own_was < own_now:
                self._settle_stock(shelf.own_over.risen(own_was, own_now), row, False)

    def _settle_stock(self, rules: list[RuleRow], row: InventoryRow, met: bool) -> None:
        for rule in rules:
            self._settle(rule, about_stock(rule, row), met)

    def _happen_in(self, rules: list[RuleRow], row: InventoryRow, available: int) -> None:
        for rule in rules:
            self._happen(rule, of_stock(row, str(quantity_json(available)), number(rule.threshold)))

    def moved(self, movement: Movement, row_of: Callable[[Key], InventoryRow | None]) -> None:
        """Stock moved."""
        if movement.order_id is not None or not movement.on_hand:
            return
        for rule in self.book.moved(movement.sku, movement.location, abs(movement.on_hand)):
            row = row_of((movement.sku, movement.location))
            about = About(
                f"stock/{movement.sku}/{movement.location}",
                name="" if row is None else row.name,
                value=f"{quantity_json(movement.on_hand):+}",
                threshold=number(rule.threshold),
                sku=movement.sku,
                location=movement.location,
            )
            self._happen(rule, about)

    def order(self, before: OrderRow | None, after: OrderRow, currency: str) -> None:
        """An order took a step."""
        watched = self._watched.get(after.order_id, 0) > 0
        if before is None or before.status != after.status:
            for rule in self.book.came_to(after.status):
                if fits(rule, after, watched, currency):
                    self._happen(rule, about_order(after, after.status, None))
        if after.currency and (before is None or not before.currency):
            total = after.total // 1_000
            for rule in self.book.large(after.location, total):
                if fits(rule, after, watched, currency):
                    self._happen(rule, about_order(after, amount_text(after.total), number(rule.threshold)))
        if before is not None or after.lateness != "on_track":
            self.lateness(before, after, currency)

    def lateness(self, before: OrderRow | None, after: OrderRow, currency: str) -> None:
        """How late an order is may have changed."""
        if before is not None and (before.lateness, before.closed_at is None) == (
            after.lateness,
            after.closed_at is None,
        ):
            return
        watched = self._watched.get(after.order_id, 0) > 0
        for rule in self.book.stuck(after.location):
            met = is_stuck(rule, after) and fits(rule, after, watched, currency)
            self._settle(rule, about_order(after, after.lateness, None), met)

    # Lives

    def _settle(self, rule: RuleRow, about: About, met: bool) -> None:
        """A rule is met by that subject, or not."""
        key = (rule.rule_id, about.subject)
        condition = self.conditions.get(key)
        if met == (condition is not None):
            return
        if condition is None:
            group = group_of(rule, about)
            made = Condition(rule_id=rule.rule_id, subject=about.subject, since=self._at, group=group)
            self.conditions.put(key, made)
            row = self._newest_of(rule, group)
            self._put(row, notifications.entered(row, rule, about, self._now))
            return
        self.conditions.delete(key)
        row = self._newest_of(rule, condition.group)
        if row is not None and condition.counted:
            self._put(row, notifications.left(row, rule, about.subject, self._now))

    def _happen(self, rule: RuleRow, about: About) -> None:
        row = self._newest_of(rule, group_of(rule, about))
        self._put(row, notifications.happened(row, rule, about, self._now))

    def _newest_of(self, rule: RuleRow, group: str) -> NotificationRow | None:
        dedupe_key = f"{rule.rule_id}/{group}"
        key = self._newest[dedupe_key] if dedupe_key in self._newest else self._board.newest.get(dedupe_key)
        return None if key is None else self.notifications.get(key)

    def _put(self, before: NotificationRow | None, step: Step) -> None:
        row = step.row
        if row is before:
            return
        if before is not None and before.state == "resolved" and (row is None or row.key == before.key):
            self._ended().remove((cast(int, before.ended_at), before.key))
        if row is None:
            assert before is not None
            self._remove(before)
            return
        self.notifications.put(row.key, row)
        self._newest[row.dedupe_key] = row.key
        self._expect(row, self.rules.get((row.rule_id,)))
        if step.happened is not None:
            self._tell(row, step.happened)
        if row.state == "resolved":
            insort(self._ended(), (cast(int, row.ended_at), row.key))
            self._make_room()

    def _remove(self, row: NotificationRow) -> None:
        self.notifications.delete(row.key)
        if self._newest.get(row.dedupe_key, self._board.newest.get(row.dedupe_key)) == row.key:
            self._newest[row.dedupe_key] = None

    def _ended(self) -> list[tuple[int, Key]]:
        if self._over is None:
            self._over = list(self._board.over)
        return self._over

    def _make_room(self) -> None:
        over = self._ended()
        while len(over) > RECENT_OVER:
            _, key = over.pop(0)
            row = self.notifications.get(key)
            if row is not None:
                self._remove(row)

    def _tell(self, row: NotificationRow, happened: Happened) -> None:
        told = Occasion(
            version=self._version, notification_id=row.notification_id, happened=happened, at=self._at,
            recorded_at=self._recorded_at,
        )  # fmt: skip
        if happened == "resolved":  # it came back only to be over
            self._set_occasion((told.version, told.notification_id, "unsnoozed"), None)
        self._set_occasion(told.order, (told, row))

    def _set_occasion(self, order: tuple[int, str, str], told: Told | None) -> None:
        self._told_before.append((order, self._occasions.pop(order, None)))
        if told is not None:
            self._occasions[order] = told

    def _expect(self, row: NotificationRow, rule: RuleRow | None) -> None:
        at = due_at(row, rule)
        if at is not None:
            self._deadlines.add(at, row.key)

    # Time

    def due(self, to: int) -> bool:
        """Whether time alone changes anything by `to`."""
        return self._deadlines.due(to)

    def pass_time(self, record: Record, since: int, to: int) -> None:
        """Let every notification follow whose moment has come by `to`; `since` is where the clock was."""
        while (due := self._deadlines.take(to)) is not None:
            at, key = due
            row = self.notifications.get(key)
            if row is None:
                continue
            rule = self.rules.get((row.rule_id,))
            if rule is not None and due_at(row, rule) == at:
                self._at, self._version, self._recorded_at = max(at, since), record.version, record.recorded_at
                self._put(row, notifications.passed(row, rule, self._now))

    # When something went wrong

    def savepoint(self) -> None:
        """From here on `rollback` returns to this state."""
        if self._changed:
            self._changed = False
            self._told_before.clear()
            for draft in self._drafts:
                draft.savepoint()

    def _note(self, before: object, after: object) -> None:
        self._changed = True

    def rollback(self) -> None:
        """Forget what happened since the savepoint, and that it was to be told."""
        for draft in self._drafts:
            draft.rollback()
        while self._told_before:
            order, told = self._told_before.pop()
            self._occasions.pop(order, None)
            if told is not None:
                self._occasions[order] = told
        people = rows_of(self.people, self._board.people)
        self._watched = Counter(order_id for person in people for order_id in person.watched)
        rows = sorted(rows_of(self.notifications, self._board.notifications), key=lambda row: row.began_at)
        self._newest = {**dict.fromkeys(self._board.newest), **{row.dedupe_key: row.key for row in rows}}
        self._over = sorted((cast(int, row.ended_at), row.key) for row in rows if row.state == "resolved")
        self._book = None
