"""Openings: what many say alike when they come back is understood once.

After a restart, ten thousand screens come within seconds, and most say the same words: a hello, and the views they held.
The first is understood in full. What came of it, the answers and the reading, is remembered for as long as nothing
happens that could make it another, a second at most; whoever says the same with equal rights gets the same, and their
hello.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from stockwire.core.reading import Publisher, Reading
from stockwire.core.session import Session
from stockwire.core.wire import Frame

_WORDS_MOST: Final = 4_096
"""How long an opening that is remembered may be; longer ones are rarely alike."""
_OPENINGS_MOST: Final = 256
_SAME: Final = frozenset({"subscribed", "paced"})
"""Answers that are the same for all who say the same; a hello, which comes first, is each one's own."""


class Opening(NamedTuple):
    """What came of it: what the ids hold, the reading, and the answers after the hello."""

    ids: dict[str, tuple[str, int]]
    reading: Reading
    answers: list[Frame]


class Openings:
    """The openings of sessions over one publisher."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._state: Hashable = None
        self._known: dict[Hashable, Opening] = {}

    def begin(
        self, session: Session, said: tuple[str | bytes, ...], begin: Callable[[], list[Frame]], now: float
    ) -> list[Frame]:
        """Have `begin` open the session by what its client `said`, or do as it did for one that said the same; gives the
        frames that answer. Raises as `begin`.
        """
        publisher = self._publisher
        state = (int(now), publisher.version, publisher.horizon, publisher.least_interval)
        if state != self._state:
            self._state = state
            self._known.clear()
        words = (session.rights, said)
        known = self._known.get(words)
        if known is not None:
            return [session.adopt(known.ids, known.reading), *known.answers]
        frames = begin()
        answers = frames[1:]
        if (
            session.state == "open"
            and all(each.type in _SAME for each in answers)
            and sum(map(len, said)) <= _WORDS_MOST
            and len(self._known) < _OPENINGS_MOST
        ):
            self._known[words] = Opening(session.ids, session.lend(), answers)
        return frames
