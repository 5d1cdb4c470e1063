"""The lifecycle of an order as tables: which moves exist, how far each status is along the path, how long it may take.

The path runs from `draft` to `completed`; `cancelled`, `expired` and `returned` leave it. An outside shop is the truth
about its own orders, so nothing here forbids a move. `judge` only says what a move is: allowed, a skip forward
along the path, or irregular. Rejected: raising on a move the table does not have, because a dashboard that
refuses what really happened is wrong from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

PATH: Final = (
    "draft", "placed", "confirmed", "allocated", "picking", "packed", "shipped", "delivered", "completed",
)  # fmt: skip
"""The way of an order that goes well."""

RANK: Final[Mapping[str, int]] = {status: rank for rank, status in enumerate(PATH)}

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "draft": frozenset({"placed", "cancelled", "expired"}),
    "placed": frozenset({"confirmed", "allocated", "cancelled", "expired"}),
    "confirmed": frozenset({"allocated", "cancelled"}),
    "allocated": frozenset({"picking", "confirmed", "cancelled"}),
    "picking": frozenset({"packed", "allocated", "cancelled"}),
    "packed": frozenset({"shipped", "picking", "cancelled"}),
    "shipped": frozenset({"delivered", "returned", "packed"}),
    "delivered": frozenset({"completed", "returned"}),
    "completed": frozenset({"returned"}),
    "cancelled": frozenset(),
    "returned": frozenset(),
    "expired": frozenset(),
}
"""The moves of the lifecycle."""

STATUSES: Final = tuple(ALLOWED)

ENDED: Final = frozenset({"completed", "cancelled", "returned", "expired"})
"""Nothing more is expected to happen."""

CLOSED: Final = ENDED | {"delivered"}
"""Nobody has anything more to do: the order is not counted as open, and leaves memory. Many sources never say more than
that an order was delivered; one that comes back is opened by its next event."""

CALLED_OFF: Final = frozenset({"cancelled", "expired"})
"""What has not left by now never will."""

COMMITTING: Final = frozenset({"placed", "confirmed", "allocated", "picking", "packed"})
"""The order holds stock: it is sold and still in the building."""

GONE: Final = frozenset({"shipped", "delivered", "completed"})
"""The goods have left the building."""

SOLD: Final = COMMITTING | GONE | {"returned"}
"""An order that ever stood here was placed, and counts as a sale."""

AWAITED: Final = COMMITTING | {"shipped"}
"""Somebody waits for this order: it is placed and has not arrived."""

ALLOWED_MINUTES: Final[Mapping[str, int]] = {
    "placed": 240,
    "confirmed": 480,
    "allocated": 480,
    "picking": 240,
    "packed": 720,
    "shipped": 10_080,
}
"""How long an order may stay in a status before it is late, unless the shop says otherwise. The others never are."""

UNIT_STAGES: Final[Mapping[str, str]] = {
    "allocated": "allocated",
    "picking": "picked",
    "packed": "packed",
    "shipped": "shipped",
    "delivered": "delivered",
}
"""The line quantity that counts the units which have come as far as a status of the path."""

Verdict = Literal["same", "allowed", "skip", "irregular"]


class Move(NamedTuple):
    """What a change of status is. `skipped` names the stages a skip jumps over, in order."""

    verdict: Verdict
    skipped: tuple[str, ...] = ()


_SAME: Final = Move("same")
_ALLOWED: Final = Move("allowed")
_IRREGULAR: Final = Move("irregular")


def judge(present: str, next_: str) -> Move:
    """What the move from `present` to `next_` is in the lifecycle's eyes."""
    if next_ == present:
        return _SAME
    if next_ in ALLOWED[present]:
        return _ALLOWED
    if is_forward(present, next_):
        return Move("skip", PATH[RANK[present] + 1 : RANK[next_]])
    return _IRREGULAR


def is_forward(present: str, next_: str) -> bool:
    """True when both are on the path and `next_` is further along it."""
    return present in RANK and next_ in RANK and RANK[next_] > RANK[present]


def is_out_of_order(reached: tuple[tuple[str, int], ...], status: str, at: int) -> bool:
    """True when reaching `status` at the moment `at` contradicts the stages reached: a further one was there before
    it, or an earlier one only after it."""
    rank = RANK.get(status)
    if rank is None:
        return True
    return any(
        (RANK[other] > rank and moment < at) or (RANK[other] < rank and moment > at)
        for other, moment in reached
        if other in RANK
    )


def deadlines(
    status: str, since: int, promised_at: int | None, allowed_minutes: Mapping[str, int]
) -> tuple[int, int] | None:
    """When an order that came to `status` at `since` becomes at risk and late there (moments); None: never.

    A promise to the customer counts while the goods are in the building, when it comes before the status's own time
    is up. At risk is after four fifths of the time between.
    """
    minutes = allowed_minutes.get(status, ALLOWED_MINUTES.get(status))
    if minutes is None or status not in ALLOWED_MINUTES:
        return None
    due = since + minutes * 60_000_000
    if promised_at is not None and status in COMMITTING and promised_at < due:
        due = promised_at
    return since + max(0, due - since) * 4 // 5, due
