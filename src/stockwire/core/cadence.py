"""Cadence: how often a subscriber is due, and why (spec/protocol.md section 6).

The effective interval is the slowest of what the person wishes, what a view asks for and what the server allows. Times
are seconds of any monotonic clock; intervals are milliseconds as on the wire; 0 is live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast, get_args

import msgspec

from stockwire.core.errors import Invalid

Why = Literal["chosen", "hidden", "metered", "slow", "battery", "server"]
INTERVAL_MOST: Final = 3_600_000
TICK: Final = 5.0
"""Seconds between ticks at most when versions move but nothing of a connection's views does."""


class Pace(msgspec.Struct, frozen=True):
    """How a connection wants to be served."""

    interval: int = 0
    paused: bool = False
    reason: Why = "chosen"

    def at_least(self, interval: int) -> Pace:
        """The effective pace where the server allows no less than `interval` milliseconds."""
        return self if self.interval >= interval else Pace(interval, self.paused, "server")

    def seconds(self, interval: int = 0) -> float:
        """The seconds between two deltas of a view that itself asks for `interval`."""
        return max(self.interval, interval) / 1_000


LIVE: Final = Pace()


def parse_interval(value: object) -> int:
    """An interval in milliseconds from a frame or a query. Raises Invalid."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= INTERVAL_MOST:
        raise Invalid(f"`interval` is milliseconds, 0 to {INTERVAL_MOST}")
    return value


def parse_pace(raw: Mapping[str, Any]) -> Pace:
    """The pace a frame or a query asks for. Raises Invalid."""
    paused = raw.get("paused", False)
    if paused in ("true", "false"):
        paused = paused == "true"
    if not isinstance(paused, bool):
        raise Invalid("`paused` is true or false")
    reason = raw.get("reason", "chosen")
    if reason not in get_args(Why):
        raise Invalid(f"`reason` is one of {' '.join(get_args(Why))}")
    return Pace(parse_interval(raw.get("interval", 0)), paused, cast(Why, reason))
