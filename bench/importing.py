"""Importing a real wholesaler's year: rows a second, end to end and durable, and the process's greatest memory.

Run as `python bench/importing.py`; it needs the real files in ../shared/data. Imports into a temporary data directory with the
installed program, then once more over what is there. Writes bench/results/import.json and import.md.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import apsw

from stockwire import __version__

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"
YEAR = DATA / "online_retail_dev_2009-12_2010-11.csv.gz"
OPENING = DATA / "derived_opening_stock_dev.csv.gz"
ROWS = 502_938


def measured(data_dir: str) -> dict[str, Any]:
    """One import: wall and processor seconds, rows a second, and memory."""
    arguments = [sys.executable, "-m", "stockwire", "import", str(YEAR), "--format", "online-retail"]
    arguments += ["--opening-stock", str(OPENING), "--data-dir", data_dir]
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the import ended with {process.returncode}")
    processor = usage.ru_utime + usage.ru_stime
    return {
        "seconds": round(seconds, 1),
        "rows_a_second": round(ROWS / seconds),
        "processor_seconds": round(processor, 1),
        "rows_a_processor_second": round(ROWS / processor),
        "memory_mib": usage.ru_maxrss // 1024,
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="stockwire-bench-") as data_dir:
        first, again = measured(data_dir), measured(data_dir)
        size = sum(file.stat().st_size for file in Path(data_dir).iterdir())
    versions = {"stockwire": __version__, "python": platform.python_version(), "sqlite": apsw.sqlite_lib_version()}
    result = {
        "command": "python bench/importing.py",
        "versions": versions,
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "rows": ROWS,
        "disk_mib": size >> 20,
        "first": first,
        "again": again,
    }
    (HERE / "results" / "import.json").write_text(json.dumps(result, indent=2) + "\n")
    (HERE / "results" / "import.md").write_text(table(result))
    print(table(result))


def table(result: dict[str, Any]) -> str:
    """The result as a page."""
    said = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    lines = [
        "# Importing a year",
        "",
        f"`{result['command']}`: {result['rows']:,} invoice lines of the Online Retail data with the derived opening stock, "
        "from packed CSV to the durable log (`synchronous=FULL`) with rows, movements and metrics. "
        f"{said}; {result['processors']} processors, load average {result['load']} at the end (more than the processors: "
        f"the wall's figures are too low). {result['disk_mib']} MiB on disk. Goals: 5,000 rows/s, under 1,024 MiB.",
        "",
        "| | rows/s | seconds | rows per processor second | processor seconds | memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for name, label in (("first", "first import"), ("again", "importing again (nothing new)")):
        each = result[name]
        lines.append(
            f"| {label} | {each['rows_a_second']:,} | {each['seconds']} | {each['rows_a_processor_second']:,} "
            f"| {each['processor_seconds']} | {each['memory_mib']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
