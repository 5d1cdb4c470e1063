"""An outbox for tests: a log of occasions that the test writes, a messenger that answers as it says, and a clock of its own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from stockwire.core.preferences import PUSH
from stockwire.core.retrying import SENT, Outcome
from stockwire.core.rows import Happened, NotificationRow, Occasion, PersonRow, Preferences, RuleRow, Told
from stockwire.core.telling import Message, Shop
from stockwire.core.values import SECOND, moment
from stockwire.engine.outbox import Outbox
from stockwire.log.deliveries import FILE, Channel, Deliveries, Delivery, Subscription
from tests.log.blank import blank

NOON = moment("2026-06-10T10:00:00Z")
SHOP = Shop("Corner shop", "Europe/Berlin", "https://stock.example.com")


def notification(number: int = 1, **more: Any) -> NotificationRow:
    row = NotificationRow(
        version=number, notification_id=f"low/{number}@1", rule_id="low", kind="low_stock", severity="warning",
        state="firing", dedupe_key=f"low/{number}", subject=f"stock/MUG-{number}/main", began_at=NOON, updated_at=NOON,
        sku=f"MUG-{number}", location="main", occurrences=1, fired_at=NOON,
    )  # fmt: skip
    return msgspec.structs.replace(row, **more)


class History:
    """The log as far as it is asked."""

    def __init__(self) -> None:
        self.epoch = "0123456789abcdef"
        self.version = 0
        self.told: list[Told] = []
        self.now: dict[str, NotificationRow] = {}
        self.rules: dict[str, RuleRow] = {}
        self.people: dict[str, PersonRow] = {}

    def occasions(self, after: int, limit: int) -> list[Told]:
        found = [told for told in self.told if told[0].version > after]
        last = found[limit - 1][0].version if len(found) > limit else None
        return [told for told in found if last is None or told[0].version <= last]

    def rows(self, table: str) -> Iterable[tuple[Any, Any]]:
        tables: dict[str, dict[str, Any]] = {"rules": self.rules, "people": self.people, "notifications": self.now}
        return [((name,), row) for name, row in tables[table].items()]

    def tell(
        self,
        row: NotificationRow,
        happened: Happened = "fired",
        at: int = NOON,
        recorded_at: int | None = None,
        with_the_last: bool = False,
    ) -> None:
        """Something happens, by an event of its own or by the last one too."""
        self.version += not with_the_last
        self.now[row.notification_id] = row
        recorded = at if recorded_at is None else recorded_at
        occasion = Occasion(
            version=self.version, notification_id=row.notification_id, happened=happened, at=at, recorded_at=recorded
        )
        self.told.append((occasion, row))

    def prefer(self, person: str = "owner", **preferences: Any) -> None:
        self.people[person] = PersonRow(version=1, person=person, preferences=Preferences(**preferences))


class Mail:
    """The way out: what went by it, and how it went. `answer` is asked for each, and may wait."""

    def __init__(self) -> None:
        self.went: list[tuple[str, Message]] = []
        self.answer: Callable[[str, Message], Outcome] = lambda *_: SENT
        self.hold: dict[str, asyncio.Event] = {}
        self.reached: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.most = 0
        self._under_way = 0

    async def _go(self, receiver: str, message: Message) -> Outcome:
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        self.went.append((receiver, message))
        try:
            if receiver in self.hold:
                self.reached[receiver].set()
                await self.hold[receiver].wait()
            return self.answer(receiver, message)
        finally:
            self._under_way -= 1

    async def by_channel(self, channel: Channel, message: Message) -> Outcome:
        return await self._go(channel.channel_id, message)

    async def by_push(self, subscription: Subscription, message: Message) -> Outcome:
        return await self._go(subscription.subscription_id, message)

    async def close(self) -> None:
        pass

    @property
    def said(self) -> list[tuple[str, str]]:
        """To whom and what happened, in order."""
        return [(receiver, message.happened) for receiver, message in self.went]


class Desk:
    """The outbox over a directory. `restart` ends it without a word, as a kill does, and begins anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        blank(folder)
        self.at = NOON
        self.seconds = 0.0
        self.log = History()
        self.mail = Mail()
        self.chance = 1.0
        self._open()

    def _open(self) -> None:
        self.store = Deliveries(self.folder / FILE, lambda: self.at)
        self.outbox = Outbox(
            self.log, self.store, self.mail, SHOP,
            now=lambda: self.at, monotonic=lambda: self.seconds, chance=lambda: self.chance,
        )  # fmt: skip

    async def open(self) -> None:
        await self.outbox.open()

    async def restart(self) -> None:
        await self.kill()
        self._open()
        await self.open()

    async def kill(self) -> None:
        """End at once: whatever is under way has no outcome."""
        for task in list(self.outbox._tries.values()):
            task.cancel()
        await self.outbox.settled()
        self.store.close()

    async def turn(self, seconds: float = 60.0, looks: int = 1) -> None:
        """Look, wait for what was begun, and let time pass."""
        for _ in range(looks):
            await self.outbox.look()
            for receiver, task in list(self.outbox._tries.items()):
                await (self.mail.reached[receiver].wait() if receiver in self.mail.hold else asyncio.wait([task]))
            self.at += int(seconds * SECOND)
            self.seconds += seconds

    def channel(self, name: str = "hook", **more: Any) -> Channel:
        made = Channel(
            channel_id=name, kind="webhook", name=name, person="owner", address=f"https://{name}.example.com/",
            secret="whsec_AAAA", language="en", enabled=True, note=None, created_at=NOON,
        )  # fmt: skip
        made = msgspec.structs.replace(made, **more)
        self.store.put_channel(made)
        return made

    def browser(self, name: str = "laptop", person: str = "owner") -> None:
        self.store.put_subscription(
            Subscription(
                subscription_id=name, person=person, endpoint=f"https://push.example.com/{name}", p256dh=b"p", auth=b"a",
                language="de", device=name, created_at=NOON,
            )
        )  # fmt: skip

    def deliveries(self) -> list[Delivery]:
        return self.store.deliveries(limit=10_000)[::-1]

    def states(self) -> list[str]:
        """The state of every delivery, oldest first."""
        return [delivery.state for delivery in self.deliveries()]


__all__ = ["NOON", "PUSH", "Desk", "notification"]
