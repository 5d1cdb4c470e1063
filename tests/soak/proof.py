"""The proof as one report: everything is run, and docs/reliability says what came of it.

    python -m tests.soak.proof            # some ten minutes
    python -m tests.soak.proof --minutes 480
    python -m tests.soak.proof --steady 30     # only the server at steady work, beside the figures that are there

Asked to go on for long, it plays sweeps and sieges in turn, beside a server at steady work whose memory is watched.
`results.json` has the figures, `index.md` is made from them; a test holds the two together.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import logging
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import apsw
import msgspec

from stockwire import __version__
from tests.blackbox import siege
from tests.simulation.mutants import MUTANTS, caught
from tests.simulation.power import PowerTotal, lose_power
from tests.simulation.sweep import Total, plans, sweep
from tests.soak import steady

PLACE = Path(__file__).parents[2] / "docs" / "reliability"
EVENTS = 5_400
SEEDS_A_ROUND = 200
SEVERAL = siege.Plan(workers=2, rolls=2, events=20_000, network_faults=100, kills=6, stops=2, restarts=1)
"""A siege of a server of several processes, which are renewed in turn."""
STEADY_LEAST = 15.0
"""Minutes below which growth in an hour cannot be told."""
GROWTH_MOST = 1.0
"""MiB in an hour."""


class Planted(msgspec.Struct, frozen=True):
    """A planted bug and how it was caught; `seeds` 0: it was not."""

    name: str
    does: str
    seeds: int
    found: str


class Report(msgspec.Struct, kw_only=True):
    """Everything the report shows."""

    version: str
    commit: str
    date: str
    python: str
    sqlite: str
    machine: str
    first_seed: int
    minutes: float
    simulated: Total
    power: PowerTotal
    weaker: PowerTotal
    mutants: list[Planted]
    sieges: list[siege.Outcome]
    steady: steady.Steady | None = None
    """None: it was not run for long enough to tell."""

    @property
    def divergences(self) -> int:
        """Everything that was wrong, of whatever kind."""
        at_work = self.steady
        return (
            len(self.simulated.found) + self.power.lost + len(self.power.wrong)
            + sum(len(each.wrong) for each in self.sieges) + sum(each.seeds == 0 for each in self.mutants)
            + (len(at_work.wrong) + (at_work.growth > GROWTH_MOST) if at_work is not None else 0)
        )  # fmt: skip


def prove(minutes: float, first_seed: int, processes: int = 2) -> Report:
    """Run everything once, then sweeps and sieges in turn until the time is up, beside a server at steady work."""
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        working = beside.submit(_work, minutes, first_seed) if minutes >= STEADY_LEAST else None
        report = _prove(minutes, first_seed, processes)
        report.steady = working.result() if working is not None else None
        return report


def _work(minutes: float, seed: int) -> steady.Steady:
    with tempfile.TemporaryDirectory(prefix="stockwire-steady-") as place:
        return steady.work(minutes, seed, Path(place) / "data")


def _prove(minutes: float, first_seed: int, processes: int) -> Report:
    began = time.monotonic()
    logging.disable(logging.CRITICAL)
    report = Report(
        version=__version__, commit=steady.commit(), date=time.strftime("%Y-%m-%d", time.gmtime()),
        python=platform.python_version(), sqlite=apsw.sqlite_lib_version(),
        machine=f"{platform.system()} {platform.machine()}", first_seed=first_seed, minutes=0.0, simulated=Total(),
        power=lose_power(1_000, first_seed), weaker=lose_power(300, first_seed, synchronous="normal"),
        mutants=[_planted(mutant) for mutant in MUTANTS], sieges=[],
    )  # fmt: skip
    seed = first_seed
    while True:
        report.simulated = _added(report.simulated, _sweep(seed, processes))
        for plan in (siege.Plan(seed=seed), msgspec.structs.replace(SEVERAL, seed=seed)):
            with tempfile.TemporaryDirectory(prefix="stockwire-siege-") as place:
                report.sieges.append(siege.besiege(plan, Path(place) / "data"))
        seed += SEEDS_A_ROUND
        report.minutes = round((time.monotonic() - began) / 60, 1)
        if report.minutes >= minutes:
            return report


def _sweep(seed: int, processes: int) -> Total:
    return sweep(plans(range(seed, seed + SEEDS_A_ROUND), EVENTS), processes)


def _planted(mutant: Any) -> Planted:
    seeds, found = caught(mutant) or (0, "not caught")
    return Planted(mutant.name, mutant.does, seeds, found)


def _added(one: Total, other: Total) -> Total:
    both = Total()
    for field in Total.__struct_fields__:
        left, right = getattr(one, field), getattr(other, field)
        if isinstance(left, dict):
            value: Any = {name: left.get(name, 0) + right.get(name, 0) for name in sorted({*left, *right})}
        else:
            value = left + right
        setattr(both, field, value)
    return both


def render(report: Report) -> str:
    """The report as a page."""
    simulated, power, weaker = report.simulated, report.power, report.weaker
    lines = [
        "# The last proof",
        "",
        "Made by `python -m tests.soak.proof`; the figures are in `results.json`. How it works: [method](method.md).",
        "",
        f"Stockwire {report.version}, commit `{report.commit[:12]}`, {report.date}, Python {report.python}, SQLite "
        f"{report.sqlite}, {report.machine}; first seed {report.first_seed}, {report.minutes:g} minutes.",
        "",
        f"**Divergences: {report.divergences}.** Lost, duplicated or wrong events, wrong rows on a screen, unplanned resets,",
        "planted bugs that were not caught: all of them together.",
        "",
        "## Simulated",
        "",
        *_table(
            ("what", "how much"),
            ("seeds", simulated.seeds), ("events", simulated.events), ("virtual hours", round(simulated.hours, 1)),
            ("requests of producers", simulated.requests), ("events sent again", simulated.duplicates),
            ("frames checked", simulated.frames), ("rows checked", simulated.rows_checked),
            ("whole views checked", simulated.views_checked), ("faults", simulated.faults_in_all),
            ("seeds that failed", len(simulated.found)),
        ),
        "",
        "Faults: " + _listed(simulated.faults) + ".",
        "",
        "Resets, each with its cause: " + _listed(simulated.resets) + ".",
        *[f"- {found}" for found in simulated.found],
        "",
        "## Losses of power",
        "",
        *_table(
            ("disk sync", "failures", "acknowledged events", "events lost", "failures with loss"),
            ("FULL (as shipped)", power.failures, power.acknowledged, power.lost, power.failures_with_loss),
            ("NORMAL (to see that it can fail)", weaker.failures, "", weaker.lost, weaker.failures_with_loss),
        ),
        "",
        "## Planted bugs",
        "",
        *_table(
            ("bug", "what it does", "seeds until caught"),
            *((each.name, each.does, each.seeds or "**not caught**") for each in report.mutants),
        ),
        "",
        "## Sieges of the installed program",
        "",
        *_table(
            ("workers", "sieges", "events", "repeated", "frames", "rows of the page", "network faults", "kill -9", "stopped",
             "restarted", "renewed in turn", "divergent", "unplanned resets"),
            *(_together([each for each in report.sieges if each.workers == workers])
              for workers in sorted({each.workers for each in report.sieges})),
        ),
        *[f"- seed {each.seed}: {wrong}" for each in report.sieges for wrong in each.wrong],
        "",
        "## A server at steady work",
        "",
        *_at_work(report.steady),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _together(sieges: list[siege.Outcome]) -> tuple[Any, ...]:
    """The row of sieges of as many workers."""
    network = sum(sum(each.network_faults.values()) for each in sieges)
    return (
        sieges[0].workers, len(sieges), *_sums(sieges, "acknowledged", "repeated", "frames", "page_rows"), network,
        *_sums(sieges, "kills", "stops", "restarts", "rolls", "divergent", "unplanned_resets"),
    )  # fmt: skip


def _sums(sieges: list[siege.Outcome], *names: str) -> list[int]:
    return [sum(getattr(each, name) for each in sieges) for name in names]


def _at_work(seen: steady.Steady | None) -> list[str]:
    if seen is None:
        return [f"Not looked at: it takes {STEADY_LEAST:g} minutes to tell."]
    return [
        *_table(
            ("commit", "seed", "minutes", "events", "visits of readers", "frames", "memory after the warm-up", "at the end",
             "growth an hour"),
            (f"`{seen.commit[:12]}`", seen.seed, round(seen.minutes), seen.events, seen.visits, seen.frames,
             f"{seen.memory_kib[0] / 1024:.1f} MiB", f"{seen.memory_kib[-1] / 1024:.1f} MiB",
             f"**{seen.growth:+.2f} MiB** (at most {GROWTH_MOST:g})"),
        ),
        *[f"- {wrong}" for wrong in seen.wrong],
    ]  # fmt: skip


def _table(head: tuple[Any, ...], *rows: tuple[Any, ...]) -> list[str]:
    return [_row(head), "|" + "---|" * len(head), *(_row(row) for row in rows)]


def _row(cells: tuple[Any, ...]) -> str:
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items()) or "none"


def kept() -> Report:
    """The report that the tree has."""
    return msgspec.json.decode((PLACE / "results.json").read_bytes(), type=Report)


def keep(report: Report) -> None:
    """Write the report into the tree."""
    (PLACE / "results.json").write_text(json.dumps(msgspec.to_builtins(report), indent=1) + "\n")
    (PLACE / "index.md").write_text(render(report))


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=0.0)
    options.add_argument("--seed", type=int, default=10_000)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--steady", type=float, default=0.0)
    given = options.parse_args()
    if given.steady:
        report = kept()
        report.steady = _work(given.steady, given.seed)
    else:
        report = prove(given.minutes, given.seed, given.processes)
    keep(report)
    return 1 if report.divergences else 0


if __name__ == "__main__":
    sys.exit(main())
