"""The installed program on a machine whose clock is turned: `python -m` this with a file that says by how many seconds, and
the program's own arguments. The file may change at any time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from stockwire.cli import main


def turn(by: Path) -> None:
    """Have the wall's clock be as much ahead (or behind, below zero) as the file says."""
    real = time.time_ns
    time.time_ns = lambda: real() + int(by.read_text()) * 10**9


if __name__ == "__main__":
    turn(Path(sys.argv.pop(1)))
    main()
