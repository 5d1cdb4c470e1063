"""The Autobahn suite against what our WebSocket reads and writes with.

    make autobahn

The suite wants an echo, which our server is not: here the same handshake, inbox and frames that serve the streams give back
each message. It runs where there is a `wstest` (the package `autobahntestsuite`, which needs Python 2.7); elsewhere it is
left out and the reason printed. Fails when a case does. `tests/transport/test_websocket_conduct.py` goes through the same
classes of cases everywhere.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from wsproto.frame_protocol import Opcode
from wsproto.utilities import generate_accept_token

from stockwire.engine.forms import websocket_message
from stockwire.transport.takeover import inbound
from stockwire.transport.takeover.inbound import Close, Inbox, Ping, Text, plain_texts

ROOMY = 64 * 2**20
"""The suite's messages are larger than our limit."""
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]


class Binary(inbound.Text):
    """A whole binary message, kept as text of one character a byte."""


class EchoInbox(Inbox):
    """An inbox that takes binary messages too."""

    def _understand(self, opcode: Opcode, payload: object, *, finished: bool) -> Any:
        if isinstance(payload, bytes | bytearray) and opcode in (Opcode.BINARY, Opcode.CONTINUATION):
            whole = self._piece(payload.decode("latin-1"), finished=finished)
            return Binary(whole.text) if isinstance(whole, Text) else whole
        return super()._understand(opcode, payload, finished=finished)


class Echo(asyncio.Protocol):
    """A connection that gives back what comes."""

    def __init__(self) -> None:
        self._head = b""
        self._inbox: EchoInbox | None = None

    def connection_made(self, transport: Any) -> None:
        """The client is there."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The handshake, then frames."""
        if self._inbox is not None:
            self._take(data)
            return
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = generate_accept_token(key.split(b":", 1)[1].strip())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._inbox = EchoInbox(deflated=False)
        if rest:
            self._take(rest)

    def _take(self, data: bytes) -> None:
        assert self._inbox is not None
        texts = plain_texts(data) if self._inbox.idle else None
        if texts is not None:
            for text in texts:
                self._transport.write(websocket_message(0x81, text.encode()))
            return
        for said in self._inbox.take(data):
            match said:
                case Binary(text):
                    self._transport.write(websocket_message(0x82, text.encode("latin-1")))
                case Text(text):
                    self._transport.write(websocket_message(0x81, text.encode()))
                case Ping(answer):
                    self._transport.write(answer)
                case Close(code, _):
                    self._transport.write(websocket_message(0x88, code.to_bytes(2, "big")))
                    self._transport.close()
                    return


async def suite(wstest: str) -> list[str]:
    """Run it; gives the cases that failed."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as made:
        told = {
            "outdir": made, "servers": [{"agent": "Stockwire", "url": f"ws://127.0.0.1:{port}"}], "cases": CASES,
            "exclude-cases": [], "exclude-agent-cases": {},
        }  # fmt: skip
        (Path(made) / "spec.json").write_text(json.dumps(told))
        command = [wstest, "--mode", "fuzzingclient", "--spec", str(Path(made) / "spec.json")]
        await asyncio.to_thread(subprocess.run, command, check=True, timeout=1_800)
        found = json.loads((Path(made) / "index.json").read_text())["Stockwire"]
    server.close()
    failed = [name for name, case in found.items() if "FAILED" in (case["behavior"], case["behaviorClose"])]
    print(f"{len(found)} cases, {len(failed)} failed {' '.join(failed)}".rstrip())
    return failed


def main() -> int:
    """The exit code."""
    wstest = shutil.which("wstest")
    if wstest is None:
        print("The Autobahn suite is left out: there is no `wstest` (autobahntestsuite needs Python 2.7).")
        return 0
    with mock.patch.object(inbound, "FRAME_BYTES", ROOMY):
        return 1 if asyncio.run(suite(wstest)) else 0


if __name__ == "__main__":
    sys.exit(main())
