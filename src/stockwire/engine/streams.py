"""Streams: what every transport needs to start a conversation."""

from __future__ import annotations

import random as chance
from collections.abc import Callable, Collection
from typing import Final

from stockwire.core.greeting import HEARTBEAT, SPOKEN
from stockwire.core.session import Session
from stockwire.engine.access import Reader
from stockwire.engine.admission import Admission
from stockwire.engine.conversation import Conversation, Send
from stockwire.engine.hub import Hub
from stockwire.engine.rounds import Rounds

HEARTBEAT_JITTER: Final = 0.1
SUBPROTOCOLS: Final = tuple(f"stockwire.v{version}" for version in SPOKEN)
WEBSOCKET_LIFETIME: Final = 7_200.0
EVENTS_LIFETIME: Final = 600.0
RETRY: Final = b"retry: 1000\n"
"""Stands in the first event of an event stream: an event of its own without data confuses some readers."""


def subprotocol(offers: Collection[str]) -> str | None:
    """The best of the subprotocols that a client offers (P1.2); None when it offers none that is spoken here."""
    return next((each for each in SUBPROTOCOLS if each in offers), None)


class Streams:
    """Makes sessions and conversations over one hub. `random` gives 0 to 1; `monotonic` is the timing clock."""

    def __init__(
        self,
        hub: Hub,
        admission: Admission,
        *,
        monotonic: Callable[[], float],
        random: Callable[[], float],
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self.hub = hub
        self.admission = admission
        self.monotonic = monotonic
        self._random = random
        self._heartbeat = heartbeat
        self._names = chance.Random()
        self.rounds = Rounds(hub, monotonic=monotonic)

    def session(self, reader: Reader, *, brief: bool = False) -> Session:
        """A new session of `reader`, not yet open."""
        jitter = 1 + HEARTBEAT_JITTER * (2 * self._random() - 1)
        return Session(
            f"{self._names.getrandbits(48):012x}", self.hub, heartbeat=self._heartbeat * jitter, now=self.monotonic(),
            rights=reader.rights,
            brief=brief,
        )  # fmt: skip

    def ends_at(self, lifetime: float) -> float:
        """When a stream that begins now ends: its lifetime, shortened by up to a fifth so that not all end together."""
        return self.monotonic() + lifetime * (0.8 + 0.2 * self._random())

    def conversation(self, reader: Reader, send: Send, lifetime: float, session: Session | None = None) -> Conversation:
        """A conversation for a transport that awaits what it sends."""
        held = session or self.session(reader)
        return Conversation(held, self.hub, send, monotonic=self.monotonic, ends_at=self.ends_at(lifetime))
