"""The place of a movement in its row's history, by which pages of it go on: `version.step`."""

from __future__ import annotations

from stockwire.core.errors import Invalid
from stockwire.core.rows import Movement


def movement_name(movement: Movement) -> str:
    """What to ask for as `before` to read on after this movement."""
    return f"{movement.version}.{movement.step}"


def parse_movement(text: str) -> tuple[int, int]:
    """The version and step that `before` names. Raises Invalid."""
    version, dot, step = text.partition(".")
    if not (dot and all(part.isascii() and part.isdigit() and len(part) < 17 for part in (version, step))):
        raise Invalid("`before` is not a cursor this server gave")
    return int(version), int(step)
