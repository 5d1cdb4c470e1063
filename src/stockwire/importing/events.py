"""The format `events`: one public event (spec/events.md) per line, as JSON. What a log or another Stockwire writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from stockwire.importing.rows import BadRow, Input, Item, Parsed


class Events(msgspec.Struct, frozen=True):
    """Reads the lines; empty ones are passed over. `source` is for events that name none."""

    source: str = "import"
    timezone: str | None = None
    currency: str | None = None

    def read(self, file: Input) -> Iterator[Item]:
        with file.text("Importing") as text:
            for number, line in enumerate(text, start=1):
                if not line.strip():
                    continue
                try:
                    event = _decode(line)
                except (ValueError, RecursionError) as error:
                    yield BadRow(number, f"the line is not JSON: {error}")
                    continue
                if not isinstance(event, dict):
                    yield BadRow(number, "the line is not a JSON object")
                    continue
                event.setdefault("source", self.source)
                yield Parsed(number, number, event)


def _decode(line: str) -> Any:
    """The line's value with exact numbers. Raises ValueError, also for a name given twice and for NaN."""
    return json.loads(line, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_object)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return names
