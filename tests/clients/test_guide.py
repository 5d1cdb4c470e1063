"""Clients that know only docs/guides/read-along.md reach the same state as the database: its own examples are run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.e2e.browser import chromium, visit
from tests.running import Running, event, running, snapshot

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "read-along.md"
PATIENCE = 90.0
IN_WORDS = "() => { const log = console.log; console.log = (rows) => log(JSON.stringify(rows)); }"
LINE = {"sku": "MUG-01", "quantity": 1, "unit_price": "6.95"}
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("guide") / "data") as server:
        server.post(snapshot("MUG-01", 3), snapshot("MUG-02", 40))
        yield server


def example(heading: str) -> str:
    """The first code block under a heading of the guide."""
    section = GUIDE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.search(r"```\w+\n(.*?)```", section, re.DOTALL)[1]  # type: ignore[index]


class Reader:
    """An example running as a process; `until` waits for its output to say something."""

    def __init__(self, command: list[str], server: Running, text: str = "") -> None:
        self._lines: Queue[str] = Queue()
        self._seen: list[str] = []
        environment = os.environ | {"STOCKWIRE_KEY": server.key, "PYTHONUNBUFFERED": "1", "PATH": PATH}
        self._process = subprocess.Popen(
            [*command, text] if text else command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def until(self, pattern: str) -> str:
        """The first line from here on that the pattern is found in."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"no line has {pattern!r} in:\n{''.join(self._seen)}") from None
            self._seen.append(line)
            if re.search(pattern, line):
                return line

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, 9)
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def shell(heading: str, server: Running) -> Reader:
    text = (
        example(heading)
        .replace("http://127.0.0.1:8420", server.url)
        .replace("ws://127.0.0.1:8420", server.url.replace("http", "ws"))
    )
    return Reader(["bash", "-c", text], server)


def python(heading: str, server: Running) -> Reader:
    text = example(heading).replace("127.0.0.1:8420", f"127.0.0.1:{server.port}")
    return Reader([sys.executable, "-c", text], server)


def test_curl_reads_along(server: Running) -> None:
    with shell("curl", server) as reader:
        reader.until(r'"type":"snapshot".*"sku":"MUG-01"')
        server.post(snapshot("MUG-01", 2))
        reader.until(r'"type":"delta".*"sku":"MUG-01".*"on_hand":2')


@pytest.mark.skipif(not shutil.which("websocat", path=PATH),
                    reason="websocat has no package for this kind of machine")  # fmt: skip
def test_websocat_reads_along(server: Running) -> None:
    with shell("websocat", server) as reader:
        reader.until(r'"type":"snapshot".*"sku":"MUG-02"')
        server.post(snapshot("MUG-02", 41))
        reader.until(r'"type":"delta".*"sku":"MUG-02".*"on_hand":41')


def test_python_websockets_reads_along(server: Running) -> None:
    with python("Python, websockets", server) as reader:
        reader.until(r"snapshot \d+")
        server.post(snapshot("MUG-03", 1))
        reader.until(r"delta 3")


def test_httpx_sse_reads_along(server: Running) -> None:
    with python("Python, httpx-sse", server) as reader:
        reader.until(r"snapshot 0")
        server.post(event("order.placed", order_id="1001", currency="EUR", lines=[LINE]))
        reader.until(r"delta 1")


@pytest.mark.browser
def test_the_browsers_own_event_source_reads_along(server: Running) -> None:
    server.post(event("order.placed", order_id="2001", currency="EUR", lines=[LINE]))
    with chromium() as browser, visit(browser, server) as page:
        page.evaluate(IN_WORDS)
        with page.expect_console_message(lambda said: '"orders_placed"' in said.text):
            page.evaluate("() => {" + example("The browser's EventSource") + "}")
        with page.expect_console_message(lambda said: f'"value":{before + 1},' in said.text):
            before = placed(server)
            server.post(event("order.placed", order_id="2002", currency="EUR", lines=[LINE]))


def placed(server: Running) -> int:
    """How many orders the database says were placed today."""
    [row] = server.get("/api/v1/metrics", metric="orders_placed", period="today")["rows"]
    return int(row["value"])
