"""What readers of a simulation were sent, and what each of their views had to hold after every frame.

A tape has one JSON object a line, in the order things happened: `reader` and what befell it (`asks`, `frame`, `saved`,
`began anew`); with a frame comes `holds`, for each view by its id the cursor (null: the whole content is awaited), the number
of rows and their checksum (P7.1); now and then and at the end of the tape, `rows` has the rows themselves. It is made anew
by each test run and kept nowhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tests.simulation.world import Plan, simulate

if TYPE_CHECKING:
    from tests.simulation.reader import Watcher

ROWS_EVERY = 40
"""Frames between two looks at the rows themselves."""


class Tape:
    """A recording of one play, written to `file`."""

    def __init__(self, file: TextIO) -> None:
        self.frames = 0
        self._file = file
        self._watchers: dict[str, Watcher] = {}

    def record(self, reader: str, what: str, value: Any, watcher: Watcher) -> None:
        """Note what befell a reader, and how its views stand since."""
        said: dict[str, Any] = {"reader": reader, what: value}
        self._watchers[reader] = watcher
        if what == "frame":
            self.frames += 1
            said["holds"] = {id_: _standing(watcher, id_) for id_ in watcher.ids}
            if self.frames % ROWS_EVERY == 0:
                said["rows"] = _rows(watcher)
        self._write(said)

    def end(self) -> None:
        """Note what every reader holds at the end."""
        for reader, watcher in self._watchers.items():
            self._write({"reader": reader, "rows": _rows(watcher)})

    def _write(self, said: dict[str, Any]) -> None:
        self._file.write(json.dumps(said) + "\n")


def _standing(watcher: Watcher, id_: str) -> tuple[str | None, int, int]:
    held = watcher.held(id_)
    return watcher.cursor(id_), len(held.rows), held.checksum()


def _rows(watcher: Watcher) -> dict[str, list[Any]]:
    return {id_: list(watcher.rows(id_).values()) for id_ in watcher.ids}


def taped(plan: Plan, place: Path) -> int:
    """Play a plan and keep its tape in `place`; gives the number of frames. Raises when anything was wrong."""
    with (place / f"{plan.seed}.jsonl").open("w") as file:
        tape = Tape(file)
        outcome = simulate(plan, tape)
        assert outcome.found is None, outcome.found
        tape.end()
    return tape.frames
