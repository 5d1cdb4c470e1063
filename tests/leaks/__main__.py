"""`python -m tests.leaks [--connections 100000]`: what the server holds after so many connections more than before, written to
bench/results/leaks.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.leaks.visits import Growth, measure

RESULTS = Path(__file__).parents[2] / "bench" / "results" / "leaks.md"


def report(growth: Growth, when: datetime, load: float) -> str:
    """The figures as Markdown."""
    about = " · ".join(
        (
            f"command `python -m tests.leaks --connections {growth.connections}`", f"at {when.isoformat(timespec='seconds')}",
            f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in ("memray", "uvicorn", "uvloop")),
            f"{platform.system()} {platform.release()}", f"cores {os.cpu_count()}", f"load average before {load:.1f}",
        )
    )  # fmt: skip
    each = growth.net_bytes / growth.connections
    places = "\n".join(f"| `{place}` | {size:,} |" for place, size in growth.places)
    return f"""# What connections leave behind

{about}

{growth.connections:,} connections opened, used and closed or cut, a quarter each of WebSockets, event streams, long-polls and plain
reads, 50 at once, in {growth.seconds:,.0f} s under memray.

| | |
|---|---|
| allocated meanwhile and still held, after a collection | {growth.net_bytes:,} bytes ({each:.1f} a connection) |
| resident memory before and after | {growth.resident_kib[0]:,} and {growth.resident_kib[1]:,} KiB |

What holds most of it (whatever was exchanged for another meanwhile is counted too; `mmap` are arenas of Python's objects):

| allocated by | bytes |
|---|---|
{places}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=100_000)
    connections = parser.parse_args().connections
    load, when = os.getloadavg()[0], datetime.now(UTC)
    with tempfile.TemporaryDirectory() as directory:
        growth = measure(Path(directory) / "data", connections, "blocks")
    RESULTS.write_text(report(growth, when, load))


if __name__ == "__main__":
    main()
