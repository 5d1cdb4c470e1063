"""Messages and the death of who sends them: the installed program, its writer killed while a receiver thinks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.outgoing.house import House, house, ok
from tests.running import PATIENCE, Running, snapshot

PRIVATE = "private_receivers=127.0.0.1"


@asynccontextmanager
async def shop(folder: Path, *options: str) -> AsyncIterator[Running]:
    """A server that may send to this machine."""
    server = Running(folder / "data", "--set", PRIVATE, *options)
    try:
        await asyncio.to_thread(server.start)
        yield server
    finally:
        await asyncio.to_thread(server.kill)


async def until(so: Callable[[], bool]) -> None:
    """Wait until that is so; what it hangs on is another process."""
    async with asyncio.timeout(PATIENCE):
        while not so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def ids(inside: House) -> list[str]:
    return [came.headers["webhook-id"] for came in inside.came]


async def asked(server: Running, method: str, path: str, body: Any = None) -> Any:
    """Ask over a connection of its own, so that any worker may be the one."""
    async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=PATIENCE) as client:
        answer = await client.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


async def webhook(server: Running, inside: House) -> str:
    """The path of a channel that leads to the receiver."""
    new = {"kind": "webhook", "name": "office", "address": inside.address}
    return f"/channels/{(await asked(server, 'POST', '/channels', new))['channel']['channel_id']}"


async def sent(server: Running, delivery_id: int) -> None:
    """Wait until the other side has taken it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = (await asked(server, "GET", "/deliveries"))["deliveries"]
            if {each["delivery_id"]: each["state"] for each in found}[delivery_id] == "sent":
                return
            await asyncio.sleep(0.05)


async def happens(server: Running, event: dict[str, Any]) -> None:
    """Post an event until it is taken: a worker may not have found the new writer yet."""
    async with asyncio.timeout(PATIENCE):
        async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=PATIENCE) as client:
            while (await client.post("/api/v1/events", json=event)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_what_was_being_sent_when_the_writer_was_killed_is_sent_again_under_the_same_id(tmp_path: Path) -> None:
    """With workers: any of them is asked, the writer sends, and the file is where they meet."""
    async with house() as inside, shop(tmp_path, "--workers", "2") as server:
        path = await webhook(server, inside)
        for _ in range(3):
            await sent(server, (await asked(server, "POST", f"{path}/test"))["delivery_id"])
        assert len(set(ids(inside))) == 3
        inside.answer = lambda _: None
        asking = asyncio.create_task(asked(server, "POST", f"{path}/test"))
        await until(lambda: len(inside.came) == 4)
        inside.answer = lambda _: ok(204)
        os.kill(int((server.data_dir / "lock").read_text()), signal.SIGKILL)
        await until(lambda: len(inside.came) == 5)
        await sent(server, (await asking)["delivery_id"])
        assert ids(inside)[3] == ids(inside)[4] and len(set(ids(inside))) == 4
        await happens(server, snapshot("MUG", 3))
        await happens(server, snapshot("MUG", -2))
        await until(lambda: len(inside.came) >= 6)
        told = [json.loads(came.body) for came in inside.came[5:]]
        assert [(each["type"], each["data"]["subject"]) for each in told] == [
            ("notification.fired", "MUG is oversold at main")
        ]
