"""The installed program whose days last seconds, so that a test sees it forget what a week would see: `python -m` this with
the program's own arguments.
"""

from __future__ import annotations

from stockwire import writing
from stockwire.cli import main
from stockwire.core.values import SECOND
from stockwire.engine import scribe

DAY_SECONDS = 3


def hurry() -> None:
    """Press a day into seconds, and the hour between two compactions into less than one."""
    writing.DAY = DAY_SECONDS * SECOND  # type: ignore[misc]
    scribe.COMPACT_EVERY = 0.25  # type: ignore[misc]


if __name__ == "__main__":
    hurry()
    main()
