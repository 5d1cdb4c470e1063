"""The writing side, wired: needed by whichever process owns the data directory, with or without screens to serve.

What leaves the house leaves from there, so the outbox is wired here too, and with it who may be told (`receivers`), which every
process has.
"""

from __future__ import annotations

import random
import secrets
import time

from stockwire.core.events import ShopConfigured
from stockwire.core.telling import Shop
from stockwire.core.values import DAY, HOUR
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.lastweek import LastWeek
from stockwire.engine.outbox import History, Outbox
from stockwire.engine.receivers import Receivers
from stockwire.engine.scribe import Scribe
from stockwire.engine.verifying import Verifier
from stockwire.engine.watch import Watch
from stockwire.log.base import Loaded, Writer
from stockwire.log.deliveries import FILE, Deliveries
from stockwire.settings import Settings
from stockwire.transport.outgoing.apprise import Couriers
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.messenger import Messenger
from stockwire.transport.outgoing.posting import Post
from stockwire.transport.outgoing.ways import Ways


def moment_now() -> int:
    """The wall's clock as a moment."""
    return time.time_ns() // 1_000


def scribe(settings: Settings, log: Writer, loaded: Loaded) -> Scribe:
    """The one that writes into the log."""
    last_week = LastWeek(log, loaded, settings.timezone, settings.currency)
    return Scribe(
        log,
        loaded,
        configuration(settings),
        now=moment_now,
        ticking=settings.clock == "wall",
        retention=settings.retention_days * DAY,
        verifier=Verifier(settings.data_dir, settings.verify_hours * HOUR, loaded, moment_now),
        watch=Watch(loaded, freshness(settings), last_week, moment_now),
    )


def freshness(settings: Settings) -> Freshness:
    """How long each source may be silent."""
    return Freshness(
        Thresholds(settings.source_late_seconds, settings.source_silent_seconds),
        {source: Thresholds(age.late, age.silent) for source, age in settings.sources.items()},
    )


def configuration(settings: Settings) -> ShopConfigured:
    """The settings that folding depends on, as the event that puts them in force."""
    return ShopConfigured(
        timezone=settings.timezone, currency=settings.currency, allowed_minutes=dict(settings.allowed_minutes)
    )


def opened_deliveries(settings: Settings) -> Deliveries:
    """What is sent out, and to whom. Raises StorageFailed or SchemaTooNew."""
    return Deliveries(settings.data_dir / FILE, moment_now)


def receivers(settings: Settings, store: Deliveries) -> Receivers:
    """Who is told outside the page."""
    return Receivers(store, _ways(settings, store), now=moment_now, token=lambda: secrets.token_hex(6))


def messenger(settings: Settings, store: Deliveries) -> Messenger:
    """The way out. Use it inside a running loop, and close it there."""
    post, couriers = Post(Guard(settings.private_receivers)), Couriers(settings.private_receivers)
    return Messenger(post, couriers, _ways(settings, store).identity, now=moment_now)


def shop(settings: Settings) -> Shop:
    """The shop as messages name it."""
    return Shop(settings.shop_name, settings.timezone, settings.own_origins[0])


def outbox(settings: Settings, log: History, store: Deliveries) -> Outbox:
    """The one that tells what the log says is to be told."""
    return Outbox(
        log,
        store,
        messenger(settings, store),
        shop(settings),
        now=moment_now,
        monotonic=time.monotonic,
        chance=random.random,
    )


def _ways(settings: Settings, store: Deliveries) -> Ways:
    return Ways(Guard(settings.private_receivers), store, settings.push_contact)
