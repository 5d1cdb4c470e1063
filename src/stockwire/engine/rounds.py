"""The rounds: how what is due reaches every connection that a process owns.

A *link* is a connection with its session. Links whose readings are in step form a *cohort*: one reading, one turn, the
same bytes written to each. A round serves the cohorts that are due, one after the other, in slices, so that the loop
breathes; what happens meanwhile is in the next round, merged. So there is no queue, and under load everybody simply
gets fewer, newer frames.

    newcomer --joins--> cohort --takes a long batch--> course --took it--> newcomer
                          | its link does not take the bytes
                          v
                        late --took them--> newcomer          (P6.8; after 30 s without any progress it is cut)

A link leaves its cohort with a copy of the reading as it was after the last bytes given to it, and comes back as a
newcomer, whose turn brings it up to the present; newcomers in step share that too. What happens to a link between two
slices of a round (it speaks, it is asked to leave) must not overtake its bytes of the round, so the round is then
finished for its cohort first (`_settle`).

All timing is one wheel and one timer of the loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, Protocol

from stockwire.core.cadence import TICK
from stockwire.core.errors import Failed, StockwireError
from stockwire.core.openings import Openings
from stockwire.core.reading import Reading
from stockwire.core.session import Ending, Session
from stockwire.core.wire import Frame
from stockwire.engine.batch import Batch
from stockwire.engine.forms import Form, alone
from stockwire.engine.hub import Hub
from stockwire.engine.limits import CLOSE_SECONDS, HELLO_SECONDS, STUCK_SECONDS
from stockwire.engine.volley import volley
from stockwire.engine.wheel import Wheel

SLICE: Final = 256
"""Writes between two breaths of the loop."""
_LOOK: Final = 5.0
"""Seconds between two looks at a late link."""

_log = logging.getLogger(__name__)


class Timing(Protocol):
    """What the rounds need of an event loop."""

    def call_soon(self, callback: Callable[[], None]) -> object: ...
    def call_later(self, delay: float, callback: Callable[[], None]) -> Handle: ...


class Handle(Protocol):
    """A call to come."""

    def cancel(self) -> None: ...


class Outlet(Protocol):
    """Where a link's bytes go: an asyncio transport whose protocol tells the rounds of pausing and resuming."""

    def write(self, data: bytes) -> None: ...
    def writelines(self, pieces: Iterable[bytes], /) -> None: ...
    def abort(self) -> None: ...
    def get_write_buffer_size(self) -> int: ...


class Link:
    """A connection whose bytes the rounds write. From `attend` on it must call `late` when its outlet holds bytes back and
    `on_time` when that has none left.

    `said` is what it is yet to be told: the answers to an opening go out in one piece with the first content.
    `descriptor` is the socket that its outlet writes to, for when that holds nothing back; -1 as long as the outlet alone
    knows the way.
    """

    __slots__ = (
        "_attends", "_backlog", "_cohort", "_course", "_moved_at", "_piece", "_slot", "descriptor", "ends_at", "form",
        "is_late", "outlet", "rounds", "said", "session",
    )  # fmt: skip

    def __init__(self, rounds: Rounds, session: Session, form: Form, outlet: Outlet, ends_at: float) -> None:
        self.rounds = rounds
        self.session = session
        self.form = form
        self.outlet = outlet
        self.descriptor = -1
        self.ends_at = ends_at
        self.said = b""
        self.is_late = False
        self._attends = False
        self._cohort: _Cohort | None = None
        self._course: Batch | None = None
        self._piece = 0
        self._slot = math.inf
        self._moved_at = 0.0
        self._backlog = 0

    def shaped(self, frames: list[Frame]) -> bytes:
        """Frames that are for this link alone, as it takes them."""
        return b"".join([alone(self.form, each) for each in frames])

    def send(self, data: bytes = b"") -> None:
        """Write what it is yet to be told, and then `data`."""
        data, self.said = self.said + data, b""
        if data:
            with suppress(RuntimeError):
                self.outlet.write(data)

    def give(self, data: bytes) -> None:
        """Write what it is yet to be told, and then `data`, which others get too. Raises RuntimeError when the outlet is
        closed.
        """
        said, self.said = self.said, b""
        if said:
            self.outlet.writelines((said, data))
        else:
            self.outlet.write(data)

    def attend(self) -> None:
        """The first bytes are out: have the outlet tell from now on when it holds bytes back. (Before, it may gather what
        the link says with its first content into one write.)
        """

    def finish(self, ending: Ending) -> None:
        """Close the connection in its own manner; the session is over."""
        raise NotImplementedError

    def cut(self) -> None:
        """End the connection at once."""
        self.outlet.abort()

    def leave(self, reason: str, reconnect_in: int) -> None:
        """Be asked to go, with a bye (P8.1)."""
        self.rounds.bye(self, reason, reconnect_in)

    def turn_out(self, error: StockwireError) -> None:
        """Be told that one may no longer stay (P8.6)."""
        self.rounds.refuse(self, error)


