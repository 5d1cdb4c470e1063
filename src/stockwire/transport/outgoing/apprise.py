"""E-mail, Slack, Teams, Telegram, ntfy and more: the services that Apprise speaks, each as an address of Apprise.

Only services are taken that go over ordinary sockets of Python, because that is what the guard stands in front of (courier.py);
what speaks to the desktop, to devices or by programs of its own is refused by name. So are parameters that read files.

Couriers are processes: one is started when there is something to take, rests for a while, and is ended. Each takes one
message at a time, and is ended when that takes too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from stockwire.core.errors import Refused
from stockwire.core.retrying import Outcome
from stockwire.core.telling import Message
from stockwire.log.deliveries import Channel
from stockwire.transport.outgoing.courier import Company, Errand
from stockwire.transport.outgoing.guard import ADDRESS_LENGTH, Guard

SCHEMES: Final = frozenset(
    {
        "mailto", "mailtos", "slack", "workflow", "workflows", "tgram", "ntfy", "ntfys", "discord", "gchat",
        "gotify", "gotifys", "hassio", "hassios", "mailgun", "matrix", "matrixs", "mmost", "mmosts", "opsgenie",
        "pagerduty", "pbul", "pover", "prowl", "rocket", "rockets", "sendgrid", "signal", "signals", "sns", "twilio",
        "wxteams", "zulip",
    }
)  # fmt: skip
"""Of Apprise's schemes those that are taken."""

DEADLINE: Final = 40.0
"""Seconds for one message, the start of a courier included."""
IDLE: Final = 30.0
"""Seconds for which a courier rests."""
COURIERS: Final = 3
COMMAND: Final = (sys.executable, "-I", "-m", "stockwire.transport.outgoing.courier")

_ADDRESS: Final = re.compile(r"([a-z0-9]+)://(\S+)", re.IGNORECASE)
_READS_FILES: Final = ("attach", "template", "pgp", "smime", "keyfile", "config")
_KINDS: Final = {"info": "info", "warning": "warning", "critical": "failure"}
_FOR_PEOPLE: Final = str.maketrans({"<": "‹", ">": "›", "@": "@\u200b", "`": "'"})


def checked(address: str, guard: Guard) -> str:
    """The address, when it is one that is taken. What it resolves to is checked when something is sent. Raises Refused."""
    found = _ADDRESS.fullmatch(address)
    if found is None or len(address) > ADDRESS_LENGTH or not address.isprintable():
        raise Refused("that is not an address of Apprise, such as mailtos://user:password@example.com")
    scheme = found[1].lower()
    if scheme not in SCHEMES:
        raise Refused(
            f"`{scheme}://` is not taken: its connections cannot be checked; these are: {', '.join(sorted(SCHEMES))}"
        )
    for name, _ in parse_qsl(found[2].partition("?")[2], keep_blank_values=True):
        if name.lower().startswith(_READS_FILES):
            raise Refused(f"the parameter `{name}` is not taken: a message reads no files of this machine")
    host = found[2].partition("?")[0].partition("/")[0].rpartition("@")[2]
    guard.check_literal(host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0])
    return address


class Couriers:
    """The processes that take messages. `command` starts one; `private` are the hosts that need not be public."""

    def __init__(
        self,
        private: Iterable[str],
        *,
        command: Sequence[str] = COMMAND,
        deadline: float = DEADLINE,
        idle: float = IDLE,
    ) -> None:
        self._company = Company(tuple(sorted(private)))
        self._command = command
        self._deadline = deadline
        self._idle = idle
        self._room = asyncio.Semaphore(COURIERS)
        self._resting: list[asyncio.subprocess.Process] = []
        self._waiting: set[asyncio.TimerHandle] = set()

    async def close(self) -> None:
        """End every courier."""
        for timer in self._waiting:
            timer.cancel()
        resting, self._resting = self._resting, []
        for process in resting:
            await _ended(process)

    async def send(self, channel: Channel, message: Message) -> Outcome:
        """Have a courier take the message. Never raises for what the other side does."""
        async with self._room:
            process = None
            try:
                async with asyncio.timeout(self._deadline):
                    process = self._resting.pop() if self._resting else await self._hired()
                    outcome = await _taken(process, errand(channel, message))
            except TimeoutError:
                outcome = Outcome("failed", f"not sent within {self._deadline:g} seconds")
            except (OSError, msgspec.MsgspecError):
                outcome = Outcome("failed", "the process that sends it ended")
            except BaseException:
                if process is not None:
                    await _ended(process)
                raise
            else:
                self._rest(process)
                return outcome
            if process is not None:
                await _ended(process)
            return outcome

    async def _hired(self) -> asyncio.subprocess.Process:
        quiet = asyncio.subprocess.DEVNULL
        surroundings = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": os.devnull}
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=quiet,
            env=surroundings, cwd="/",
        )  # fmt: skip
        try:
            await _write(process, self._company)
        except BaseException:
            await _ended(process)
            raise
        return process

    def _rest(self, process: asyncio.subprocess.Process) -> None:
        self._resting.append(process)

        def retire() -> None:
            self._waiting.discard(timer)
            if process in self._resting:
                self._resting.remove(process)
                process.stdin.close()  # type: ignore[union-attr]

        timer = asyncio.get_running_loop().call_later(self._idle, retire)
        self._waiting.add(timer)


def errand(channel: Channel, message: Message) -> Errand:
    """What a courier is told. Chats read signs as commands (`@everyone`); e-mail does not."""
    kind = "success" if message.happened == "resolved" else _KINDS.get(message.severity, "info")
    title, body = message.subject, message.text
    if channel.service != "email":
        title, body = title.translate(_FOR_PEOPLE), body.translate(_FOR_PEOPLE)
    return Errand(channel.address, title, body, kind)


async def _write(process: asyncio.subprocess.Process, said: msgspec.Struct) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(said) + b"\n")
    await process.stdin.drain()


async def _taken(process: asyncio.subprocess.Process, told: Errand) -> Outcome:
    await _write(process, told)
    assert process.stdout is not None
    return msgspec.json.decode(await process.stdout.readline(), type=Outcome)


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
