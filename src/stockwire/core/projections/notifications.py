"""Notifications: the life of one, a pure step at a time.

    (nothing) --met--> pending --for long enough--> firing --seen to--> acknowledged
                                                      |  \\--put off--> snoozed --its time--> firing
                                                      `--met no more, and kept on long enough--> resolved

A condition has such a life; a fact is resolved when it happens. What is grouped has one life together: it is met as long as
any of its members is.

Two promises. Between two times that it is told of the same notification that it fires, its rule's cool-down has passed:
whatever fires again before that, or joins a group, waits, and is told once when the time is over, if it is still so. And
that something is over is told only to who was told that it fires. So a rule that flaps at its threshold all day says
little, and never leaves anybody with "resolved" while it fires.

Time is the shop's clock. `due_at` says when time alone changes something; `passed` is what it then does.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from stockwire.core.rows import Happened, NotificationRow, RuleRow
from stockwire.core.values import SECOND

replace = msgspec.structs.replace

MEMBERS_SHOWN: Final = 20


class About(NamedTuple):
    """What a rule is met by: the subject and its parts, what was seen, and what it was held against."""

    subject: str
    name: str = ""
    value: str | None = None
    threshold: str | None = None
    sku: str | None = None
    location: str | None = None
    order_id: str | None = None
    source: str | None = None
    metric: str | None = None


class Now(NamedTuple):
    """The shop's clock, and the version of the event that brought it there."""

    at: int
    version: int


class Step(NamedTuple):
    """A notification after something happened to it (None: it never came to anything), and what is to be told of it."""

    row: NotificationRow | None
    happened: Happened | None = None


def group_of(rule: RuleRow, about: About) -> str:
    """The subject of the notification that a rule makes of it."""
    if rule.group_by == "none":
        return about.subject
    if rule.group_by == "location" and about.location is not None:
        return f"location/{about.location}"
    return "log"


# --- what is met ----------------------------------------------------------------------------------------------------


def entered(row: NotificationRow | None, rule: RuleRow, about: About, now: Now) -> Step:
    """The rule is met by one subject more."""
    if row is None or not continues(row, rule, now):
        row = _begun(rule, about, now)
    elif row.state == "resolved":
        row = replace(row, state="pending", since=now.at, count=0, members=(), ended_at=None, resolved_by=None,
                      acknowledged_by=None)  # fmt: skip
    back = row.cleared_at is not None
    row = _seen(replace(row, count=row.count + 1, cleared_at=None), rule, about, now)
    if row.state == "pending":
        return _fired(row, rule, now) if rule.for_seconds == 0 else Step(row)
    if row.state == "snoozed" or (back and not row.untold):
        return Step(row)
    return _told(row, rule, now)


def left(row: NotificationRow, rule: RuleRow, subject: str, now: Now) -> Step:
    """The rule is met by that subject no more."""
    if row.state == "resolved":
        return Step(row)
    members = tuple(each for each in row.members if each != subject)
    count = max(0, row.count - 1)
    if count:
        return Step(_changed(row, now, count=count, members=members))
    if row.state == "pending":
        return Step(_ended(row, now, "") if row.occurrences else None)
    if rule.keep_seconds == 0:
        return resolved(row, now)
    return Step(_changed(row, now, count=0, members=members, cleared_at=now.at))


def happened(row: NotificationRow | None, rule: RuleRow, about: About, now: Now) -> Step:
    """A fact: it happened, and is over."""
    if row is None or not continues(row, rule, now):
        row = _begun(rule, about, now)
    fresh = not row.untold
    count = 1 if fresh else row.count + 1
    row = replace(row, state="resolved", since=now.at, ended_at=now.at, resolved_by="", count=count,
                  occurrences=row.occurrences + 1, severity=rule.severity,
                  members=() if fresh else row.members)  # fmt: skip
    return _told(_seen(row, rule, about, now), rule, now)


def continues(row: NotificationRow, rule: RuleRow, now: Now) -> bool:
    """Whether what happens to the same thing now belongs to this life of it."""
    if row.state != "resolved" or row.untold:
        return True
    ended_at = row.ended_at or 0
    return now.at < ended_at + rule.cooldown_seconds * SECOND or row.notification_id == _id(row.dedupe_key, now)


def _id(dedupe_key: str, now: Now) -> str:
    return f"{dedupe_key}@{now.version}"