class _Cohort:
    """Links in step. `frozen` is a copy of the reading as it is after the last turn, for those that leave."""

    __slots__ = ("frozen", "key", "links", "reading", "slot")

    def __init__(self, reading: Reading) -> None:
        reading.shared = True
        self.reading = reading
        self.key = reading.key
        self.links: dict[Form, dict[Link, None]] = {}
        self.frozen: Reading | None = None
        self.slot = math.inf

    def add(self, link: Link) -> None:
        self.links.setdefault(link.form, {})[link] = None
        link._cohort = self
        link.session.reading = self.reading

    def remove(self, link: Link) -> None:
        """Let a link go. It keeps the reading, as its own."""
        link._cohort = None
        links = self.links[link.form]
        del links[link]
        if not links:
            del self.links[link.form]
        if link.session.reading is self.reading:
            if self.frozen is None:
                self.frozen = self.reading.copy()
                self.frozen.shared = True
            link.session.reading = self.frozen

    def everyone(self) -> list[Link]:
        return [link for links in self.links.values() for link in links]


class _Delivery:
    """A batch on its way to a cohort."""

    __slots__ = ("_at", "_batch", "_form", "_forms", "_links", "_rounds", "cohort")

    def __init__(self, rounds: Rounds, cohort: _Cohort, batch: Batch) -> None:
        self.cohort = cohort
        self._rounds = rounds
        self._batch = batch
        self._forms = list(cohort.links)
        self._form: Form = self._forms[0]
        self._links: list[Link] = []
        self._at = 0

    def go(self, most: float = math.inf) -> int:
        """Write to the next links, at most `most`; gives how many. Fewer than `most`: it is done."""
        written = 0
        while written < most:
            if self._at == len(self._links):
                if not self._forms:
                    return written
                self._form = self._forms.pop(0)
                self._links = list(self.cohort.links.get(self._form, ()))
                self._at = 0
                continue
            end = len(self._links) if most == math.inf else min(len(self._links), self._at + int(most) - written)
            self._write(self._links[self._at : end])
            written += end - self._at
            self._at = end
        return written

    def _write(self, links: list[Link]) -> None:
        """Write to those of the links that are still in the cohort. None of their outlets holds anything back: who does
        not take everything now holds the rest, and is late.
        """
        cohort = self.cohort
        data = self._batch.piece(0, self._form)
        assert data is not None
        present = [link for link in links if link._cohort is cohort]
        for at, taken in volley([link.descriptor for link in present], data):
            link = present[at]
            try:
                link.give(data[taken:])
            except RuntimeError:
                self._rounds.gone_silently(link)
        if self._batch.more(0):
            for link in links:
                self._rounds.begin_course(link, cohort, self._batch)


