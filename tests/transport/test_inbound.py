"""The short way of reading what a client sends says the same as wsproto, or leaves it to wsproto."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stockwire.transport.takeover.inbound import Inbox, Text, plain_texts
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