def _begun(rule: RuleRow, about: About, now: Now) -> NotificationRow:
    group = group_of(rule, about)
    dedupe_key = f"{rule.rule_id}/{group}"
    alone = group == about.subject
    return NotificationRow(
        version=now.version, notification_id=_id(dedupe_key, now), rule_id=rule.rule_id, kind=rule.kind,
        severity=rule.severity, state="pending", dedupe_key=dedupe_key, subject=group, began_at=now.at,
        updated_at=now.at, since=now.at, sku=about.sku if alone else None, order_id=about.order_id if alone else None,
        location=about.location if alone or rule.group_by == "location" else None,
        source=about.source if alone else None, metric=about.metric if alone else None,
    )  # fmt: skip


def _seen(row: NotificationRow, rule: RuleRow, about: About, now: Now) -> NotificationRow:
    """What was seen last, and of whom."""
    others = (each for each in row.members if each != about.subject)
    members = (about.subject, *others)[:MEMBERS_SHOWN]
    return _changed(row, now, members=members, name=about.name, value=about.value, threshold=about.threshold)


def _changed(row: NotificationRow, now: Now, **fields: object) -> NotificationRow:
    return replace(row, version=now.version, updated_at=now.at, **fields)


# --- what is told ---------------------------------------------------------------------------------------------------


def _fired(row: NotificationRow, rule: RuleRow, now: Now) -> Step:
    fired = _changed(row, now, state="firing", since=now.at, occurrences=row.occurrences + 1, severity=rule.severity,
                     told=False)  # fmt: skip
    return _told(fired, rule, now)


def _told(row: NotificationRow, rule: RuleRow, now: Now) -> Step:
    """That it fires is told, unless something was told of it within the cool-down: then it waits for its end."""
    if row.told_at is not None and now.at < row.told_at + rule.cooldown_seconds * SECOND:
        return Step(_changed(row, now, untold=True))
    lasts = row.state != "resolved"
    if row.state == "acknowledged":
        row = replace(row, state="firing", since=now.at, acknowledged_by=None)
    told = _changed(row, now, fired_at=now.at, fired_version=now.version, told_at=now.at, told=lasts, untold=False)
    return Step(told, "fired")


def _ended(row: NotificationRow, now: Now, by: str) -> NotificationRow:
    return _changed(row, now, state="resolved", since=now.at, ended_at=now.at, resolved_by=by, count=0, members=(),
                    cleared_at=None, snoozed_until=None, told=False, untold=False)  # fmt: skip


def resolved(row: NotificationRow, now: Now, by: str = "") -> Step:
    """It is over: by itself, or because somebody says so."""
    ended = _ended(row, now, by)
    if not row.told:
        return Step(ended)
    return Step(replace(ended, told_at=now.at), "resolved")


# --- what people do -------------------------------------------------------------------------------------------------


def acknowledged(row: NotificationRow, by: str, now: Now) -> Step:
    """Somebody sees to it: it is not told again unless more joins it."""
    if row.state not in ("firing", "snoozed"):
        return Step(row)
    return Step(_changed(row, now, state="acknowledged", since=now.at, acknowledged_by=by, snoozed_until=None,
                         untold=False))  # fmt: skip


def snoozed(row: NotificationRow, until: int, by: str, now: Now) -> Step:
    """It is put off until then."""
    if row.state not in ("firing", "acknowledged", "snoozed"):
        return Step(row)
    return Step(
        _changed(row, now, state="snoozed", since=now.at, acknowledged_by=by, snoozed_until=until, untold=False)
    )


# --- time -----------------------------------------------------------------------------------------------------------


def due_at(row: NotificationRow, rule: RuleRow | None) -> int | None:
    """When time alone changes something about it; None: never."""
    if rule is None:
        return None
    if row.cleared_at is not None:
        return row.cleared_at + rule.keep_seconds * SECOND
    if row.state == "pending":
        return row.since + rule.for_seconds * SECOND
    if row.state == "snoozed":
        return row.snoozed_until
    if row.untold and row.told_at is not None:
        return row.told_at + rule.cooldown_seconds * SECOND
    return None


def passed(row: NotificationRow, rule: RuleRow, now: Now) -> Step:
    """What is due has come."""
    if row.cleared_at is not None:
        return resolved(row, now)
    if row.state == "pending":
        return _fired(row, rule, now)
    if row.state == "snoozed":
        woken = _changed(row, now, state="firing", since=now.at, acknowledged_by=None, snoozed_until=None,
                         fired_at=now.at, fired_version=now.version, told_at=now.at, told=True, untold=False)  # fmt: skip
        return Step(woken, "unsnoozed")
    return _told(row, rule, now)
