"""Standing: whoever was let in stays while the key or session that let them in is good, and no longer (P8.6).

Signing out and revoking a key happen in any process. The store tells cheaply that something was written; only then are the
credentials of those present looked up, each once however many came by it. They are looked up again at the next review,
for those who were on their way in; and once a minute whatever was written, because a session ends by time too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable
from typing import Final, Protocol

from stockwire.core.errors import Unauthenticated
from stockwire.engine.admission import Admission

REVIEW_EVERY: Final = 1.0
"""Seconds between two reviews."""
_REVIEWS: Final = 2
"""Reviews that follow a change."""
_QUIET_MOST: Final = 60
"""Reviews that may pass without a look."""


class Credentials(Protocol):
    """The keys and sessions, by their hashes."""

    @property
    def revision(self) -> Hashable: ...

    def ended(self, credentials: Iterable[bytes]) -> set[bytes]: ...


class Standing:
    """Reviews those present in `admission` against `credentials`. Call `review` every `REVIEW_EVERY` seconds."""

    def __init__(self, credentials: Credentials, admission: Admission) -> None:
        self._credentials = credentials
        self._admission = admission
        self._seen: Hashable = None
        self._due = 0
        self._quiet = 0

    async def review(self) -> None:
        """Turn out whoever has nothing good to stay by. Raises StorageFailed."""
        revision = self._credentials.revision
        if revision != self._seen:
            self._seen, self._due = revision, _REVIEWS
        self._quiet += 1
        if self._quiet >= _QUIET_MOST:
            self._due = max(self._due, 1)
        if self._due == 0:
            return
        self._quiet = 0
        self._due -= 1
        ended = await asyncio.to_thread(self._credentials.ended, self._admission.credentials)
        await self._admission.turn_out(ended, Unauthenticated("what let you in has ended; sign in again"))
