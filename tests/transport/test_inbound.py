"""The short way of reading what a client sends says the same as wsproto, or leaves it to wsproto."""

from __future__ import annotations

import tracemalloc

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stockwire.transport.takeover.inbound import Broken, Inbox, Text, plain_texts
from tests.transport.wire import masked

FIRST = st.sampled_from([0x81, 0x81, 0x81, 0x01, 0x80, 0x82, 0x89, 0x88, 0xC1])
MESSAGE = st.builds(
    masked,
    FIRST,
    st.one_of(st.text(max_size=300).map(str.encode), st.binary(max_size=8)),
    mask=st.binary(min_size=4, max_size=4),
)


def by_wsproto(data: bytes) -> list[object]:
    return list(Inbox(deflated=False).take(data))


@given(st.lists(MESSAGE, max_size=4).map(b"".join), st.integers(0, 12))
def test_it_gives_what_wsproto_gives_or_nothing(data: bytes, cut: int) -> None:
    data = data[: len(data) - cut]
    texts = plain_texts(data)
    assert texts is None or by_wsproto(data) == [Text(each) for each in texts]


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4), st.binary(min_size=4, max_size=4))
def test_whole_text_messages_need_no_inbox(texts: list[str], mask: bytes) -> None:
    assert plain_texts(b"".join(masked(0x81, each.encode(), mask=mask) for each in texts)) == texts


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_a_message_of_every_length_form_is_read_or_left(size: int) -> None:
    texts = plain_texts(masked(0x81, b"x" * size))
    assert texts == (["x" * size] if size < 65_536 else None)


def test_a_length_written_too_long_is_left_to_wsproto() -> None:
    assert plain_texts(b"\x81\xfe\x00\x01\x00\x00\x00\x00x") is None


def test_what_is_not_masked_is_left_to_wsproto() -> None:
    assert plain_texts(b"\x81\x05hello") is None


MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    ("begins", "goes_on", "allowed"),
    [
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), b"a" * 65_536, 1_000),
        (masked(0x01, b"{"), masked(0x00, b" " * 4_000) * 16, 1_000_000),
        (masked(0x01, b""), masked(0x00, b"") * 10_000, 1_000),
        (b"", masked(0x89, b"") * 10_000, 1_000),
    ],
    ids=["one frame without end", "fragments without end", "too many fragments", "too many pings"],
)
def test_of_what_breaks_a_rule_nothing_is_kept(begins: bytes, goes_on: bytes, allowed: int) -> None:
    inbox = Inbox(deflated=False)
    frames = iter(range(allowed))
    said = list(inbox.take(begins + goes_on, lambda: next(frames, None) is not None))
    tracemalloc.start()
    try:
        for _ in range(200):
            said += [each for each in inbox.take(goes_on, lambda: next(frames, None) is not None)][:1]
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert any(isinstance(each, Broken) for each in said)
    assert not inbox.idle, "the connection must not begin anew with a fresh inbox"
    assert kept < MEBIBYTE
