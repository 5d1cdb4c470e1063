"""Streams: what every transport needs to start a conversation."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from stockwire.core.session import HEARTBEAT, Session
from stockwire.engine.access import Reader
from stockwire.engine.admission import Admission
from stockwire.engine.conversation import Conversation, Send
from stockwire.engine.hub import Hub

HEARTBEAT_JITTER: Final = 0.1


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

    def session(self, reader: Reader, *, brief: bool = False) -> Session:
        """A new session of `reader`, not yet open."""
        jitter = 1 + HEARTBEAT_JITTER * (2 * self._random() - 1)
        return Session(
            secrets.token_hex(6), self.hub, heartbeat=self._heartbeat * jitter, now=self.monotonic(),
            rights=reader.rights,
            brief=brief,
        )  # fmt: skip

    def conversation(self, reader: Reader, send: Send, lifetime: float, session: Session | None = None) -> Conversation:
        """A conversation that lives `lifetime` seconds, shortened by up to a fifth so that not all end together."""
        ends_at = self.monotonic() + lifetime * (0.8 + 0.2 * self._random())
        held = session or self.session(reader)
        return Conversation(held, self.hub, send, monotonic=self.monotonic, ends_at=ends_at)