class Rounds:
    """Every link of a process. `monotonic` is the timing clock; `loop` is the running event loop when left out."""

    def __init__(self, hub: Hub, *, monotonic: Callable[[], float], loop: Timing | None = None) -> None:
        self._hub = hub
        self.openings = Openings(hub)
        self._monotonic = monotonic
        self._given_loop = loop
        self._cohorts: dict[tuple[object, ...], _Cohort] = {}
        self._by_view: dict[str, dict[_Cohort, None]] = {}
        self._due: dict[_Cohort, None] = {}
        self._newcomers: dict[Link, None] = {}
        self._arrived: dict[Link, None] = {}
        self._moving: dict[Link, None] = {}
        self._delivery: _Delivery | None = None
        self._wheel: Wheel[Link | _Cohort] = Wheel()
        self._walk: Iterator[None] | None = None
        self._timer: Handle | None = None
        self._timer_at = math.inf
        self.links = 0
        hub.listen(self._published)

    @property
    def cohorts(self) -> int:
        """How many groups in step there are now."""
        return len(self._cohorts)

    # --- what links tell ------------------------------------------------------------------------------------------

    def join(self, link: Link, said: bytes = b"") -> None:
        """Take a link in. A session that is open is served, after what it `said` at its opening; else the client's hello must
        come soon (P2.1).
        """
        self.links += 1
        self._watch(link)
        if link.session.state == "open":
            self._welcome(link, said)

    def receive(self, link: Link, *bodies: bytes | str) -> None:
        """A link's client said something: answer it, all in one write."""
        self._settle(link)
        now = self._monotonic()
        session = link.session
        if session.state == "opening":
            frames = self.openings.begin(session, bodies, lambda: session.take(bodies, now), now)
        else:
            frames = session.take(bodies, now)
        self._answered(link, frames)

    def refuse(self, link: Link, error: StockwireError) -> None:
        """A link's client broke a rule that the link itself holds, or may no longer stay: say so and end it."""
        self._settle(link)
        self._answered(link, link.session.fault(error))

    def bye(self, link: Link, reason: str, reconnect_in: int) -> None:
        """Ask a link to go."""
        self._settle(link)
        self._answered(link, link.session.bye(reason, reconnect_in))

    def _answered(self, link: Link, frames: list[Frame]) -> None:
        session = link.session
        said = link.shaped(frames)
        if session.state == "open":
            cohort = link._cohort
            if cohort is not None and session.reading is not cohort.reading:
                self._leave(link)
            self._welcome(link, said)
            return
        link.send(said)
        if session.closed:
            self.hang_up(link, session.ending or Ending(4001, "closed"))

    def late(self, link: Link) -> None:
        """A link holds bytes back: it takes no part until it has none left."""
        link.is_late = True
        link._moved_at = self._monotonic()
        link._backlog = link.outlet.get_write_buffer_size()
        if link._cohort is not None:
            self._leave(link)
        self._newcomers.pop(link, None)
        link.send()
        self._moving.pop(link, None)
        self._watch(link)

    def on_time(self, link: Link) -> None:
        """A link has taken everything."""
        link.is_late = False
        self._watch(link)
        if link._course is not None:
            self._moving[link] = None
            self._go()
        elif link.session.state == "open":
            self._welcome(link)

    def gone(self, link: Link) -> None:
        """A link's connection is over."""
        self.links -= 1
        self._arrived.pop(link, None)
        self._drop(link)
        self._wheel.take(link, link._slot)
        if self.links == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf

    def hang_up(self, link: Link, ending: Ending) -> None:
        """End the conversation: nothing follows but the close."""
        link.session.ending = ending
        self._drop(link)
        link.ends_at = self._monotonic() + CLOSE_SECONDS
        self._watch(link)
        link.finish(ending)

    def gone_silently(self, link: Link) -> None:
        """A link's outlet was found closed; that its connection is over will be told soon."""
        if link._cohort is not None:
            self._leave(link)
        self._moving.pop(link, None)

    def _welcome(self, link: Link, said: bytes = b"") -> None:
        """Tell a link what its session said, and have it served next unless it is on its way already. What is said at an
        opening waits for the content that comes next.
        """
        if link._attends or not self._new(link):
            link.send(said)
        else:
            link.said += said
        if self._new(link):
            self._newcomers[link] = None
            self._go()

    def _new(self, link: Link) -> bool:
        return link._cohort is None and link._course is None and not link.is_late

    def _leave(self, link: Link) -> None:
        cohort = link._cohort
        assert cohort is not None
        cohort.remove(link)
        if not cohort.links:
            self._dissolve(cohort)

    def _drop(self, link: Link) -> None:
        """Forget a link but for its deadline; its session is over."""
        self._newcomers.pop(link, None)
        self._moving.pop(link, None)
        link._course = None
        if link._cohort is not None:
            self._leave(link)
        link.session.close()

    # --- the walk -------------------------------------------------------------------------------------------------

    def _published(self) -> None:
        for name in self._hub.touched:
            cohorts = self._by_view.get(name)
            if cohorts is not None:
                self._due.update(cohorts)
        if self._due:
            self._go()

    def _go(self) -> None:
        if self._walk is None:
            self._walk = self._rounds()
            self._loop.call_soon(self._step)

    @property
    def _loop(self) -> Timing:
        return self._given_loop or asyncio.get_running_loop()

    def _step(self) -> None:
        """One slice."""
        walk = self._walk
        assert walk is not None
        self._attend()
        try:
            for _ in walk:
                self._loop.call_soon(self._step)
                return
        except Exception:
            self._walk = None
            raise
        self._walk = None
        if self._due or self._newcomers or self._moving or self._arrived:
            self._go()
        self._set_timer()

    def _attend(self) -> None:
        """Whoever arrived in an earlier slice has been written to."""
        arrived, self._arrived = self._arrived, {}
        for link in arrived:
            link._attends = True
            link.send()
            link.attend()

    def _rounds(self) -> Iterator[None]:
        """Serve until nobody is due; yields where the loop may breathe."""
        spent = 0
        while self._newcomers or self._due or self._moving:
            self._seat()
            due, self._due = self._due, {}
            for cohort in due:
                if cohort.links:
                    spent += 1 + self._begin(cohort)
                    while self._delivery is not None:
                        if spent >= SLICE:
                            yield
                            spent = 0
                        if self._delivery is not None:
                            spent += self._deliver(SLICE - spent)
                    self._place(cohort)
                if spent >= SLICE:
                    yield
                    spent = 0
            for link in list(self._moving):
                spent += 8 * self._move(link)
                if spent >= SLICE:
                    yield
                    spent = 0

    def _seat(self) -> None:
        """Newcomers find those that they are in step with."""
        newcomers, self._newcomers = self._newcomers, {}
        for link in newcomers:
            reading = link.session.reading
            cohort = self._cohorts.get(reading.key)
            if cohort is None:
                cohort = _Cohort(reading.copy() if reading.shared else reading)
                self._enter(cohort)
            else:
                cohort.reading.sent_at = min(cohort.reading.sent_at, reading.sent_at)
            cohort.add(link)
            self._due[cohort] = None
            if not link._attends:
                self._arrived[link] = None

    def _begin(self, cohort: _Cohort) -> int:
        """Take the cohort's turn."""
        try:
            turn = cohort.reading.turn(self._monotonic())
        except Exception:
            _log.exception("a turn failed")
            self._fail(cohort)
            return 0
        cohort.frozen = None
        if turn.items:
            self._delivery = _Delivery(self, cohort, Batch(turn))
        return 1

    def _deliver(self, most: float) -> int:
        delivery = self._delivery
        assert delivery is not None
        try:
            written = delivery.go(most)
        except Exception:
            self._delivery = None
            _log.exception("a delivery failed")
            self._fail(delivery.cohort)
            return 0
        if written < most:
            self._delivery = None
        return written

    def _settle(self, link: Link) -> None:
        """Finish the delivery under way when the link is one of its receivers."""
        delivery = self._delivery
        if delivery is not None and delivery.cohort is link._cohort:
            self._deliver(math.inf)

    def _fail(self, cohort: _Cohort) -> None:
        """Something is wrong with what these links get: end them, so that they come back."""
        for link in cohort.everyone():
            self._answered(link, link.session.fault(Failed()))

    # --- cohorts --------------------------------------------------------------------------------------------------

    def _enter(self, cohort: _Cohort) -> None:
        self._cohorts[cohort.key] = cohort
        for name in cohort.reading.held:
            self._by_view.setdefault(name, {})[cohort] = None

    def _dissolve(self, cohort: _Cohort) -> None:
        if self._cohorts.get(cohort.key) is cohort:
            del self._cohorts[cohort.key]
        for name in cohort.reading.held:
            cohorts = self._by_view.get(name)
            if cohorts is not None:
                cohorts.pop(cohort, None)
                if not cohorts:
                    del self._by_view[name]
        self._due.pop(cohort, None)
        self._wheel.take(cohort, cohort.slot)

    def _place(self, cohort: _Cohort) -> None:
        """After a turn: put the cohort where its reading now stands, or into the one that stands there already."""
        if not cohort.links:
            return
        key = cohort.reading.key
        if key != cohort.key:
            if self._cohorts.get(cohort.key) is cohort:
                del self._cohorts[cohort.key]
            cohort.key = key
            there = self._cohorts.setdefault(key, cohort)
            if there is not cohort:
                self._merge(cohort, there)
                return
        self._wheel.take(cohort, cohort.slot)
        now = self._monotonic()
        cohort.slot = self._wheel.put(cohort, max(now, min(cohort.reading.due_at(), now + TICK)))

    def _merge(self, cohort: _Cohort, there: _Cohort) -> None:
        small, large = (cohort, there) if _size(cohort) < _size(there) else (there, cohort)
        self._dissolve(small)
        self._cohorts[large.key] = large
        large.reading.sent_at = min(large.reading.sent_at, small.reading.sent_at)
        for link in small.everyone():
            large.add(link)
        small.links.clear()
        self._place(large)

    # --- courses: long batches ------------------------------------------------------------------------------------

    def begin_course(self, link: Link, cohort: _Cohort, batch: Batch) -> None:
        """A link has the first piece of a long batch: let it take the others at its own speed."""
        if link._cohort is cohort:
            self._leave(link)
        elif not link.is_late:
            return
        link._course = batch
        link._piece = 1
        if not link.is_late:
            self._moving[link] = None

    def _move(self, link: Link) -> int:
        """Give a link its next piece."""
        batch = link._course
        data = batch.piece(link._piece, link.form) if batch is not None else None
        if data is None:
            self._moving.pop(link, None)
            link._course = None
            if link.session.state == "open":
                self._welcome(link)
            return 0
        link._piece += 1
        try:
            link.outlet.write(data)
        except RuntimeError:
            self.gone_silently(link)
        return 1

    # --- time -----------------------------------------------------------------------------------------------------

    def _watch(self, link: Link) -> None:
        """Have the link looked at when its next deadline comes."""
        now = self._monotonic()
        at = link.ends_at
        if link.is_late:
            at = min(at, now + _LOOK)
        if link.session.state == "opening":
            at = min(at, now + HELLO_SECONDS)
        self._wheel.take(link, link._slot)
        link._slot = self._wheel.put(link, float(math.ceil(at)))
        self._set_timer()

    def _set_timer(self) -> None:
        at = self._wheel.next_at
        if at is None or at >= self._timer_at or self.links == 0:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0.0, at - self._monotonic()), self._ring)

    def _ring(self) -> None:
        """The wheel's next moment has come."""
        self._timer, self._timer_at = None, math.inf
        now = self._monotonic()
        for thing in self._wheel.due(now):
            if isinstance(thing, _Cohort):
                self._due[thing] = None
            else:
                self._look_at(thing, now)
        if self._due:
            self._go()
        self._set_timer()

    def _look_at(self, link: Link, now: float) -> None:
        if link.session.closed:
            link.cut()
            return
        if now >= link.ends_at:
            self.bye(link, "lifetime", 0)
            return
        if link.session.state == "opening" and not link.is_late:
            self.receive(link, '{"type":"none"}')
            return
        if link.is_late:
            backlog = link.outlet.get_write_buffer_size()
            if backlog != link._backlog:
                link._backlog, link._moved_at = backlog, now
            elif now - link._moved_at >= STUCK_SECONDS:
                self.hang_up(link, Ending(4008, "no progress"))
                link.cut()
                return
        self._watch(link)


def _size(cohort: _Cohort) -> int:
    return sum(len(links) for links in cohort.links.values())
