"""Recording events: what becomes of a group of requests that are committed together. It decides and writes; it does not wait.

Each request is a sequence of events and gets one outcome. What is in the log already, or earlier in the group, is a
duplicate and gets the version it got first, whatever its content. The rest is numbered, folded and committed in one
transaction; only then does the state move. Two rules for failures:

* when the disk refuses, the whole group fails alike and nothing moved;
* when anything else fails, each request is recorded by itself, so that only the one that is to blame fails.

After the disk refused it can be that the transaction is there all the same (`log/sqlite.py`). The recorder then begins
anew from what the log has, before it records anything else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from stockwire.core.changes import Changes
from stockwire.core.errors import Failed, StockwireError, StorageFailed
from stockwire.core.events import INTERNAL_SOURCE, Event, Record, ShopConfigured, parse_event
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.values import moment_text
from stockwire.engine.state import changes_since, fold_state
from stockwire.log.base import EventKey, Loaded, Writer

_log = logging.getLogger("stockwire.ingest")


class Receipt(msgspec.Struct, frozen=True):
    """What became of a request: all its events are on disk. `versions` has one for each, in the request's order.

    A reader at `version` sees them all.
    """

    accepted: int
    duplicates: int
    version: int
    versions: tuple[int, ...]


class Recorded(NamedTuple):
    """The outcomes of a group, one for each request, and what was committed, in order."""

    outcomes: list[Receipt | StockwireError]
    changes: list[Changes]


class Recorder:
    """Records into a log. Hold it in the one thread that writes; `now` gives the moment noted as `recorded_at`."""

    def __init__(self, log: Writer, loaded: Loaded, now: Callable[[], int]) -> None:
        self._log = log
        self._now = now
        self._recorded_at = log.recorded_at()
        self.state: FoldState = fold_state(log, loaded)

    def configure(self, config: ShopConfigured) -> list[Changes]:
        """Append the settings that folding depends on when they are not those in force.

        The event's time is the shop's clock, so that a setting never moves it. Raises StorageFailed.
        """
        self._begin_anew_if_behind()
        if self.state.config == config:
            return []
        envelope = {
            "id": f"configured-{self.state.version + 1}",
            "source": INTERNAL_SOURCE,
            "type": ShopConfigured.type,
            "time": moment_text(self.state.clock),
            "data": msgspec.to_builtins(config),
        }
        recorded = self.record([[parse_event(envelope, internal=True)]])
        (outcome,) = recorded.outcomes
        if isinstance(outcome, StockwireError):
            raise outcome
        return recorded.changes

    def record(self, requests: Sequence[Sequence[Event]]) -> Recorded:
        """Record the requests together; never raises."""
        caught_up: list[Changes] = []
        try:
            caught_up = self._begin_anew_if_behind()
            recorded = self._record_together(requests)
        except StorageFailed as failure:
            _log.error("nothing was stored: %s", failure.detail)
            recorded = Recorded([StorageFailed(failure.detail) for _ in requests], [])
        except Exception as error:
            recorded = self._record_one_by_one(requests) if len(requests) > 1 else Recorded([_verdict(error)], [])
        return Recorded(recorded.outcomes, caught_up + recorded.changes)

    def _record_one_by_one(self, requests: Sequence[Sequence[Event]]) -> Recorded:
        recorded = [self.record([request]) for request in requests]
        return Recorded(
            [outcome for each in recorded for outcome in each.outcomes],
            [changes for each in recorded for changes in each.changes],
        )

    def _record_together(self, requests: Sequence[Sequence[Event]]) -> Recorded:
        versions = self._log.known({event.key for events in requests for event in events})
        before = frozenset(versions)
        records = self._number(requests, versions)
        changes = self._commit(records) if records else None
        outcomes: list[Receipt | StockwireError] = []
        seen: set[EventKey] = set()
        for events in requests:
            accepted = 0
            for event in events:
                if event.key not in before and event.key not in seen:
                    seen.add(event.key)
                    accepted += 1
            outcomes.append(self._receipt(accepted, tuple(versions[event.key] for event in events)))
        return Recorded(outcomes, [] if changes is None else [changes])

    def _number(self, requests: Sequence[Sequence[Event]], versions: dict[EventKey, int]) -> list[Record]:
        """Give every new event its version, in `versions` too."""
        self._recorded_at = max(self._recorded_at, self._now())
        version = self.state.version
        records = []
        for events in requests:
            for event in events:
                if event.key not in versions:
                    version += 1
                    versions[event.key] = version
                    records.append(Record(version, self._recorded_at, event))
        return records

    def _commit(self, records: list[Record]) -> Changes:
        changes = Fold(self.state).apply(records)
        self._log.commit(records, changes)
        self.state.commit(changes)
        return changes

    def _receipt(self, accepted: int, versions: tuple[int, ...]) -> Receipt:
        newest = max(versions, default=self.state.version)
        return Receipt(accepted, len(versions) - accepted, newest, versions)

    def _begin_anew_if_behind(self) -> list[Changes]:
        if self._log.version == self.state.version:
            return []
        loaded = self._log.load()
        changes = changes_since(loaded, self.state.version)
        self.state = fold_state(self._log, loaded)
        self._recorded_at = max(self._recorded_at, self._log.recorded_at())
        return [changes]


def _verdict(error: Exception) -> StockwireError:
    """What the sender hears of an error."""
    if isinstance(error, StockwireError):
        return error
    _log.error("a batch could not be recorded", exc_info=error)
    return Failed()
