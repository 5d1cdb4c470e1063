"""The wheel brings up what is due, in an order that does not depend on chance."""

from __future__ import annotations

from stockwire.engine.wheel import Wheel


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
