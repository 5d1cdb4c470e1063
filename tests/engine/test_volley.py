"""A volley gives everybody the same bytes, and tells exactly who did not take how many of them, compiled or not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from stockwire.engine.volley import left_to_transports, volley

Pairs = list[tuple[socket.socket, socket.socket]]
Way = Callable[[list[int], bytes], list[tuple[int, int]]]
DATA = bytes(range(256)) * 4_096
EVERY_WAY = pytest.mark.parametrize("way", dict.fromkeys((left_to_transports, volley)))


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    """Three connections: our end and the client's."""
    made = [socket.socketpair() for _ in range(3)]
    for pair in made:
        for end in pair:
            end.setblocking(False)
    yield made
    for pair in made:
        for end in pair:
            end.close()


def all_that_came(client: socket.socket) -> bytes:
    found = b""
    try:
        while True:
            found += client.recv(65_536)
    except BlockingIOError:
        return found


def sent(way: Way, pairs: Pairs, data: bytes) -> dict[int, int]:
    """Who did not take all. Every client must have exactly what is said of it."""
    shorts = dict(way([ours.fileno() for ours, _ in pairs], data))
    assert [all_that_came(client) for _, client in pairs] == [data[: shorts.get(at, len(data))] for at in range(3)]
    return shorts


@EVERY_WAY
def test_everybody_takes_the_same_bytes(way: Way, pairs: Pairs) -> None:
    assert sent(way, pairs, b"hello") == ({0: 0, 1: 0, 2: 0} if way is left_to_transports else {})


@EVERY_WAY
def test_who_takes_a_part_took_exactly_its_beginning(way: Way, pairs: Pairs) -> None:
    pairs[1][0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    assert 1 in sent(way, pairs, DATA[:60_000])


@EVERY_WAY
def test_who_can_take_nothing_takes_nothing_and_harms_nobody(way: Way, pairs: Pairs) -> None:
    full, gone, well = (ours for ours, _ in pairs)
    with pytest.raises(BlockingIOError):
        while True:
            full.send(DATA)
    pairs[1][1].close()
    descriptors = [full.fileno(), gone.fileno(), -1, well.fileno()]
    assert way(descriptors, b"news")[:3] == [(0, 0), (1, 0), (2, 0)]
    assert all_that_came(pairs[2][1]) == (b"" if way is left_to_transports else b"news")


def test_what_is_no_descriptor_is_an_error_and_no_crash() -> None:
    if volley is not left_to_transports:
        with pytest.raises(TypeError):
            volley(["one"], b"news")  # type: ignore[list-item]
        with pytest.raises(TypeError):
            volley((1,), b"news")  # type: ignore[arg-type]
