"""The server has its log verified by another process, and records what was found."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from stockwire.core.rows import MetricRow
from stockwire.core.values import HOUR
from stockwire.engine.scribe import Scribe
from stockwire.engine.verifying import Verifier
from stockwire.log.sqlite import FILE, SqliteLog
from tests.log.history import RECORDED, SETTINGS, receipt
from tests.running import PATIENCE


def scribe(directory: Path, log: SqliteLog, every: int, now: int = RECORDED) -> Scribe:
    loaded = log.load()
    verifier = Verifier(directory, every, loaded, lambda: now)
    return Scribe(log, loaded, SETTINGS, now=lambda: now, ticking=False, retention=HOUR, verifier=verifier)


def metric(log: SqliteLog, name: str) -> MetricRow:
    return log.load().metrics[(name, "now")]


async def test_a_log_that_was_never_verified_is_and_what_differs_is_drift(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    for differing in (0, 1):  # the second is an hour later, when it is due again
        writing = scribe(tmp_path, log, HOUR, RECORDED + differing * HOUR)
        await writing.start(lambda _: None, lambda _: None)
        await writing.submit([receipt(1)])
        clock = log.load().clock
        await writing.verify_if_due()
        assert (metric(log, "drift").value, metric(log, "last_verified_at").state) == (differing, "ok")
        version = log.version
        await writing.verify_if_due()
        assert log.version == version and log.load().clock == clock  # not due, and no event of the shop
        await writing.stop()
        tamper(tmp_path)
    log.close()


def tamper(directory: Path) -> None:
    connection = apsw.Connection(str(directory / FILE))
    connection.execute("UPDATE inventory SET on_hand = on_hand + 1000")
    connection.close()


async def test_nobody_verifies_where_it_is_set_to_never(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    writing = scribe(tmp_path, log, 0)
    await writing.start(lambda _: None, lambda _: None)
    await writing.submit([receipt(1)])
    await writing.verify_if_due()
    assert metric(log, "drift").state == "no_data"
    await writing.stop()
    log.close()


FOR_EVER = """
import sys, tempfile
from stockwire.engine.verifying import with_parent
with_parent()
with tempfile.TemporaryDirectory(dir=sys.argv[1]):
    print("begun", flush=True)
    while True:
        pass
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdin=subprocess.PIPE)
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.parametrize("ignored", [signal.SIGCONT, signal.SIGINT], ids=["in the foreground", "in the background"])
def test_what_verifies_ends_with_a_server_that_is_killed_and_leaves_nothing(
    tmp_path: Path, ignored: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(ignored, signal.SIG_IGN),
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        (said,) = {parent.stdout.readline().strip(), parent.stdout.readline().strip()} - {"begun"}
        child = os.pidfd_open(int(said))
        try:
            assert list(tmp_path.iterdir())
            parent.kill()
            parent.wait()
            assert select.select([child], [], [], PATIENCE)[0], "the child lives on"
            assert list(tmp_path.iterdir()) == []
        finally:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
            os.close(child)
