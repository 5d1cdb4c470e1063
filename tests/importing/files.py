"""Small files in the forms the formats read, written by the tests themselves; and where the real ones lie."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from stockwire.core.events import Event
from stockwire.importing.bringing import Tally, events_of
from stockwire.importing.rows import BadRow, Format, Input

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
YEAR = DATA / "online_retail_dev_2009-12_2010-11.csv.gz"
OPENING = DATA / "derived_opening_stock_dev.csv.gz"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real files are not beside this project, in ../shared/data"
)

RETAIL = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A CSV file of these rows, packed when its name says so."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def read(format_: Format, path: Path) -> tuple[list[Event], list[BadRow]]:
    """The file's events, checked as any from outside, and its bad rows."""
    results = list(events_of(format_.read(Input(path)), Tally()))
    events = [each for each in results if not isinstance(each, BadRow)]
    return events, [each for each in results if isinstance(each, BadRow)]


def only(events: Iterable[Event], type_: str) -> list[Event]:
    """Those of one type."""
    return [event for event in events if event.type == type_]
