"""What becomes of a delivery by the answer it got."""

from __future__ import annotations

import pytest

from stockwire.core.retrying import FIRST, LONGEST, RETRY_AFTER_MOST, SENT, TRIES, Outcome, verdict
from stockwire.core.values import HOUR, MINUTE, SECOND

NOW = 1_000 * HOUR
FAILED = Outcome("failed", "answered 500")


def test_what_was_taken_is_done() -> None:
    assert verdict(SENT, 1, NOW, 0.5) == ("sent", NOW)


def test_waits_double_up_to_a_bound_and_are_drawn_from_all_of_their_length() -> None:
    longest = [verdict(FAILED, attempt, NOW, 1.0).at - NOW for attempt in range(1, TRIES)]
    assert longest[:4] == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert max(longest) == LONGEST and sum(longest) < 8 * HOUR
    assert verdict(FAILED, 5, NOW, 0.0) == ("waiting", NOW)
    assert verdict(FAILED, 5, NOW, 0.25).at - NOW == 4 * FIRST


def test_after_the_last_try_a_person_looks_at_it() -> None:
    assert verdict(FAILED, TRIES - 1, NOW, 0.0).state == "waiting"
    assert verdict(FAILED, TRIES, NOW, 0.0).state == "dead"


@pytest.mark.parametrize("kind", ["refused", "gone"])
def test_what_waiting_does_not_mend_is_not_tried_again(kind: str) -> None:
    assert verdict(Outcome(kind, "answered 410"), 1, NOW, 0.5).state == "dead"  # type: ignore[arg-type]


def test_a_receiver_that_says_when_to_come_is_believed_within_a_day() -> None:
    assert verdict(Outcome("failed", "", 120), 1, NOW, 0.0).at == NOW + 2 * MINUTE
    assert verdict(Outcome("failed", "", 1), 4, NOW, 1.0).at == NOW + 8 * FIRST
    assert verdict(Outcome("failed", "", 10**9), 1, NOW, 0.0).at == NOW + RETRY_AFTER_MOST
    assert RETRY_AFTER_MOST // SECOND == 86_400
