"""Many plans played in a few processes, and their outcomes added up."""

from __future__ import annotations

import concurrent.futures
import logging
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tests.simulation.world import Outcome, Plan, simulate


class Total(msgspec.Struct, kw_only=True):
    """What many plays came to. `found` says for each seed that failed what was wrong."""

    seeds: int = 0
    events: int = 0
    hours: float = 0.0
    requests: int = 0
    duplicates: int = 0
    frames: int = 0
    rows_checked: int = 0
    views_checked: int = 0
    faults: dict[str, int] = {}
    resets: dict[str, int] = {}
    found: list[str] = []

    @property
    def faults_in_all(self) -> int:
        return sum(self.faults.values())


def plans(seeds: Iterable[int], events: int, sqlite_every: int = 10) -> list[Plan]:
    """A plan for each seed; every tenth on SQLite and a disk that loses its power."""
    return [Plan(seed, events=events, storage="sqlite" if seed % sqlite_every == 0 else "memory") for seed in seeds]


def sweep(played: Sequence[Plan], processes: int = 2) -> Total:
    """Play them all."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context, initializer=_begin) as pool:
        return add_up(pool.map(simulate, played, chunksize=5))


def _begin() -> None:
    """What a disk refuses is expected here: nobody need read of it."""
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda _: None


def add_up(outcomes: Iterable[Outcome]) -> Total:
    """The outcomes as one."""
    total, faults, resets = Total(), Counter[str](), Counter[str]()
    for outcome in outcomes:
        total.seeds += 1
        total.hours += outcome.seconds / 3_600
        for name in ("events", "requests", "duplicates", "frames", "rows_checked", "views_checked"):
            setattr(total, name, getattr(total, name) + getattr(outcome, name))
        faults.update(outcome.faults)
        resets.update(outcome.resets)
        if outcome.found is not None:
            total.found.append(f"seed {outcome.seed}: {outcome.found}")
    total.faults, total.resets = dict(sorted(faults.items())), dict(sorted(resets.items()))
    return total
