"""A file of deliveries that is made once and copied: making one waits for the disk, and hundreds of tests want theirs."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from stockwire.log.deliveries import FILE, Deliveries


@cache
def _blank() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Deliveries(Path(folder) / FILE, lambda: 0).close()
        return (Path(folder) / FILE).read_bytes()


def blank(folder: Path) -> Path:
    """The path of an empty file of deliveries in that folder."""
    path = folder / FILE
    path.write_bytes(_blank())
    return path
