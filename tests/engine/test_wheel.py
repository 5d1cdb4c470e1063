"""The wheel brings up what is due, in an order that does not depend on chance, and keeps nothing that was taken out."""

from __future__ import annotations

import tracemalloc

import hypothesis.strategies as st
from hypothesis import given

from stockwire.engine.wheel import Wheel

MOMENTS = st.integers(0, 20).map(float)
STEPS = st.lists(st.tuples(st.integers(0, 9), MOMENTS | st.none()), max_size=200)
"""A thing, and the moment for which it is put anew; None: it is taken out."""


def test_what_is_due_at_one_moment_comes_up_in_the_order_it_was_put() -> None:
    wheel: Wheel[object] = Wheel()
    things = [object() for _ in range(100)]
    for thing in things:
        wheel.put(thing, 5.0)
    assert wheel.due(5.0) == things


def test_a_thing_that_was_taken_out_does_not_come_up() -> None:
    wheel: Wheel[str] = Wheel()
    wheel.put("goes", 5.0)
    wheel.put("stays", 5.0)
    wheel.take("goes", 5.0)
    assert (wheel.due(4.9), wheel.due(5.0), wheel.next_at) == ([], ["stays"], None)


@given(steps=STEPS, now=MOMENTS)
def test_whatever_was_put_and_taken_what_is_left_comes_up_when_it_is_due(
    steps: list[tuple[int, float | None]], now: float
) -> None:
    wheel: Wheel[int] = Wheel()
    standing: dict[int, float] = {}
    for thing, at in steps * 10:
        if thing in standing:
            wheel.take(thing, standing.pop(thing))
        if at is not None:
            standing[thing] = wheel.put(thing, at)
    assert wheel.next_at == min(standing.values(), default=None)
    early = [thing for thing, at in standing.items() if at <= now]
    assert wheel.due(now) == sorted(early, key=standing.__getitem__)
    assert wheel.next_at == min((at for at in standing.values() if at > now), default=None)


def test_what_is_taken_out_before_its_time_leaves_nothing_behind() -> None:
    wheel: Wheel[str] = Wheel()
    wheel.put("stays", 1e9)
    tracemalloc.start()
    for number in range(10_000):
        wheel.take("goes", wheel.put("goes", 7_200.0 + number))
        wheel.take("comes again", wheel.put("comes again", 7_200.0))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 32 * 1024
