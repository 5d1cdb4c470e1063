"""Long-poll behind a proxy that keeps answers: however many ask the same, the server is asked once."""

from __future__ import annotations

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from stockwire.testing import Receiver
from tests.connection.nginx import COLLAPSING, nginx
from tests.running import PATIENCE, Running, snapshot

SCREENS = 20


def waiting_at(url: str) -> int:
    """How many connections the proxy has, this one included."""
    return int(re.findall(r"Active connections: (\d+)", httpx.get(f"{url}/status").text)[0])


def shown(screen: Receiver, answer: httpx.Response) -> None:
    for frame in answer.json()["frames"]:
        screen.take(frame)


def test_a_proxy_asks_once_for_all_who_are_at_the_same_cursor(tmp_path: Path) -> None:
    server = Running(tmp_path / "data").start()
    try:
        server.post(snapshot("MUG", 3))
        with nginx(tmp_path / "nginx", server.port, COLLAPSING) as proxy:
            url = proxy.url
            screens = [Receiver() for _ in range(SCREENS)]

            def ask(screen: Receiver) -> httpx.Response:
                views = f'[{{"id":"stock","feed":"inventory","cursor":"{screen.cursor("stock")}"}}]'
                with httpx.Client(base_url=url, headers=server.headers, timeout=PATIENCE) as client:
                    return client.get("/api/v1/poll", params={"views": views, "wait": 55})

            first = httpx.get(
                f"{server.url}/api/v1/poll",
                params={"views": '[{"id":"stock","feed":"inventory"}]'},
                headers=server.headers,
            )
            for screen in screens:
                shown(screen, first)
            with ThreadPoolExecutor(SCREENS) as pool:
                answers = [pool.submit(ask, screen) for screen in screens]
                deadline = time.monotonic() + PATIENCE
                while waiting_at(url) < SCREENS + 1:
                    assert time.monotonic() < deadline, "the screens do not come to the proxy"
                server.post(snapshot("MUG", 2))
                given = [answer.result() for answer in answers]
        for screen, answer in zip(screens, given, strict=True):
            shown(screen, answer)
            assert screen.rows("stock")[("MUG", "main")]["on_hand"] == 2
            assert "reset" not in screen.seen
        assert Counter(answer.headers["x-cache"] for answer in given) == {"MISS": 1, "HIT": SCREENS - 1}
    finally:
        server.kill()
