"""A batch: what one turn sends, cut into pieces for links, each piece made once per form for all who take it.

Nearly every batch is one piece. A long one (a first content, a long absence) has many, and each link takes the next
piece when it has taken the one before; that is why pieces can be made again from the turn when they are asked for
late.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from stockwire.core.reading import Turn
from stockwire.core.wire import Frame
from stockwire.engine.forms import Form, shaped

PIECE_BYTES: Final = 64 * 1024
"""A piece is at least so long, unless it is the last."""
_PIECES_KEPT: Final = 8

_Place = tuple[int, int]
"""An item of the turn, and a part of it."""


class Batch:
    """The frames of `turn` in pieces."""

    __slots__ = ("_id", "_items", "_kept", "_places")

    def __init__(self, turn: Turn) -> None:
        self._items = turn.items
        self._id = str(turn.current) if turn.current is not None else None
        self._places: list[_Place | None] = [(0, 0)]
        self._kept: OrderedDict[tuple[int, Form], bytes] = OrderedDict()

    def piece(self, index: int, form: Form) -> bytes | None:
        """That piece, counted from 0; None after the last. Pieces must first be asked for in order."""
        place = self._places[index]
        if place is None:
            return None
        kept = self._kept.get((index, form))
        if kept is None:
            kept = self._kept[index, form] = self._make(index, place, form)
            if len(self._kept) > _PIECES_KEPT:
                self._kept.popitem(last=False)
        return kept

    def more(self, index: int) -> bool:
        """Whether a piece follows that one, which must have been made."""
        return self._places[index + 1] is not None

    def _make(self, index: int, place: _Place, form: Form) -> bytes:
        made: list[bytes] = []
        size = 0
        at: _Place | None = place
        while at is not None and size < PIECE_BYTES:
            sent, at = self._frame(at)
            made.append(shaped(form, sent, self._id if at is None else None))
            size += len(sent.body)
        if index + 1 == len(self._places):
            self._places.append(at)
        return made[0] if len(made) == 1 else b"".join(made)

    def _frame(self, place: _Place) -> tuple[Frame, _Place | None]:
        """The frame at a place, and the place after it."""
        item, part = place
        found = self._items[item]
        following = (item + 1, 0) if item + 1 < len(self._items) else None
        if isinstance(found, Frame):
            return found, following
        sent = found.part(part)
        assert sent is not None
        return sent, (item, part + 1) if found.part(part + 1) is not None else following
