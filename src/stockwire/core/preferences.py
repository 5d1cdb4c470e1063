"""Preferences: whether, where and when a person is told of something outside the page.

Deciding takes what the person chose, the rule, the notification and the moment, and gives one of four answers. Two rules
hold. Nothing is lost to quiet hours: at their end what still fires is told, and the rest in one digest (all of it in the
digest, for who wants it so). And nobody is shouted at who did not ask for it: without a word from the person or the rule, a
channel carries warnings and what is critical, and no more.

Quiet hours are times of a clock on a wall somewhere. Where that clock is put back or forward they last rather longer than
shorter: they begin at the earlier and end at the later of the moments that a time of day may mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from stockwire.core.rows import Happened, NotificationRow, PersonRow, Preferences, Quiet, RuleKind, RuleRow, Told
from stockwire.core.values import SECOND, moment_datetime

How = Literal["now", "if_firing", "digest", "never"]
"""`if_firing`: at that moment by itself if it still fires then, else in the digest of then; `digest`: in it anyway."""

PUSH: Final = "push"
"""The id under which a person's devices together are a channel."""
_HEARD: Final = ("warning", "critical")
_GRAVITY: Final[Mapping[RuleKind, int]] = {"low_stock": 1, "out_of_stock": 2, "oversold": 3}
"""The conditions of which each is met with the one before it."""
_LASTING: Final = ("pending", "firing")


class Decision(NamedTuple):
    """How something is told, and at which moment."""

    how: How
    at: int


def decide(
    person: PersonRow,
    rule: RuleRow | None,
    notification: NotificationRow,
    happened: Happened,
    channel_id: str,
    moment: int,
) -> Decision:
    """Whether and when the person is told of that by that channel. `rule`: None when it is gone by now."""
    preferences = person.preferences
    if not (concerns(person, rule, notification) and wanted(preferences, rule, notification, channel_id)):
        return Decision("never", moment)
    end = quiet_until(preferences.quiet, moment)
    if end is None:
        return Decision("now", moment)
    lasts = happened != "resolved" and still_fires(notification)
    return Decision("if_firing" if lasts and not preferences.digest else "digest", end)


def concerns(person: PersonRow, rule: RuleRow | None, notification: NotificationRow) -> bool:
    """Whether it is about anything of that person's: a rule over watched orders is met by those that anybody watches."""
    if rule is None or not rule.scope.watched:
        return True
    watched = {f"order/{order_id}" for order_id in person.watched}
    return not watched.isdisjoint({notification.subject, *notification.members})


def wanted(preferences: Preferences, rule: RuleRow | None, notification: NotificationRow, channel_id: str) -> bool:
    """Whether the channel carries what comes of that rule: by the person's word, else the rule's, else by severity."""
    if notification.rule_id in preferences.muted_rules or not preferences.channels.get(channel_id, True):
        return False
    for word in (preferences.rules.get(notification.rule_id), rule):
        if word is not None and word.channels is not None:
            return channel_id in word.channels
    return notification.severity in _HEARD


def outdone(told: Told, others: Iterable[Told]) -> bool:
    """Whether one of the others says more of the same change: what is oversold is out of stock and low as well."""
    occasion, notification = told
    gravity = _GRAVITY.get(notification.kind)
    return (
        gravity is not None
        and occasion.happened == "fired"
        and any(
            other.happened == "fired"
            and other.version == occasion.version
            and _GRAVITY.get(row.kind, 0) > gravity
            and _newest(row) == _newest(notification)
            for other, row in others
        )
    )


def _newest(notification: NotificationRow) -> str:
    return notification.members[0] if notification.members else notification.subject


def still_fires(notification: NotificationRow | None) -> bool:
    """Whether that is going on and nobody has taken it up."""
    return notification is not None and notification.state in _LASTING


def quiet_until(quiet: Quiet | None, moment: int) -> int | None:
    """The moment at which the quiet hours end that this moment lies in; None when it lies in none."""
    if quiet is None:
        return None
    return next((end for start, end in _nights(quiet, moment) if start <= moment < end), None)


def _nights(quiet: Quiet, moment: int) -> Iterator[tuple[int, int]]:
    """The quiet hours that begin on the days around a moment, as moments."""
    zone = ZoneInfo(quiet.timezone)
    begins, ends = time.fromisoformat(quiet.from_), time.fromisoformat(quiet.to)
    today = moment_datetime(moment).astimezone(zone).date()
    for days in (-1, 0):
        day = today + timedelta(days)
        last = day if begins < ends else day + timedelta(1)
        yield min(_meanings(day, begins, zone)), max(_meanings(last, ends, zone))


def _meanings(day: date, at: time, zone: ZoneInfo) -> tuple[int, int]:
    """The moments that a time of day may mean: two where clocks are put back, or forward past it."""
    earlier, later = (int(datetime.combine(day, at.replace(fold=fold), zone).timestamp()) * SECOND for fold in (0, 1))
    return earlier, later
