"""Acknowledged means durable: what a loss of power may take, and what it may not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.power import lose_power


@pytest.fixture(autouse=True)
def unlogged() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_three_hundred_losses_of_power_take_nothing_that_was_acknowledged() -> None:
    total = lose_power(300, seed=1)
    assert (total.failures, total.lost, total.wrong) == (300, 0, [])
    assert total.acknowledged > 3_000


def test_with_a_weaker_sync_the_same_disk_loses_what_was_acknowledged() -> None:
    total = lose_power(40, seed=1, synchronous="normal")
    assert total.lost > 0 and total.failures_with_loss > 5
