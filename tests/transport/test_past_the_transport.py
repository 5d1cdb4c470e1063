"""What the rounds write past the transports arrives as if it had gone through them: whole, in order and once, whatever a
client does meanwhile, on either event loop.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
import uvloop

from stockwire.engine import rounds
from stockwire.engine.volley import left_to_transports, volley
from stockwire.testing import Receiver
from stockwire.transport.takeover.links import TransportLink, descriptor_of
from tests.core.shop import changes, stock
from tests.transport.place import KEY, Place, served, until

BOTH = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@pytest.fixture(params=dict.fromkeys((left_to_transports, volley)), autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounds' volley, compiled or not."""
    monkeypatch.setattr(rounds, "volley", request.param)


Run = Callable[[Coroutine[Any, Any, None]], None]
LONG = "x" * 2_000


class Client:
    """An event stream over a bare socket, read only when a test says so."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.receiver = Receiver()
        self._text = b""

    async def read(self, until: Callable[[Receiver], bool]) -> None:
        """Take frames until that holds of what was taken. Every frame must be whole and follow the one before."""
        loop = asyncio.get_running_loop()
        while not until(self.receiver):
            data = await loop.sock_recv(self.connection, 65_536)
            assert data, "the stream ended"
            self._text += data
            while b"\n\n\r\n" in self._text:
                event, _, self._text = self._text.partition(b"\n\n\r\n")
                lines = [line for line in event.split(b"\n") if line.startswith(b"data: ")]
                for line in lines:
                    self.receiver.take(json.loads(line.removeprefix(b"data: ")))


async def opened(place: Place) -> Client:
    """A client with little room, past its first content."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", place.port))
    fields = "".join(f"{name}: {value}\r\n" for name, value in KEY.items())
    await loop.sock_sendall(
        connection, f"GET /api/v1/stream?feed=inventory HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()
    )
    client = Client(connection)
    await client.read(lambda receiver: "snapshot" in receiver.seen)
    return client


def publish(place: Place, number: int) -> None:
    """One batch with a row so long that a few of them fill a socket."""
    place.shop.version += 1
    row = stock(place.shop.version, "A", number, name=LONG)
    place.shop.hub.publish(changes(place.shop.version, inventory={("A", "main"): row}))


def links(place: Place) -> list[TransportLink]:
    return [cast(TransportLink, guest) for guest in place.admission._guests]


def at(number: int) -> Callable[[Receiver], bool]:
    """Whether a client has seen that change."""
    return lambda receiver: any(
        int(row["on_hand"]) == number for view in receiver.views.values() for row in view.rows.values()
    )


async def direct(place: Place, count: int) -> None:
    """Wait until so many links are written to past their transports."""
    await until(lambda: sum(link.descriptor >= 0 for link in links(place)) == count)


@BOTH
def test_who_stops_reading_for_a_while_misses_nothing_and_reads_nothing_twice(run: Run) -> None:
    async def scene() -> None:
        async with served(Place()) as place, asyncio.timeout(60):
            slow, brisk = [await opened(place) for _ in range(2)]
            await direct(place, 2)
            number = 0
            for _ in range(3):
                while not any(link.is_late for link in links(place)):
                    number += 1
                    publish(place, number)
                    await brisk.read(at(number))
                [late] = [link for link in links(place) if link.is_late]
                held = late.outlet.get_write_buffer_size()
                assert held > 0
                publish(place, number := number + 1)
                await brisk.read(at(number))
                assert late.outlet.get_write_buffer_size() <= held
                await slow.read(at(number))
                await until(lambda: not any(link.is_late for link in links(place)))
            for client in (slow, brisk):
                client.connection.close()

    run(scene())


@BOTH
def test_clients_that_vanish_take_nobody_with_them(run: Run) -> None:
    async def scene() -> None:
        async with served(Place()) as place, asyncio.timeout(60):
            clients = [await opened(place) for _ in range(4)]
            await direct(place, 4)
            for client in clients[:3]:
                client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.connection.close()
            for number in range(1, 20):
                publish(place, number)
                await clients[3].read(at(number))
            await until(lambda: place.streams.rounds.links == 1)
            clients[3].connection.close()

    run(scene())


class _Transport:
    """A transport over a socket, with TLS or without."""

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        self._known = {"socket": connection, "sslcontext": tls}

    def get_extra_info(self, name: str) -> Any:
        return self._known.get(name)


def test_the_socket_below_tls_is_left_to_its_transport() -> None:
    with socket.socket() as connection:
        plain = cast(asyncio.Transport, _Transport(connection, None))
        secret = cast(asyncio.Transport, _Transport(connection, ssl.create_default_context()))
        assert descriptor_of(plain) == connection.fileno()
        assert descriptor_of(secret) == -1
