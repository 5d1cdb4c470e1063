"""Rules: what each kind of rule looks at, what it needs, and those that a shop has from the start.

A rule is of a *condition*, which lasts (a product is out of stock) or of a *fact*, which is over when it happened (an order
was placed). What its numbers mean, its kind says:

    out_of_stock, low_stock   available is at most `threshold` (0; the product's reorder point); over by more than `clear` beyond
    oversold                  available is below zero, by `threshold` at least
    back_in_stock *           available came above `threshold` (0)
    large_movement *          stock on hand moved by `threshold` at least, but not with an order
    order_stuck               an order has used up `threshold` per cent of its time: 80 (at risk) or 100 (late)
    order_status *            an order came to one of the scope's statuses
    large_order *             an order of a total of `threshold` at least was placed
    rate_spike, metric        a metric is above or below `threshold`, or by as many per cent above, below or changed `against`
                              the period before or the same time last week
    source_silent             a source has not been heard of for as long as the settings allow
    drift                     a verification found rows that differ from what the events say
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from stockwire.core.errors import Invalid
from stockwire.core.events import RuleDefined
from stockwire.core.lifecycle import STATUSES
from stockwire.core.projections.hindsight import is_kept
from stockwire.core.rows import Reach, RuleKind, RuleRow
from stockwire.core.values import MONEY_SCALE

RULES_MOST: Final = 10_000
"""Rules a shop may have."""
FACTS: Final[frozenset[RuleKind]] = frozenset({"back_in_stock", "large_movement", "order_status", "large_order"})
OBSERVED: Final[frozenset[RuleKind]] = frozenset({"rate_spike", "metric", "source_silent"})
"""What folding cannot see by itself: `rule.observed` tells it."""
RATES: Final = ("cancellation_rate", "return_rate")
_PLACED: Final = frozenset({"out_of_stock", "low_stock", "oversold", "back_in_stock", "large_movement"})
_OF_ORDERS: Final = frozenset({"order_stuck", "order_status", "large_order"})
_NEEDED: Final = frozenset({"large_movement", "large_order", "rate_spike", "metric"})
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_CHANNELS_MOST: Final = 20
_REACH: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(_PLACED, frozenset({"location", "sku"})),
    "order_stuck": frozenset({"location", "sku", "statuses", "watched", "source", "channel"}),
    "order_status": frozenset({"location", "sku", "statuses", "watched", "source", "channel"}),
    "large_order": frozenset({"location", "sku", "source", "channel", "currency"}),
    "source_silent": frozenset({"source"}),
}


def _threshold(number: int) -> int:
    return number * MONEY_SCALE


_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def _built_in(rule_id: str, kind: RuleKind, name: str, **more: object) -> RuleRow:
    settled = {"version": 0, "rule_id": rule_id, "kind": kind, "name": name, "built_in": True, **more}
    return msgspec.convert(settled, RuleRow)


BUILT_IN: Final[tuple[RuleRow, ...]] = (
    _built_in("default-oversold", "oversold", "Oversold", severity="critical", group_by="location",
              cooldown_seconds=4 * _HOUR),
    _built_in("default-out-of-stock", "out_of_stock", "Out of stock", group_by="location", cooldown_seconds=_DAY),
    _built_in("default-low-stock", "low_stock", "Low stock", severity="info", group_by="location",
              clear=_threshold(1), cooldown_seconds=_DAY),
    _built_in("default-back-in-stock", "back_in_stock", "Back in stock", severity="info", group_by="location",
              cooldown_seconds=_DAY),
    _built_in("default-large-movement", "large_movement", "Large movement or correction", severity="info",
              threshold=_threshold(500), group_by="location", cooldown_seconds=4 * _HOUR),
    _built_in("default-order-late", "order_stuck", "Orders late", group_by="location", threshold=_threshold(100),
              cooldown_seconds=4 * _HOUR),
    _built_in("default-order-at-risk", "order_stuck", "Orders at risk", severity="info", enabled=False,
              group_by="location", threshold=_threshold(80), cooldown_seconds=4 * _HOUR),
    _built_in("default-watched-orders", "order_status", "Watched orders", severity="info", scope={"watched": True}),
    _built_in("default-large-order", "large_order", "Large order", severity="info", enabled=False,
              threshold=_threshold(1_000), group_by="location", cooldown_seconds=_HOUR),
    _built_in("default-cancellations", "rate_spike", "Many cancellations", metric="cancellation_rate",
              period="today", comparison="above", threshold=_threshold(20), clear=_threshold(5),
              for_seconds=30 * _MINUTE, cooldown_seconds=_DAY),
    _built_in("default-returns", "rate_spike", "Many returns", metric="return_rate", period="today",
              comparison="above", threshold=_threshold(20), clear=_threshold(5), for_seconds=30 * _MINUTE,
              cooldown_seconds=_DAY),
    _built_in("default-sales-changed", "metric", "Sales unlike the week before", severity="info", enabled=False,
              metric="gross_sales", period="last_7_days", comparison="changed", threshold=_threshold(30),
              clear=_threshold(5), for_seconds=_HOUR, cooldown_seconds=_DAY),
    _built_in("default-source-silent", "source_silent", "Source silent", cooldown_seconds=_HOUR),
    _built_in("default-drift", "drift", "Drift found by verification", severity="critical"),
)  # fmt: skip
"""The rules of a fresh log. They must not shout: what comes in crowds is told by the place, and not again at once."""


def rule_of(data: RuleDefined, before: RuleRow | None, version: int, at: int) -> RuleRow:
    """The rule an event defines, in the place of `before`."""
    return RuleRow(
        version=version, rule_id=data.rule_id, kind=data.kind, name=data.name, enabled=data.enabled,
        severity=data.severity, scope=data.scope, threshold=_plain(data.threshold), clear=_plain(data.clear),
        metric=data.metric, period=data.period, comparison=data.comparison, against=data.against, for_seconds=data.for_seconds,
        keep_seconds=data.keep_seconds, cooldown_seconds=data.cooldown_seconds, group_by=data.group_by,
        channels=None if isinstance(data.channels, str) else data.channels,
        built_in=before is not None and before.built_in, revision=1 if before is None else before.revision + 1,
        updated_by=data.by, updated_at=at,
    )  # fmt: skip


def _plain(number: int | None) -> int | None:
    return None if number is None else int(number)


def check_rule(rule: RuleRow, metrics: frozenset[tuple[str, str]]) -> None:
    """Whether somebody may have that rule. `metrics` names those there are, each with its periods. Raises Invalid."""
    if _ID.fullmatch(rule.rule_id) is None:
        raise Invalid("`rule_id` is 1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first")
    if rule.kind in _NEEDED and rule.threshold is None:
        raise Invalid(f"`threshold` is needed in a rule of kind `{rule.kind}`")
    if rule.kind in ("large_movement", "large_order") and (rule.threshold or 0) <= 0:
        raise Invalid("`threshold` must be above 0")
    if rule.clear is not None and rule.clear < 0:
        raise Invalid("`clear` is how far back it must go, so not below 0")
    if rule.kind == "order_stuck" and rule.threshold not in (None, 80 * MONEY_SCALE, 100 * MONEY_SCALE):
        raise Invalid("`threshold` is 80 (at risk) or 100 (late) here")
    if len(rule.channels or ()) > _CHANNELS_MOST:
        raise Invalid(f"a rule has at most {_CHANNELS_MOST} channels")
    if rule.group_by == "location" and rule.kind not in _PLACED | _OF_ORDERS:
        raise Invalid(f"what a rule of kind `{rule.kind}` looks at has no location to group by")
    _check_reach(rule.kind, rule.scope)
    _check_metric(rule, metrics)


def _check_reach(kind: RuleKind, scope: Reach) -> None:
    allowed = _REACH.get(kind, frozenset())
    for name in Reach.__struct_fields__:
        if getattr(scope, name) not in (None, (), False) and name not in allowed:
            raise Invalid(f"`scope.{name}` has no meaning in a rule of kind `{kind}`")
    for status in scope.statuses:
        if status not in STATUSES:
            raise Invalid(f"`scope.statuses`: there is no status `{status[:40]}`")


def _check_metric(rule: RuleRow, metrics: frozenset[tuple[str, str]]) -> None:
    if rule.kind not in ("metric", "rate_spike"):
        if (rule.metric, rule.period, rule.comparison, rule.against) != (None, None, None, None):
            raise Invalid(
                f"`metric`, `period`, `comparison` and `against` have no meaning in a rule of kind `{rule.kind}`"
            )
        return
    if rule.metric is None or rule.period is None or (rule.metric, rule.period) not in metrics:
        raise Invalid("`metric` and `period` must name one of the metrics")
    if rule.comparison is None:
        raise Invalid("`comparison` must be above, below or changed")
    if rule.kind == "rate_spike" and (rule.metric not in RATES or rule.comparison != "above"):
        raise Invalid(f"a rate_spike looks whether {' or '.join(RATES)} is above the threshold")
    _check_against(rule, rule.metric, rule.period)


def _check_against(rule: RuleRow, metric: str, period: str) -> None:
    if rule.kind == "rate_spike" and rule.against is not None:
        raise Invalid("`against` has no meaning in a rule of kind `rate_spike`")
    if rule.baseline == "period_before" and period == "now":
        raise Invalid("`period` now has no period before it to be compared with")
    if rule.baseline == "week_before" and not is_kept(metric, period):
        raise Invalid(f"nothing is kept of what `{metric}` was last week; `against` must be left out")
    if rule.baseline is not None and (rule.threshold or 0) <= 0:
        raise Invalid("`threshold` is by how many per cent it must differ, so above 0")
