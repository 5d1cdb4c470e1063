"""Follower: what another process commits, brought into this one's feeds within milliseconds.

Every commit is published by itself, in order, just as the writer made it. So all processes hold the same rows at the same
versions and give the same frames for the same cursor, whichever of them a reader meets next.

It looks every few milliseconds, which costs about two hundredths of a core; nobody has to be woken, so there is
nothing that could forget to. Whoever cannot wait that long calls `look`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from stockwire.core.changes import Changes
from stockwire.core.errors import LostTrack, StorageFailed

LOOK_EVERY: Final = 0.003
"""Seconds between two looks."""
_AGAIN: Final = 0.5
"""Seconds until the next look after one that failed."""

_log = logging.getLogger(__name__)


class Tail(Protocol):
    """The newest commits of a log. `look` raises LostTrack when some are missing, StorageFailed."""

    @property
    def horizon(self) -> int: ...

    def look(self) -> Sequence[Changes]: ...
    def close(self) -> None: ...


class Follower:
    """Hands what `tail` finds to `publish`, and each new horizon to `forget`. Hold it in the event loop's thread."""

    def __init__(self, tail: Tail, publish: Callable[[Changes], None], forget: Callable[[int], None]) -> None:
        self._tail = tail
        self._publish = publish
        self._forget = forget
        self._horizon = 0
        self.well = True
        """Whether the last look went well."""

    def look(self) -> bool:
        """Publish what is committed by now; True when there was anything. Raises LostTrack or StorageFailed."""
        found = self._tail.look()
        for changes in found:
            self._publish(changes)
        if self._tail.horizon > self._horizon:
            self._horizon = self._tail.horizon
            self._forget(self._horizon)
        return bool(found)

    def catch_up(self) -> None:
        """Publish all that is committed by now. Never raises: what is wrong, `run` finds too."""
        with contextlib.suppress(StorageFailed, LostTrack):
            while self.look():
                pass

    async def run(self) -> None:
        """Follow until cancelled. Raises LostTrack."""
        while True:
            try:
                more = self.look()
                self.well = True
                await asyncio.sleep(0 if more else LOOK_EVERY)
            except StorageFailed as failure:
                if self.well:
                    _log.warning("the log cannot be followed for now: %s", failure.detail)
                self.well = False
                await asyncio.sleep(_AGAIN)
