"""The writing side, wired: needed by whichever process owns the data directory, with or without screens to serve."""

from __future__ import annotations

import time

from stockwire.core.events import ShopConfigured
from stockwire.core.values import DAY, HOUR
from stockwire.engine.scribe import Scribe
from stockwire.engine.verifying import Verifier
from stockwire.log.base import Loaded, Writer
from stockwire.settings import Settings


def moment_now() -> int:
    """The wall's clock as a moment."""
    return time.time_ns() // 1_000


def scribe(settings: Settings, log: Writer, loaded: Loaded) -> Scribe:
    """The one that writes into the log."""
    return Scribe(
        log,
        loaded,
        configuration(settings),
        now=moment_now,
        ticking=settings.clock == "wall",
        retention=settings.retention_days * DAY,
        verifier=Verifier(settings.data_dir, settings.verify_hours * HOUR, loaded, moment_now),
    )


def configuration(settings: Settings) -> ShopConfigured:
    """The settings that folding depends on, as the event that puts them in force."""
    return ShopConfigured(
        timezone=settings.timezone, currency=settings.currency, allowed_minutes=dict(settings.allowed_minutes)
    )
