"""What is sent out, durably: `deliveries.db`, with the channels, the browsers that take pushes, and every delivery.

    waiting --begin--> sending --finish--> sent, dead, or waiting again       held --ripe--> waiting, or digested

A file of its own, because several processes write it: whoever answers requests puts channels in and asks for tests and
retries, the writing process alone sends. The file is where they meet.

Three rules. Occasions are told once: a delivery is keyed by its occasion, person and receiver, and is kept in one transaction
with how far the log was read. A try is written down before it begins and its outcome when the other side has answered, so after
a restart only what has no outcome is tried again, under the same id. And addresses and secrets are here alone; what shows a
channel shows dots.

Nothing grows without a bound: each receiver has at most `WAITING_MOST` deliveries before it (the oldest beyond go to the dead
letters), and what is over is forgotten after a while.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from stockwire.core.errors import Invalid, NotFound
from stockwire.core.preferences import PUSH
from stockwire.core.retrying import Outcome, Verdict
from stockwire.core.rows import Happened
from stockwire.core.telling import Language, Said
from stockwire.core.values import DAY, HOUR
from stockwire.log import database

FILE: Final = "deliveries.db"
WAITING_MOST: Final = 1_000
"""Deliveries that may wait for one receiver."""
CHANNELS_MOST: Final = 200
SUBSCRIPTIONS_MOST: Final = 200
KEPT: Final = 7 * DAY
DEAD_KEPT: Final = 30 * DAY
FINISHED_MOST: Final = 20_000
LATEST: Final = 26 * HOUR
"""Nothing is ever due later than this from now: a day with its clock put back, and some."""
DOTS: Final = "••••"

_SQL: Final = database.statements("deliveries")

Kind = Literal["webhook", "apprise"]
State = Literal["waiting", "held", "sending", "sent", "dead", "digested", "dropped"]
HeldFor = Literal["if_firing", "digest"]

SERVICES: Final = {
    "mailto": "email", "mailtos": "email", "slack": "slack", "workflow": "teams",
    "workflows": "teams", "tgram": "telegram", "ntfy": "ntfy", "ntfys": "ntfy", "sns": "sns", "wxteams": "webex",
}  # fmt: skip
"""What people call the schemes of Apprise."""


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver that somebody set up: a webhook's address, or one of Apprise. `note`: why it was turned off by itself."""

    channel_id: str
    kind: Kind
    name: str
    person: str
    address: str
    secret: str | None
    language: Language
    enabled: bool
    note: str | None
    created_at: int
    last_sent_at: int | None = None
    last_error: str | None = None

    @property
    def service(self) -> str:
        """What it leads to, as people call it."""
        scheme = self.address.partition(":")[0]
        return "webhook" if self.kind == "webhook" else SERVICES.get(scheme, scheme.rstrip("s"))

    @property
    def shown(self) -> str:
        """The address without what nobody need see: a token may stand in any part of it."""
        scheme, _, rest = self.address.partition("://")
        if self.kind == "webhook":
            return f"{scheme}://{urlsplit(self.address).netloc}/{DOTS}"
        if self.service == "email":
            place = rest.partition("?")[0].rpartition("@")[2]
            return f"{scheme}://{DOTS}@{place.partition('/')[0].partition(':')[0]}"
        return f"{scheme}://{DOTS}"

    def __repr__(self) -> str:
        return f"Channel({self.channel_id}, {self.name!r}, {self.shown})"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that takes pushes. Its endpoint is a secret: whoever has it may try to send there."""

    subscription_id: str
    person: str
    endpoint: str
    p256dh: bytes
    auth: bytes
    language: Language
    device: str
    created_at: int
    last_sent_at: int | None = None
    last_error: str | None = None

    @property
    def service(self) -> str:
        """The host of the push service."""
        return urlsplit(self.endpoint).netloc

    def __repr__(self) -> str:
        return f"Subscription({self.subscription_id}, {self.device!r}, {self.service})"


def subscription_id(endpoint: str) -> str:
    """What a subscription is called: its page can tell, nobody else can tell the endpoint from it."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is to be. `entry` is the notification as it was then, in JSON; `held_for`: it waits for the end of
    quiet hours, to be told by itself if it still fires, or in the digest anyway."""

    key: str
    receiver: str
    channel_id: str
    person: str
    happened: Said
    notification_id: str | None
    entry: bytes | None
    at: int
    due_at: int
    held_for: HeldFor | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told by one receiver, and how far that is."""

    delivery_id: int
    key: str
    receiver: str
    channel_id: str
    person: str
    happened: Said
    notification_id: str | None
    entry: bytes | None
    at: int
    state: State
    due_at: int
    attempts: int
    error: str | None
    created_at: int
    finished_at: int | None


