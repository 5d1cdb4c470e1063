"""The outbox: tells outside the page what the log says is to be told. In the writing process alone.

    occasions of the log --expand--> deliveries, by each person's preferences --due--> a try --> its outcome

What is to be sent is a row on disk before it is sent, and the log is read on from where those rows end, so a restart in any state
loses nothing. What a restart may do twice is a try whose answer was not written down yet: it goes out under the same id and tag
again, by which a receiver shows it once.

Three rules. In memory there is no queue: what waits is in the file, and the few tries under way are all there is. A receiver has
one try under way at most and a pause after it, so that what came first is told first, and one that hangs holds up nobody else. And
nothing here hangs on the length of a wait: moments are read from the wall's clock each time, and when that was put back, what
would come too late comes now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from stockwire.core import telling
from stockwire.core.errors import NotFound, StockwireError, StorageFailed
from stockwire.core.preferences import PUSH, decide, outdone, still_fires
from stockwire.core.retrying import Outcome, asked_to_wait, verdict
from stockwire.core.rows import NotificationRow, PersonRow, RuleRow, Told
from stockwire.core.telling import NAMED, Message, Shop, message_id
from stockwire.core.values import MINUTE
from stockwire.core.wire import show_row
from stockwire.log.deliveries import Channel, Deliveries, Delivery, Planned, Ripe, Subscription

LOOK_EVERY: Final = 0.25
"""Seconds between two looks at what is due, when nothing else says so."""
UNDER_WAY: Final = 8
"""Tries at the same time, over all receivers."""
OCCASIONS: Final = 500
"""Occasions that are expanded in one transaction, about."""
IMPORTED: Final = 15 * MINUTE
"""What had happened this long before it was recorded is history, and nobody is called because of it."""
LEAVE_WITHIN: Final = 5.0
"""Seconds that tries under way have to end when the server stops."""
TIDY_EVERY: Final = 3_600.0
_WRITE_AGAIN: Final = 1.0
_PAUSES: Final[Mapping[str, float]] = {"webhook": 0.1, "apprise": 1.0, "push": 0.1}
"""Seconds between two tries by one receiver: what chats take, and no more than a receiver of ours can."""

_log = logging.getLogger("stockwire")


class History(Protocol):
    """What the outbox asks the log."""

    @property
    def epoch(self) -> str: ...
    @property
    def version(self) -> int: ...

    def occasions(self, after: int, limit: int) -> list[Told]: ...
    def rows(self, table: Literal["rules", "people", "notifications"]) -> Iterable[tuple[Any, Any]]: ...


class Messenger(Protocol):
    """The way out. None of these raises for what the other side does."""

    async def by_channel(self, channel: Channel, message: Message) -> Outcome: ...
    async def by_push(self, subscription: Subscription, message: Message) -> Outcome: ...
    async def close(self) -> None: ...


class Receiver(NamedTuple):
    """Where a delivery goes: a channel, or one browser of a person."""

    name: str
    channel_id: str
    person: str


class Outbox:
    """Tells of `log` what `store` has receivers for. `monotonic` gives seconds, `chance` a number from 0 up to 1."""

    def __init__(
        self,
        log: History,
        store: Deliveries,
        messenger: Messenger,
        shop: Shop,
        *,
        now: Callable[[], int],
        monotonic: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._log = log
        self._store = store
        self._messenger = messenger
        self._shop = shop
        self._now = now
        self._monotonic = monotonic
        self._chance = chance
        self._through: int | None = None
        self._seen = 0
        self._free_at: dict[str, float] = {}
        self._tries: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._tidied = monotonic()

    async def start(self) -> None:
        """Take up what was left, and go on by itself until `stop`. Raises StorageFailed."""
        await self.open()
        self._running = asyncio.create_task(self._run())

    async def open(self) -> None:
        """Take up what was left. Raises StorageFailed."""
        left = await asyncio.to_thread(self._store.take_up_again)
        if left:
            _log.info("%d messages were being sent when the server ended; they are sent again under the same ids", left)
        self._through = await asyncio.to_thread(self._store.adopt, self._log.epoch, self._log.version)

    async def stop(self) -> None:
        """Send no more; tries under way have a moment to end."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        tries = list(self._tries.values())
        if tries:
            await asyncio.wait(tries, timeout=LEAVE_WITHIN)
        for task in tries:
            task.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
        await self._messenger.close()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except StockwireError as error:
                _log.warning("the outbox: %s", error.detail)
            except Exception:
                _log.exception("the outbox failed and goes on")
            self._wake.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Plan what is new, wake what was held, and begin what is due. Raises StorageFailed."""
        await asyncio.to_thread(self._plan)
        for delivery_id, receiver in await asyncio.to_thread(self._store.due):
            if len(self._tries) >= UNDER_WAY:
                break
            if receiver not in self._tries and self._free_at.get(receiver, 0.0) <= self._monotonic():
                self._free_at.pop(receiver, None)
                self._tries[receiver] = asyncio.create_task(self._try(delivery_id, receiver))

    async def settled(self) -> None:
        """Wait until no try is under way."""
        while self._tries:
            await asyncio.wait(list(self._tries.values()))

    # --- planning -------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        now = self._now()
        if now < self._seen:
            self._store.recall()
        self._seen = now
        self._expand()
        self._wake_held()
        if self._monotonic() - self._tidied >= TIDY_EVERY:
            self._tidied = self._monotonic()
            self._store.tidy()

    def _expand(self) -> None:
        """Plan what the log has to tell. Where it has nothing, how far it was read need not be written down."""
        assert self._through is not None, "open the outbox first"
        while self._through < self._log.version:
            through = self._log.version
            found = self._log.occasions(self._through, OCCASIONS)
            if len(found) >= OCCASIONS:
                through = found[-1][0].version
            if found:
                self._store.expand(self._deliveries(found), through)
            self._through = through

    def _deliveries(self, found: list[Told]) -> list[Planned]:
        receivers = self._receivers() if found else []
        if not receivers:
            return []
        rules: dict[str, RuleRow] = {row.rule_id: row for _, row in self._log.rows("rules")}
        people: dict[str, PersonRow] = {row.person: row for _, row in self._log.rows("people")}
        fresh = [told for told in found if told[0].recorded_at - told[0].at <= IMPORTED]
        planned = []
        for receiver in receivers:
            person = people.get(receiver.person) or PersonRow(version=0, person=receiver.person)
            heard = [
                (told, each) for told in fresh if (each := self._planned(told, receiver, person, rules)) is not None
            ]
            by_version: dict[int, list[Told]] = {}
            for told, _ in heard:
                by_version.setdefault(told[0].version, []).append(told)
            planned += [each for told, each in heard if not outdone(told, by_version[told[0].version])]
        return planned

    def _receivers(self) -> list[Receiver]:
        channels = [
            Receiver(each.channel_id, each.channel_id, each.person) for each in self._store.channels() if each.enabled
        ]
        browsers = [Receiver(each.subscription_id, PUSH, each.person) for each in self._store.subscriptions()]
        return channels + browsers

    def _planned(
        self, told: Told, receiver: Receiver, person: PersonRow, rules: Mapping[str, RuleRow]
    ) -> Planned | None:
        occasion, notification = told
        rule = rules.get(notification.rule_id)
        decision = decide(person, rule, notification, occasion.happened, receiver.channel_id, self._now())
        if decision.how == "never":
            return None
        parts = (self._log.epoch, occasion.version, occasion.notification_id, occasion.happened, receiver.person)
        return Planned(
            key="/".join(map(str, (*parts, receiver.name))),
            receiver=receiver.name,
            channel_id=receiver.channel_id,
            person=receiver.person,
            happened=occasion.happened,
            notification_id=occasion.notification_id,
            entry=msgspec.json.encode(notification),
            at=occasion.at,
            due_at=decision.at,
            held_for=None if decision.how == "now" else decision.how,
        )

    def _wake_held(self) -> None:
        ripe = self._store.ripe()
        if not ripe:
            return
        rows: dict[str, NotificationRow] = {row.notification_id: row for _, row in self._log.rows("notifications")}
        alone, together = [], dict[str, list[Ripe]]()
        for each in ripe:
            if each.held_for == "if_firing" and still_fires(rows.get(each.notification_id)):
                alone.append(each.delivery_id)
            else:
                together.setdefault(each.receiver, []).append(each)
        self._store.wake(alone, [self._digest(entries, rows) for entries in together.values()])

    def _digest(
        self, entries: list[Ripe], rows: Mapping[str, NotificationRow]
    ) -> tuple[Planned, list[tuple[int, bytes]]]:
        """One delivery for all that came to one receiver, with each as it stands now."""
        first = entries[0]
        planned = Planned(
            key=f"{self._log.epoch}/digest/{first.receiver}/{first.delivery_id}",
            receiver=first.receiver,
            channel_id=first.channel_id,
            person=first.person,
            happened="digest",
            notification_id=None,
            entry=None,
            at=self._now(),
            due_at=self._now(),
        )
        kept = []
        for each in entries:
            row = rows.get(each.notification_id)
            kept.append((each.delivery_id, each.entry if row is None else msgspec.json.encode(row)))
        return planned, kept

    # --- sending --------------------------------------------------------------------------------------------------

    async def _try(self, delivery_id: int, receiver: str) -> None:
        kind = PUSH
        try:
            delivery = await asyncio.to_thread(self._store.begin, delivery_id)
            if delivery is not None:
                kind, outcome = await self._sent(delivery)
                await self._finish(delivery, outcome)
        except StorageFailed as error:
            _log.warning("a message waits for the disk: %s", error.detail)
        finally:
            self._tries.pop(receiver, None)
            self._free_at[receiver] = self._monotonic() + _PAUSES[kind]
            self._wake.set()

    async def _sent(self, delivery: Delivery) -> tuple[str, Outcome]:
        """By which kind of receiver it went, and how that ended."""
        try:
            if delivery.channel_id == PUSH:
                browser = await asyncio.to_thread(self._store.subscription, delivery.receiver)
                message = await asyncio.to_thread(self._message, delivery, browser)
                return PUSH, await self._messenger.by_push(browser, message)
            channel = await asyncio.to_thread(self._store.channel, delivery.receiver)
            message = await asyncio.to_thread(self._message, delivery, channel)
            return channel.kind, await self._messenger.by_channel(channel, message)
        except NotFound:
            return PUSH, Outcome("refused", "the receiver was removed")
        except msgspec.MsgspecError:
            return PUSH, Outcome("refused", "the notification was kept by another version of Stockwire")
        except StorageFailed:
            raise
        except Exception:
            _log.exception("a message could not be sent")
            return PUSH, Outcome("failed", "this server failed; its log says how")

    async def _finish(self, delivery: Delivery, outcome: Outcome) -> None:
        """Write down how it ended, however long the disk refuses: what was answered is not asked again."""
        now = self._now()
        tries = 1 if delivery.happened == "test" else None
        found = verdict(outcome, delivery.attempts, now, self._chance(), **({} if tries is None else {"tries": tries}))
        pause = now + asked_to_wait(outcome) if outcome.retry_after else 0
        while True:
            try:
                await asyncio.to_thread(self._store.finish, delivery, outcome, found, pause)
                return
            except StorageFailed as error:
                _log.warning("what became of a message cannot be written down yet: %s", error.detail)
                await asyncio.sleep(_WRITE_AGAIN)

    def _message(self, delivery: Delivery, to: Channel | Subscription) -> Message:
        return message_of(delivery, self._store, self._shop, to.language)


def message_of(delivery: Delivery, store: Deliveries, shop: Shop, language: telling.Language) -> Message:
    """What a delivery says. Raises MsgspecError when its notification cannot be read any more."""
    id_ = message_id(delivery.key)
    if delivery.happened == "test":
        return telling.trial(id_, delivery.at, language, shop)
    if delivery.happened == "digest":
        kept, count = store.of_digest(delivery.key, NAMED)
        entries = [(row := _row(entry), show_row("notifications", row), happened) for entry, happened in kept]
        return telling.digest(id_, entries, count, delivery.at, language, shop)
    row = _row(delivery.entry or b"")
    return telling.told(id_, row, show_row("notifications", row), delivery.happened, delivery.at, language, shop)


def _row(entry: bytes) -> NotificationRow:
    return msgspec.json.decode(entry, type=NotificationRow)
