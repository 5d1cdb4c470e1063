"""What Stockwire itself writes of the shop as a whole."""

from __future__ import annotations

from typing import Final

from stockwire.core.events.data import Currency, Data


class ShopConfigured(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: the settings that folding depends on, in force from here on. `allowed_minutes`: per status, how long
    an order may stay there before it is late."""

    type = "shop.configured"
    timezone: str
    currency: Currency
    allowed_minutes: dict[str, int]


class ClockTicked(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: time passed. Written about once a minute when the shop's clock is the wall's, so that what depends
    on time (late orders, "today") changes by an event and replays the same."""

    type = "clock.ticked"


class LogVerified(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: the first `events` of the log were folded again, and so many stored rows differed from the outcome."""

    type = "log.verified"
    events: int
    differences: int


KINDS: Final[tuple[type[Data], ...]] = (ShopConfigured, ClockTicked, LogVerified)
