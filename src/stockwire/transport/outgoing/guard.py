"""The guard: whatever leaves goes to a public address, or to a host that the operator named.

An address that somebody typed in must not become a way to the machines behind this one (server-side request forgery). So a
name is resolved here, every address it has is checked, and the connection is made to the very address that was checked: a
name that resolves to something else a moment later gains nothing. If one of a name's addresses is not public, none is
used. Redirects are not followed by anybody above this.

`Guarded` is the network of httpcore, and with it of webhooks and Web Push. Apprise has a process of its own, where the same
check stands in front of every socket (courier.py).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import httpcore

from stockwire.core.errors import NotPublic, Refused
from stockwire.transport.outgoing.addresses import is_public, plain

ADDRESS_LENGTH: Final = 2_048
CONNECT_SECONDS: Final = 5.0
"""For one address; a host may have another that answers."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host name. Raises OSError."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses that the system has for a name, in its order. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Guard:
    """Knows where messages may go. `private`: the hosts, as addresses write them, that need not be public."""

    def __init__(self, private: Iterable[str] = (), resolve: Resolve = resolve) -> None:
        self.private = frozenset(plain(host) for host in private)
        self._resolve = resolve

    def parts(self, url: str) -> SplitResult:
        """The parts of an address over HTTP that something may be sent to. What it resolves to is checked when it is.

        Raises Refused.
        """
        try:
            found = urlsplit(url)
            host, _ = found.hostname or "", found.port
            host.encode("idna")
        except ValueError:  # a name that cannot be looked up is one too
            raise Refused("that is not an address such as https://example.com/hook") from None
        if len(url) > ADDRESS_LENGTH or not url.isascii() or not url.isprintable() or " " in url or not host:
            raise Refused("that is not an address such as https://example.com/hook")
        if found.username is not None or found.fragment:
            raise Refused("an address has no name, password or `#` in it; a receiver knows us by the signature")
        if found.scheme != "https" and not (found.scheme == "http" and plain(host) in self.private):
            raise Refused("an address begins with https://; http:// is for hosts that `private_receivers` names")
        self.check_literal(host)
        return found

    def check_literal(self, host: str) -> None:
        """Raises NotPublic for a host that is written as an address which is not public."""
        if plain(host) in self.private:
            return
        try:
            ipaddress.ip_address(plain(host))
        except ValueError:
            return
        if not is_public(plain(host)):
            raise NotPublic()

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where to connect to for that host: all public, or all of a named host. Raises NotPublic or OSError."""
        found = await self._resolve(host, port)
        if plain(host) not in self.private and not all(is_public(each) for each in found):
            raise NotPublic(
                f"{host} is at an address that is not public; the setting `private_receivers` names hosts that may be"
            )
        return found


class Guarded(httpcore.AsyncNetworkBackend):
    """A network that connects only to what the guard has checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        try:
            addresses = await self._guard.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known: {error.strerror or error}") from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                wait = min(timeout or CONNECT_SECONDS, CONNECT_SECONDS)
                return await self._network.connect_tcp(address, port, wait, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise NotPublic("messages do not go into files")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