class Ripe(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose quiet hours are over."""

    delivery_id: int
    receiver: str
    channel_id: str
    person: str
    notification_id: str
    entry: bytes
    held_for: HeldFor
    happened: Happened


class Deliveries:
    """The store at `path`, made when it is not there. Safe to use from several threads, and several processes.

    Raises StorageFailed or SchemaTooNew. `now` gives the wall's clock, a moment.
    """

    def __init__(self, path: Path, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._connection = database.open_writing(path, checkpoint_pages=200)
        try:
            path.chmod(0o600)
            database.migrate(self._connection, "deliveries_migrations", now())
        except BaseException:
            self._connection.close(True)
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _run(self, name: str, *values: Any) -> list[Any]:
        with self._lock, database.storage_errors():
            return list(self._connection.execute(_SQL[name], values))

    def _changed(self, name: str, *values: Any) -> int:
        """How many rows a statement changed."""
        with self._lock, database.storage_errors():
            self._connection.execute(_SQL[name], values)
            return self._connection.changes()

    @property
    def revision(self) -> tuple[int, int]:
        """Another value whenever something was written, by whichever process. Costs no look at any row."""
        with self._lock, database.storage_errors():
            return self._connection.pragma("data_version"), self._connection.total_changes()

    # Channels

    def channels(self) -> list[Channel]:
        """Every channel, oldest first."""
        return [_channel(row) for row in self._run("channels")]

    def channel(self, channel_id: str) -> Channel:
        """One channel. Raises NotFound."""
        for row in self._run("channel", channel_id):
            return _channel(row)
        raise NotFound("there is no channel of that id")

    def put_channel(self, channel: Channel) -> None:
        """Keep a channel, new or changed. One that is turned off has nothing to come. Raises Invalid when there are too many."""
        if len([each for each in self.channels() if each.channel_id != channel.channel_id]) >= CHANNELS_MOST:
            raise Invalid(f"there are {CHANNELS_MOST} channels already; remove one first")
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            self._connection.execute(_SQL["put_channel"], _values(channel))
            if not channel.enabled:
                self._connection.execute(_SQL["drop_of_receiver"], (channel.channel_id, self._now()))

    def remove_channel(self, channel_id: str) -> None:
        """Forget a channel and all that was sent by it. Raises NotFound."""
        self.channel(channel_id)
        self._remove("remove_channel", channel_id)

    def _remove(self, statement: str, receiver: str) -> None:
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            self._connection.execute(_SQL[statement], (receiver,))
            self._connection.execute(_SQL["remove_of_receiver"], (receiver,))

    # Browsers

    def subscriptions(self) -> list[Subscription]:
        """Every browser that takes pushes, oldest first."""
        return [_subscription(row) for row in self._run("subscriptions")]

    def subscription(self, subscription_id: str) -> Subscription:
        """One browser. Raises NotFound."""
        for row in self._run("subscription", subscription_id):
            return _subscription(row)
        raise NotFound("there is no subscription of that id")

    def put_subscription(self, subscription: Subscription) -> None:
        """Keep a browser; it replaces itself. Raises Invalid when there are too many."""
        others = [each for each in self.subscriptions() if each.subscription_id != subscription.subscription_id]
        if len(others) >= SUBSCRIPTIONS_MOST:
            raise Invalid(f"{SUBSCRIPTIONS_MOST} browsers take pushes already; remove one first")
        self._run("put_subscription", *_values(subscription))

    def remove_subscription(self, subscription_id: str) -> None:
        """Send to that browser no more. Raises NotFound."""
        self.subscription(subscription_id)
        self._remove("remove_subscription", subscription_id)

    def push_key(self, make: Callable[[], bytes]) -> bytes:
        """The private key by which push services know this server; made once."""
        for (kept,) in self._run("fact", "push_key"):
            return bytes(kept)
        self._run("keep_fact", "push_key", make())
        return bytes(self._run("fact", "push_key")[0][0])

    # What is to be told

    def adopt(self, epoch: str, version: int) -> int:
        """Begin to tell of that history; gives the version up to which it is told already.

        One that is another than before is told from now on, and what waited from the one before is dropped.
        """
        known = {name: self._run("fact", name) for name in ("epoch", "expanded_through")}
        if known["epoch"] and known["epoch"][0][0] == epoch:
            return int(known["expanded_through"][0][0])
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            for (receiver,) in list(self._connection.execute("SELECT DISTINCT receiver FROM deliveries")):
                self._connection.execute(_SQL["drop_of_receiver"], (receiver, self._now()))
            self._connection.execute(_SQL["set_fact"], ("epoch", epoch))
            self._connection.execute(_SQL["set_fact"], ("expanded_through", version))
        return version

    def expand(self, planned: Sequence[Planned], through: int) -> None:
        """Keep the deliveries of all occasions up to that version, and that they are kept: all or nothing."""
        now = self._now()
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            for each in planned:
                self._add(each, now)
            for receiver in {each.receiver for each in planned}:
                told = "too many others waited for this receiver"
                self._connection.execute(_SQL["bury_surplus"], (receiver, WAITING_MOST, told, now))
            self._connection.execute(_SQL["set_fact"], ("expanded_through", through))

    def _add(self, each: Planned, now: int) -> None:
        state = "held" if each.held_for else "waiting"
        self._connection.execute(
            _SQL["add_delivery"],
            (
                each.key, each.receiver, each.channel_id, each.person, each.happened, each.notification_id, each.entry,
                each.at, state, each.held_for, each.due_at, now,
            ),
        )  # fmt: skip

    def add(self, planned: Planned) -> Delivery:
        """Keep one delivery that no occasion asked for: a test."""
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            self._add(planned, self._now())
            delivery_id = self._connection.last_insert_rowid()
        return self.delivery(delivery_id)

    # Quiet hours that end

    def ripe(self) -> list[Ripe]:
        """What was held until now, by receiver and in order."""
        names = ("delivery_id", "receiver", "channel_id", "person", "notification_id", "entry", "held_for", "happened")
        return [Ripe(**dict(zip(names, row, strict=True))) for row in self._run("ripe", self._now())]

    def wake(self, releases: Iterable[int], digests: Iterable[tuple[Planned, Sequence[tuple[int, bytes]]]]) -> None:
        """Let those go by themselves, and these in a digest each (with every entry as it stands now): all or nothing."""
        now = self._now()
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            for delivery_id in releases:
                self._connection.execute(_SQL["release"], (delivery_id,))
            for digest, entries in digests:
                self._add(digest, now)
                for delivery_id, entry in entries:
                    self._connection.execute(_SQL["put_into_digest"], (delivery_id, digest.key, entry, now))

    def of_digest(self, key: str, most: int) -> tuple[list[tuple[bytes, Happened]], int]:
        """The first entries of a digest, and how many it has."""
        return [(bytes(entry), happened) for entry, happened in self._run("of_digest", key, most)], int(
            self._run("count_of_digest", key)[0][0]
        )

    # Sending

    def take_up_again(self) -> int:
        """At a start: whatever was being sent has no outcome, and is tried again. Gives how many those are."""
        return self._changed("take_up_again", self._now())

    def recall(self) -> None:
        """Have what is due unreasonably late be due now: the clock was put back."""
        now = self._now()
        self._run("recall", now, now + LATEST)

    def due(self) -> list[tuple[int, str]]:
        """What is to be sent now, as ids and receivers: one at most for each receiver."""
        now = self._now()
        return [(delivery_id, receiver) for delivery_id, receiver, _ in self._run("due", now, now + LATEST)]

    def begin(self, delivery_id: int) -> Delivery | None:
        """Write down that a try begins; None when there is nothing to send any more."""
        if not self._changed("begin", delivery_id):
            return None
        return self.delivery(delivery_id)

    def finish(self, delivery: Delivery, outcome: Outcome, verdict: Verdict, pause: int) -> None:
        """Write down how a try ended. `pause`: until when the receiver is left alone (0: it is not).

        A receiver that is gone is let go: a browser is forgotten, a channel turned off with a note.
        """
        now = self._now()
        finished = None if verdict.state == "waiting" else now
        error = None if verdict.state == "sent" else outcome.detail
        noun = "subscription" if delivery.channel_id == PUSH else "channel"
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            run = self._connection.execute
            run(_SQL["finish"], (delivery.delivery_id, verdict.state, verdict.at, error, finished))
            if verdict.state == "sent":
                run(_SQL[f"note_{noun}_sent"], (delivery.receiver, now))
            else:
                run(_SQL[f"note_{noun}_failed"], (delivery.receiver, error))
            if pause:
                run(_SQL["pause"], (delivery.receiver, pause))
            if outcome.kind == "gone":
                self._let_go(delivery.receiver, noun, outcome.detail, now)

    def _let_go(self, receiver: str, noun: str, detail: str, now: int) -> None:
        if noun == "subscription":
            self._connection.execute(_SQL["remove_subscription"], (receiver,))
        else:
            self._connection.execute(_SQL["turn_off_channel"], (receiver, f"turned off: the receiver {detail}"))
        self._connection.execute(_SQL["drop_of_receiver"], (receiver, now))

    def retry(self, delivery_id: int) -> Delivery:
        """Have a dead letter tried anew. Raises NotFound, or Invalid when it is none or its channel is turned off."""
        delivery = self.delivery(delivery_id)
        if delivery.channel_id != PUSH and not self.channel(delivery.receiver).enabled:
            raise Invalid("its channel is turned off; turn it on first")
        if not self._changed("retry", delivery_id, self._now()):
            raise Invalid(f"only a dead letter is tried again; this delivery is `{delivery.state}`")
        return self.delivery(delivery_id)

    # Looking

    def delivery(self, delivery_id: int) -> Delivery:
        """One delivery. Raises NotFound."""
        for row in self._run("delivery", delivery_id):
            return _delivery(row)
        raise NotFound("there is no delivery of that id")

    def deliveries(self, state: State | None = None, limit: int = 100) -> list[Delivery]:
        """The newest deliveries first, of one state or of all."""
        rows = self._run("deliveries", limit) if state is None else self._run("deliveries_in", state, limit)
        return [_delivery(row) for row in rows]

    def counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries each receiver has in the states that are not fine yet: by receiver and state."""
        return {(receiver, state): count for receiver, state, count in self._run("counts")}

    def tidy(self) -> None:
        """Forget what is over for long."""
        now = self._now()
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            for name, value in (
                ("forget_finished", now - KEPT), ("forget_dead", now - DEAD_KEPT), ("forget_surplus", FINISHED_MOST),
                ("forget_pauses", now),
            ):  # fmt: skip
                self._connection.execute(_SQL[name], (value,))


def _values(row: msgspec.Struct) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.__struct_fields__)


def _channel(row: Sequence[Any]) -> Channel:
    values = dict(zip(Channel.__struct_fields__, row, strict=True))
    return Channel(**{**values, "enabled": bool(values["enabled"])})


def _subscription(row: Sequence[Any]) -> Subscription:
    return Subscription(**dict(zip(Subscription.__struct_fields__, row, strict=True)))


def _delivery(row: Sequence[Any]) -> Delivery:
    return Delivery(**dict(zip(Delivery.__struct_fields__, row, strict=True)))
