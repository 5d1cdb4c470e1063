"""The guides' own examples do what they say."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from stockwire.core.retrying import Outcome
from stockwire.core.values import SECOND
from stockwire.transport.outgoing.apprise import checked
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.posting import Post
from stockwire.transport.outgoing.webhook import Webhook
from stockwire.writing import moment_now
from tests.outgoing.house import SECRET, channel, message
from tests.running import free_port

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


async def sent(post: Post, port: int, secret: str, now: int) -> Outcome:
    there = channel(f"http://127.0.0.1:{port}/hook", secret=secret)
    return await Webhook(post, lambda: now).send(there, message())


async def test_the_receiver_of_the_guide_takes_what_is_signed_and_shows_each_once() -> None:
    code = re.search(r"```python\n(.*?)```", (GUIDES / "webhook.md").read_text(), re.DOTALL)
    assert code is not None
    port = free_port()
    surroundings = os.environ | {"STOCKWIRE_WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", code[1], env=surroundings,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    post = Post(Guard(["127.0.0.1"]))
    try:
        while (first := await sent(post, port, SECRET, moment_now())).detail and receiver.returncode is None:
            assert "answered" not in first.detail
        assert (await sent(post, port, SECRET, moment_now())).kind == "sent"
        assert (await sent(post, port, SECRET[:-6] + "AAAAA=", moment_now())).detail == "answered 401"
        assert (await sent(post, port, SECRET, moment_now() - 600 * SECOND)).detail == "answered 401"
    finally:
        receiver.kill()
        said, _ = await receiver.communicate()
        await post.close()
    assert said.decode().splitlines() == ["Mug is out of stock at main"]


@pytest.mark.parametrize("guide", ["email", "slack", "teams", "telegram", "ntfy"])
def test_every_address_of_the_guides_is_one_that_is_taken(guide: str) -> None:
    addresses = re.findall(
        r"\b(?:mailtos?|slack|workflows|tgram|ntfys?)://[^\s'`…]+", (GUIDES / f"{guide}.md").read_text()
    )
    assert addresses
    for address in addresses:
        assert checked(address, Guard()) == address
