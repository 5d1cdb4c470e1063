"""An allowance is used up at once and comes back with time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stockwire.core.allowance import Allowance


def test_what_is_used_up_comes_back_with_time() -> None:
    allowance = Allowance(3, 2.0, 0.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(1.0) for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(0, 10), max_size=200))
def test_no_rhythm_gets_more_than_the_rate(pauses: list[float]) -> None:
    allowance, now, taken = Allowance(5, 1.0, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += allowance.take(now)
    assert taken <= 5 + now + 1e-6
