"""Retrying: what becomes of a delivery by the answer that the other side gave.

A failure is tried again after a while that doubles, drawn at random from nothing up to its full length (full jitter), so that a
receiver that comes back is not met by everybody at once. A receiver that says when to come is believed, within a day. What cannot
get better by waiting (a private address, a redirect, an address that is gone) is not tried again: a person looks at it.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from stockwire.core.values import DAY, HOUR, SECOND

FIRST: Final = 10 * SECOND
LONGEST: Final = 2 * HOUR
TRIES: Final = 12
"""About three hours of trying, and at most five."""
RETRY_AFTER_MOST: Final = DAY


class Outcome(msgspec.Struct, frozen=True):
    """What the other side answered. `retry_after`: the seconds after which it wants to be asked again."""

    kind: Literal["sent", "failed", "refused", "gone"]
    detail: str = ""
    retry_after: int | None = None


SENT: Final = Outcome("sent")


class Verdict(NamedTuple):
    """The state a delivery goes into, and when it is due again (only for `waiting`)."""

    state: Literal["sent", "waiting", "dead"]
    at: int


def verdict(outcome: Outcome, attempts: int, moment: int, chance: float, tries: int = TRIES) -> Verdict:
    """What becomes of a delivery whose `attempts`th try ended so. `chance`: from 0 up to 1, drawn for this."""
    if outcome.kind == "sent":
        return Verdict("sent", moment)
    if outcome.kind in ("refused", "gone") or attempts >= tries:
        return Verdict("dead", moment)
    wait = int(min(LONGEST, FIRST * 2 ** min(attempts - 1, 32)) * chance)
    return Verdict("waiting", moment + max(wait, asked_to_wait(outcome)))


def asked_to_wait(outcome: Outcome) -> int:
    """For how long the other side wants not to be asked, in microseconds; 0 when it does not say."""
    return min(RETRY_AFTER_MOST, (outcome.retry_after or 0) * SECOND)
