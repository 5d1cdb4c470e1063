"""The courier: a process of its own that speaks Apprise, with a guard in front of every socket.

Apprise opens its connections itself, with two libraries and more than a hundred plugins, so no HTTP client of ours could hold it
to checked addresses. A process can: names are resolved here, each of their addresses is checked, and an audit hook of
the interpreter lets nothing connect or send but to an address that was checked just so. It also ends what an address must not be
able to do: start programs and open files. Hooks cannot be taken away again, which is why this is no thread of the server; and a
process that hangs can be ended, a thread cannot.

It reads one line of JSON for each message on standard input and answers with one line. The first line says who may be private.
"""

from __future__ import annotations

import logging
import mimetypes
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import msgspec

from stockwire.core.retrying import SENT, Outcome
from stockwire.transport.outgoing.addresses import is_public, plain

_REACHING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_FORBIDDEN: Final = frozenset(
    {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"}
)
_DETAIL: Final = 300


class Errand(msgspec.Struct, frozen=True):
    """One message to take: the address of Apprise, its words, and Apprise's own kind of it."""

    address: str
    title: str
    body: str
    kind: str


class Company(msgspec.Struct, frozen=True):
    """The first line: the hosts that need not be public."""

    private: tuple[str, ...]


class NotAllowed(PermissionError):
    """What was about to happen is not for a message to do."""


class Sockets:
    """Lets nothing out but to what it has resolved and checked. `refused` names the last host that was not public."""

    def __init__(self, private: tuple[str, ...], really: Callable[..., Any] = socket.getaddrinfo) -> None:
        self.refused: str | None = None
        self._private = frozenset(map(plain, private))
        self._really = really
        self._checked: set[str] = set()

    def getaddrinfo(self, host: Any, *rest: Any, **more: Any) -> Any:
        """The addresses of a host, all of them public; else it is as if there were no such host."""
        name = plain(host.decode() if isinstance(host, bytes) else str(host or ""))
        found = self._really(host, *rest, **more)
        addresses = {str(address[0]) for *_, address in found}
        if name not in self._private and not all(map(is_public, addresses)):
            self.refused = name
            raise socket.gaierror(socket.EAI_NONAME, "not a public address")
        self._checked |= addresses
        return found

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event in _REACHING:
            to = arguments[1]
            if not isinstance(to, tuple) or str(to[0]) not in self._checked:
                raise NotAllowed("nothing goes to an address that was not checked")
        elif event in _FORBIDDEN:
            raise NotAllowed("messages start no programs")
        elif event == "open":
            self._watch_file(*arguments)

    @staticmethod
    def _watch_file(path: Any, mode: Any, flags: int) -> None:
        """Files are read of the program itself alone, and none is written."""
        if isinstance(path, int):
            return
        inside = os.path.realpath(os.fsdecode(path)).startswith((sys.prefix, sys.base_prefix, "/dev/null"))
        if not inside or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise NotAllowed("messages open no files")


class Said(logging.Handler):
    """Keeps what Apprise says went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(" ".join(record.getMessage().split()))


class Courier:
    """Takes errands, one at a time."""

    def __init__(self, sockets: Sockets) -> None:
        import apprise

        self._apprise = apprise
        self._sockets = sockets
        self._said = Said()
        logger = logging.getLogger("apprise")
        logger.addHandler(self._said)
        logger.propagate = False
        self._asset = apprise.AppriseAsset(
            app_id="Stockwire", app_desc="Stockwire", async_mode=False, storage_mode="memory", secure_logging=True,
            allow_templates=False, http_redirects=False, plugin_paths=[],
        )  # fmt: skip
        apprise.Apprise.instantiate("json://localhost", asset=self._asset)
        mimetypes.init()

    def take(self, errand: Errand) -> Outcome:
        """Send one message. Never raises."""
        self._said.lines.clear()
        self._sockets.refused = None
        try:
            receiver = self._apprise.Apprise.instantiate(errand.address, asset=self._asset)
            if not receiver:
                return Outcome("refused", "Apprise does not understand this address")
            done = receiver.notify(
                body=errand.body, title=errand.title, notify_type=self._apprise.NotifyType(errand.kind),
                body_format=self._apprise.NotifyFormat.TEXT,
            )  # fmt: skip
        except Exception as error:
            return self._failed(errand, type(error).__name__)
        return SENT if done else self._failed(errand, "it was not taken")

    def _failed(self, errand: Errand, otherwise: str) -> Outcome:
        if self._sockets.refused is not None:
            return Outcome("refused", f"{self._sockets.refused} is at an address that is not public")
        said = "; ".join(self._said.lines[-2:]) or otherwise
        return Outcome("failed", redacted(said, errand.address)[:_DETAIL])


def redacted(said: str, address: str) -> str:
    """What was said, without any part of the address that may be a secret."""
    for character in ":/@?&=#,":
        address = address.replace(character, " ")
    for part in sorted(address.split(), key=len, reverse=True):
        if len(part) >= 6:
            said = said.replace(part, "••••")
    return said


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Take errands from the one and answer to the other, until there are no more."""
    company = msgspec.json.decode(source.readline(), type=Company)
    sockets = Sockets(company.private)
    courier = Courier(sockets)
    socket.getaddrinfo = sockets.getaddrinfo
    sys.addaudithook(sockets.watch)
    for line in source:
        outcome = courier.take(msgspec.json.decode(line, type=Errand))
        sink.write(msgspec.json.encode(outcome) + b"\n")
        sink.flush()


def main() -> None:
    """Serve on standard input and output; whatever a plugin prints goes nowhere."""
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
