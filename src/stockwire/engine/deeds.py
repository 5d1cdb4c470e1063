"""Deeds: what people do about rules, notifications and their own, as the events that say so."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from stockwire.core.events import INTERNAL_SOURCE, Event, RuleDefined, parse_event
from stockwire.core.rows import MetricRow, RuleRow
from stockwire.core.rules import check_rule, rule_of
from stockwire.core.values import moment_text


def deed(type_: str, at: int, **data: Any) -> Event:
    """What somebody does at that moment of the shop's clock; what is None is left out. Raises Invalid."""
    told = {name: value for name, value in data.items() if value is not None}
    envelope = {
        "id": secrets.token_hex(12), "source": INTERNAL_SOURCE, "type": type_, "time": moment_text(at), "data": told,
    }  # fmt: skip
    return parse_event(envelope, internal=True)


def defining(definition: Mapping[str, Any], rule_id: str, by: str, at: int, metrics: Iterable[MetricRow]) -> Event:
    """The event that defines a rule, which is looked at closely. `metrics`: those there are. Raises Invalid."""
    event = deed(RuleDefined.type, at, **{**definition, "rule_id": rule_id, "by": by})
    check_rule(rule_in(event), frozenset((row.metric, row.period) for row in metrics))
    return event


def rule_in(event: Event) -> RuleRow:
    """The rule that an event of `defining` defines."""
    assert isinstance(event.data, RuleDefined)
    return rule_of(event.data, None, 0, event.time)


def new_id(kind: str) -> str:
    """An id for a rule that was given none."""
    return f"{kind.replace('_', '-')}-{secrets.token_hex(3)}"
