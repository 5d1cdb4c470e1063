"""What is done about rules, notifications and a person's own. All of it is internal: it comes by its own ways of the API."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from stockwire.core.events.data import Data, Name, Text, check_moment
from stockwire.core.rows import Against, Comparison, GroupBy, Preferences, Reach, RuleKind, Severity
from stockwire.core.values import Money

NotificationId = Annotated[str, Meta(min_length=1, max_length=1000)]
Seconds = Annotated[int, Meta(ge=0, le=31 * 86_400)]


class RuleDefined(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a rule is in force from here on, in the place of any of the same id. `threshold` and `clear` are exact,
    with at most 4 decimals; what they are of, the kind says (core/rules.py). `revises`: only when the rule is still at that
    revision; else it was changed meanwhile, and nothing happens."""

    type = "rule.defined"
    rule_id: Name
    by: Name
    kind: RuleKind
    name: Name
    enabled: bool = True
    severity: Severity = "warning"
    scope: Reach = Reach()
    threshold: Money | None = None
    clear: Money | None = None
    metric: Name | None = None
    period: Name | None = None
    comparison: Comparison | None = None
    against: Against | None = None
    for_seconds: Seconds = 0
    keep_seconds: Seconds = 0
    cooldown_seconds: Seconds = 0
    group_by: GroupBy = "none"
    revises: int | None = None
    channels: tuple[Name, ...] | Literal["default"] = "default"

    @property
    def subject(self) -> str:
        return f"rule/{self.rule_id}"


class RuleRemoved(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a rule is in force no more."""

    type = "rule.removed"
    rule_id: Name
    by: Name

    @property
    def subject(self) -> str:
        return f"rule/{self.rule_id}"


class RuleObserved(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: what a rule looks at is so from here on, or no more. For what folding cannot see by itself: metrics, which
    are worked out once a batch, and the silence of a source. Written only when `met` turns."""

    type = "rule.observed"
    rule_id: Name
    about: Name
    met: bool
    value: Text | None = None
    previous: Text | None = None

    @property
    def subject(self) -> str:
        return f"rule/{self.rule_id}"


class NotificationData(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: what somebody did with a notification."""

    notification_id: NotificationId
    by: Name

    @property
    def subject(self) -> str:
        return f"notification/{self.notification_id}"


class NotificationAcknowledged(NotificationData, frozen=True, kw_only=True, omit_defaults=True,
                               forbid_unknown_fields=True):  # fmt: skip
    """Internal: somebody sees to it."""

    type = "notification.acknowledged"


class NotificationSnoozed(NotificationData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: it is not to be heard of until then (by the shop's clock)."""

    type = "notification.snoozed"
    until: str

    def check(self) -> None:
        check_moment("until", self.until)


class NotificationResolved(NotificationData, frozen=True, kw_only=True, omit_defaults=True,
                           forbid_unknown_fields=True):  # fmt: skip
    """Internal: somebody says that it is over."""

    type = "notification.resolved"


class PersonData(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: what a person did for themself."""

    person: Name

    @property
    def subject(self) -> str:
        return f"person/{self.person}"


class NotificationRead(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person has read all that fired up to a version, or those by these ids."""

    type = "notification.read"
    through: int | None = None
    ids: Annotated[tuple[NotificationId, ...], Meta(max_length=500)] = ()


class PersonPreferred(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: how a person wants to be told, in the place of all they wanted before."""

    type = "person.preferred"
    preferences: Preferences


class OrderWatched(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person watches an order."""

    type = "order.watched"
    order_id: Name


class OrderUnwatched(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person watches an order no more."""

    type = "order.unwatched"
    order_id: Name


class ViewKept(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person keeps a view of a screen by a name; without a `query` no more."""

    type = "view.kept"
    screen: Name
    name: Name
    query: Text | None = None


KINDS: Final[tuple[type[Data], ...]] = (
    RuleDefined, RuleRemoved, RuleObserved, NotificationAcknowledged, NotificationSnoozed, NotificationResolved,
    NotificationRead, PersonPreferred, OrderWatched, OrderUnwatched, ViewKept,
)  # fmt: skip
