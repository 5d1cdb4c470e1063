"""Listening: where a server can be reached, and how a person gets in."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final, Protocol

Announce = Callable[[str, str], None]
"""Told the server's address and a sign-in link, once, when it answers."""


class Links(Protocol):
    """Whoever makes one-time sign-in tokens."""

    def create_link(self) -> str: ...


NOTSENT: Final = 8 * 1024
"""Bytes the kernel takes ahead of what it can send (TCP_NOTSENT_LOWAT). More would hide a stalled reader for long."""
USER_TIMEOUT: Final = 60_000
"""Milliseconds after which the kernel gives up a peer that acknowledges nothing (TCP_USER_TIMEOUT)."""

INHERITED: Final = tuple(
    (getattr(socket, name), value)
    for name, value in (("TCP_NOTSENT_LOWAT", NOTSENT), ("TCP_USER_TIMEOUT", USER_TIMEOUT))
    if hasattr(socket, name)
)
"""What every connection has of its listener, so that it need not be said for each."""


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket at that address, not yet listening; its connections hold little in the kernel, and are given up when dead.
    `shared`: others of ours may have it too. Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for option, value in INHERITED:
        listener.setsockopt(socket.IPPROTO_TCP, option, value)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def address(host: str, port: int) -> str:
    """Where people find a server that listens there."""
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def sign_in_link(links: Links, url: str) -> str:
    """A fresh one-time sign-in link for the page at `url`."""
    return f"{url}/sign-in#{links.create_link()}"
