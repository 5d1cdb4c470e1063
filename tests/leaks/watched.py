"""The whole server in a process of its own, with memray between two signals.

    python -m tests.leaks.watched DIRECTORY PORT objects|blocks

`objects` follows every allocation of Python, which is slow and names the places. `blocks` follows what Python and its
libraries take from the system, arenas of objects among it: what the process has grown by.

SIGUSR1: begin to watch. SIGUSR2: end, and write to `net.json` beside the data what was allocated in between and is still
held, by the place that allocated it. What was replaced in between (an entry of a cache for another) counts too, so the
figure is never too small.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import memray

from stockwire.app import Stockwire
from stockwire.serving import serve
from stockwire.settings import Settings

PLACES = 12


async def watch(directory: Path, *, objects: bool) -> None:
    """Watch from one signal to the other."""
    captured = directory.with_suffix(".memray")
    begin, end = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, begin.set)
    loop.add_signal_handler(signal.SIGUSR2, end.set)
    done(directory, "ready", {})
    await begin.wait()
    gc.collect()
    form = memray.FileFormat.AGGREGATED_ALLOCATIONS
    destination = memray.FileDestination(captured, overwrite=True)
    with memray.Tracker(destination=destination, trace_python_allocators=objects, file_format=form):
        done(directory, "watching", {})
        await end.wait()
        gc.collect()
    done(directory, "net", held(captured, objects=objects))


def held(captured: Path, *, objects: bool) -> dict[str, Any]:
    """The bytes still held, in all and by the places that hold most. Where objects are counted, arenas of them are not."""
    places: Counter[str] = Counter()
    with memray.FileReader(captured) as reader:
        for record in reader.get_leaked_allocation_records(merge_threads=True):
            if not objects or record.allocator != memray.AllocatorType.MMAP:
                places[place(record)] += record.size
    return {"bytes": places.total(), "places": places.most_common(PLACES)}


def place(record: memray.AllocationRecord) -> str:
    """Where an allocation was made: the innermost line, and the innermost of ours."""
    stack = [f"{Path(file).name}:{line} {function}" for function, file, line in record.stack_trace(max_stacks=20)]
    ours = [f"{Path(file).name}:{line}" for _, file, line in record.stack_trace(max_stacks=20) if "/stockwire/" in file]
    return " < ".join([*stack[:1], *ours[:1]])


def done(directory: Path, what: str, value: dict[str, Any]) -> None:
    """Say that something is done: a file of that name, there once it is whole."""
    part = directory.with_suffix(".part")
    part.write_text(json.dumps(value))
    os.replace(part, directory.with_suffix(f".{what}"))


def main() -> None:
    directory, port, what = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

    async def beside(_: Stockwire) -> None:
        await watch(directory, objects=what == "objects")
        await asyncio.Event().wait()

    serve(Settings(data_dir=directory, port=port), lambda url, link: None, beside)


if __name__ == "__main__":
    main()
