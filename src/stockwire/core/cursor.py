"""Cursors: what a subscriber holds of a view, as one text (spec/protocol.md P3.3)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from stockwire.core.errors import Invalid

_FORM: Final = re.compile(r"v1\.([0-9a-f]{16})\.([0-9]{16})\.([0-9a-f]{16})")


class Cursor(msgspec.Struct, frozen=True):
    """The version of a view that a subscriber holds, in one history of the log. It carries no authority."""

    epoch: str
    version: int
    view: str

    def __str__(self) -> str:
        return f"v1.{self.epoch}.{self.version:016d}.{self.view}"


def parse_cursor(text: object) -> Cursor:
    """The cursor a text names. Raises Invalid."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Invalid("`cursor` is not one that this server gives")
    return Cursor(found[1], int(found[2]), found[3])


def set_name(views: Iterable[str]) -> str:
    """The view part of the cursor of a set of views (P3.4)."""
    names = sorted(set(views))
    if len(names) == 1:
        return names[0]
    return hashlib.sha256(",".join(names).encode()).hexdigest()[:16]
