"""A volley gives everybody the same bytes, and tells exactly who did not take how many of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from stockwire.engine.volley import volley

DATA = bytes(range(256)) * 4_096


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Three connections: our end, which does not block, and the client's."""
    made = [socket.socketpair() for _ in range(3)]
    for ours, _ in made:
        ours.setblocking(False)
    yield made
    for pair in made:
        for end in pair:
            end.close()


def read(client: socket.socket, size: int) -> bytes:
    """So many bytes, all of which are there."""
    found = b""
    while len(found) < size:
        found += client.recv(size - len(found))
    return found


def test_everybody_takes_the_same_bytes(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    assert volley([ours.fileno() for ours, _ in pairs], b"hello") == []
    assert [read(client, 5) for _, client in pairs] == [b"hello"] * 3


def test_who_takes_a_part_took_exactly_its_beginning(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    full, _ = pairs[1]
    full.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    for ours in (pairs[0][0], pairs[2][0]):
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    data = DATA[:40_000]
    [(index, taken)] = volley([ours.fileno() for ours, _ in pairs], data)
    assert index == 1
    assert 0 < taken < len(data)
    assert [read(pairs[at][1], size) for at, size in ((0, len(data)), (1, taken), (2, len(data)))] == [
        data, data[:taken], data,
    ]  # fmt: skip
    pairs[1][1].setblocking(False)
    with pytest.raises(BlockingIOError):
        pairs[1][1].recv(1)


def test_who_can_take_nothing_takes_nothing(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    full = pairs[0][0]
    with pytest.raises(BlockingIOError):
        while True:
            full.send(DATA)
    pairs[1][1].close()
    descriptors = [full.fileno(), pairs[1][0].fileno(), -1, pairs[2][0].fileno()]
    assert volley(descriptors, b"news") == [(0, 0), (1, 0), (2, 0)]
    assert read(pairs[2][1], 4) == b"news"
