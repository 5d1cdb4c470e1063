"""Messages and the death of who sends them: the installed program, killed while a receiver thinks, alone and with workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.outgoing.house import House, house, ok
from tests.running import PATIENCE, Running, snapshot

PRIVATE = "private_receivers=127.0.0.1"


@asynccontextmanager
async def shop(folder: Path, *options: str) -> AsyncIterator[Running]:
    """A server with a webhook that tells `owner`, to be killed and started as the test likes."""
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


async def test_what_was_being_sent_when_the_server_was_killed_is_sent_again_under_the_same_id(tmp_path: Path) -> None:
    """With workers: any of them is asked, the writer sends, and the file is where they meet."""
    async with house() as inside, shop(tmp_path, "--workers", "2") as server:
        path = await webhook(server, inside)
        for _ in range(3):
            assert (await asked(server, "POST", f"{path}/test"))["state"] == "sent"
            assert (await asked(server, "GET", "/channels"))["channels"][0]["last_sent_at"] is not None
        assert len(set(ids(inside))) == 3
        inside.answer = lambda _: None
        asking = asyncio.create_task(asked(server, "POST", f"{path}/test"))
        await until(lambda: len(inside.came) == 4)
        await asyncio.to_thread(server.kill)
        with pytest.raises(httpx.HTTPError):
            await asking
        inside.answer = lambda _: ok(204)
        await asyncio.to_thread(server.start)
        await until(lambda: len(inside.came) == 5)
        assert ids(inside)[3] == ids(inside)[4] and len(set(ids(inside))) == 4
        assert (await asked(server, "POST", f"{path}/test"))["state"] == "sent"
        assert {each["state"] for each in (await asked(server, "GET", "/deliveries"))["deliveries"]} == {"sent"}
        assert len(inside.came) == 6
        await asyncio.to_thread(server.post, snapshot("MUG", 3))
        await asyncio.to_thread(server.post, snapshot("MUG", -2))
        await until(lambda: len(inside.came) >= 8)
        told = [json.loads(came.body) for came in inside.came[6:]]
        assert {each["type"] for each in told} == {"notification.fired"}
        assert "MUG is oversold at main" in {each["data"]["subject"] for each in told}
