"""Ingest: the one thread that writes, and the bounded queue before it.

A request is answered when its events are durable. While one group is being committed the next ones wait, and are then
committed together: the more there is to do, the more share one sync of the disk, so nobody waits on purpose for a group to
fill. Each answer follows the publication of what it stands for, so who has a receipt finds its version in every feed.

The queue is bounded by events; beyond it `submit` raises Unavailable at once, and `submit_blocking` waits. Stopping finishes
what was accepted.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from stockwire.core.changes import Changes
from stockwire.core.errors import Unavailable
from stockwire.core.events import Event, ShopConfigured
from stockwire.engine.recorder import Receipt, Recorder
from stockwire.log.base import RETENTION, Loaded, Writer

__all__ = ["Ingest", "Receipt"]

GROUP_MOST: Final = 5_000
"""Events that are taken into one transaction; a single larger request is a group of its own."""
WAITING_MOST: Final = 50_000
"""Events that may wait."""

T = TypeVar("T")
Published = Callable[[Changes], None]
_Answer = asyncio.Future[Any] | concurrent.futures.Future[Any]


class _Request(NamedTuple):
    """Events to record, and where the receipt goes."""

    events: Sequence[Event]
    answer: _Answer


class _Errand(NamedTuple):
    """Something else to do in the writing thread."""

    call: Callable[[], Any]
    answer: _Answer


class _Waiting:
    """What waits for the writing thread. Closed, it takes nothing more and ends when it is empty."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[_Request | _Errand] = deque()
        self._events = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def events(self) -> int:
        return self._events

    def put(self, item: _Request | _Errand, *, wait: bool) -> None:
        """Raises Unavailable when it is closed, or full and not to be waited for."""
        size = len(item.events) if isinstance(item, _Request) else 0
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._closed or self._fits(size))
            if self._closed:
                raise Unavailable("this Stockwire is not writing; try again shortly")
            if not self._fits(size):
                raise Unavailable("too many events are waiting to be stored; try again shortly")
            self._items.append(item)
            self._events += size
            self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return self._events + size <= self._most or not self._items

    def take(self, most: int) -> list[_Request] | _Errand | None:
        """The next group, or errand; waits for one. None when it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._closed)
            if not self._items:
                return None
            first = self._items.popleft()
            if isinstance(first, _Errand):
                return first
            group, events = [first], len(first.events)
            while self._items and isinstance(following := self._items[0], _Request):
                if events + len(following.events) > most:
                    break
                self._items.popleft()
                group.append(following)
                events += len(following.events)
            self._events -= events
            self._changed.notify_all()
            return group

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Ingest:
    """The way into the log. Between `start` and `stop` it alone may use the log for writing.

    `now` gives the moment noted as `recorded_at`. `published` is called with what each commit changed, in order of version: in the
    event loop's thread when there is one, else in the writing thread.
    """

    def __init__(
        self,
        log: Writer,
        loaded: Loaded,
        config: ShopConfigured,
        *,
        now: Callable[[], int],
        published: Published | None = None,
        group_most: int = GROUP_MOST,
        waiting_most: int = WAITING_MOST,
    ) -> None:
        self._log = log
        self._recorder = Recorder(log, loaded, now)
        self._config = config
        self._published = published
        self._group_most = group_most
        self._waiting = _Waiting(waiting_most)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="stockwire-writer", daemon=True)

    @property
    def running(self) -> bool:
        """Whether the writing thread lives."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many events wait to be stored."""
        return self._waiting.events

    async def start(self) -> None:
        """Begin writing, with the settings in force. Raises StorageFailed."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        await self._errand(self._configure)

    def start_blocking(self) -> None:
        """Begin writing where there is no event loop. Raises StorageFailed."""
        self._thread.start()
        answer: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._waiting.put(_Errand(self._configure, answer), wait=True)
        answer.result()

    async def submit(self, events: Sequence[Event]) -> Receipt:
        """Store events; gives the receipt once they are durable and published.

        Raises Unavailable when there is no room or no writer, StorageFailed when the disk refused, Invalid when a figure would
        become too large. Whatever is raised, none of the events was stored, or a repeat will find them.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Request(events, answer), wait=False)
        return await answer

    def submit_blocking(self, events: Sequence[Event]) -> Receipt:
        """As `submit`, from a thread that may wait: for room too."""
        return self.submit_later(events).result()

    def submit_later(self, events: Sequence[Event]) -> concurrent.futures.Future[Receipt]:
        """As `submit_blocking`, but waits for room alone: the receipt comes with the future."""
        answer: concurrent.futures.Future[Receipt] = concurrent.futures.Future()
        self._waiting.put(_Request(events, answer), wait=True)
        return answer

    async def compact(self, now: int, retention: int = RETENTION) -> int:
        """Drop tombstones older than `retention`; gives the horizon. Raises StorageFailed or Unavailable."""
        return await self._errand(lambda: self._log.compact(now, retention))

    async def stop(self) -> None:
        """Finish what was accepted, and end. Afterwards everything is Unavailable."""
        self._waiting.close()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def stop_blocking(self) -> None:
        """As `stop`."""
        self._waiting.close()
        if self._thread.ident is not None:
            self._thread.join()

    async def _errand(self, call: Callable[[], T]) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Errand(call, answer), wait=False)
        return await answer

    # In the writing thread

    def _run(self) -> None:
        while self.step():
            pass

    def step(self) -> bool:
        """Wait for the next group or errand and see to it; False when it is stopped and nothing is left.

        The writing thread does nothing else. Without `start`, whoever calls this is that thread.
        """
        taken = self._waiting.take(self._group_most)
        if taken is None:
            return False
        if isinstance(taken, _Errand):
            self._run_errand(taken)
        else:
            outcomes, changes = self._recorder.record([request.events for request in taken])
            answers = [request.answer for request in taken]
            self._tell(changes, list(zip(answers, outcomes, strict=True)))
        return True

    def _run_errand(self, errand: _Errand) -> None:
        try:
            outcome = errand.call()
        except Exception as error:
            outcome = error
        self._tell([], [(errand.answer, outcome)])

    def _configure(self) -> None:
        self._tell(self._recorder.configure(self._config), [])

    def _tell(self, changes: list[Changes], outcomes: list[tuple[_Answer, Any]]) -> None:
        if self._loop is None:
            self._publish_and_answer(changes, outcomes)
            return
        there = [each for each in outcomes if isinstance(each[0], asyncio.Future)]
        here = [each for each in outcomes if not isinstance(each[0], asyncio.Future)]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            self._loop.call_soon_threadsafe(self._publish_and_answer, changes, there)
        self._publish_and_answer([], here)

    def _publish_and_answer(self, changes: list[Changes], outcomes: list[tuple[_Answer, Any]]) -> None:
        try:
            if self._published is not None:
                for each in changes:
                    self._published(each)
        finally:
            for answer, outcome in outcomes:
                _settle(answer, outcome)


def _settle(answer: _Answer, outcome: Any) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
