"""Wires for tests of the rounds: a loop that tests step, links whose far end can stall, and readers of every form."""

from __future__ import annotations

import heapq
import json
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from stockwire.core.session import Ending
from stockwire.engine.forms import GZIP_BEGINS, Form
from stockwire.engine.rounds import Link


class SteppedLoop:
    """An event loop that does something only when asked. `clock` gives the time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._soon: list[Callable[[], None]] = []
        self._later: list[tuple[float, int, Call]] = []
        self.breaths = 0

    def call_soon(self, callback: Callable[[], None]) -> object:
        self._soon.append(callback)
        return None

    def call_later(self, delay: float, callback: Callable[[], None]) -> Call:
        call = Call(callback)
        heapq.heappush(self._later, (self._clock() + delay, id(call), call))
        return call

    def step(self) -> bool:
        """Do what is due in one turn of the loop; False when nothing was."""
        while self._later and self._later[0][0] <= self._clock():
            call = heapq.heappop(self._later)[2]
            if not call.cancelled:
                self._soon.append(call.callback)
        due, self._soon = self._soon, []
        for callback in due:
            callback()
        self.breaths += bool(due)
        return bool(due)

    def settle(self) -> None:
        """Go on until nothing is due now."""
        while self.step():
            pass

    @property
    def timers(self) -> int:
        """How many calls are to come."""
        return sum(not call.cancelled for _, _, call in self._later)


class Call:
    """A call to come."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Wire:
    """The outlet of a link; counts the `times` it was written to. While `stalled`, written bytes stay in `held` and the
    rounds are told.
    """

    def __init__(self) -> None:
        self.link: Link | None = None
        self.taken = b""
        self.held = b""
        self.writes: list[bytes] = []
        self.times = 0
        self.stalled = False
        self.aborted = False
        self.closed = False

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.times += 1
        for piece in pieces:
            self._take(piece)

    def write(self, data: bytes) -> None:
        self.times += 1
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self.closed:
            raise RuntimeError("the handle is closed")
        self.writes.append(data)
        if not self.stalled:
            self.taken += data
            return
        first = not self.held
        self.held += data
        if first and self.link is not None:
            self.link.rounds.late(self.link)

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return len(self.held)

    def flow(self) -> None:
        """Take everything, and more as it comes."""
        self.stalled = False
        if self.held:
            self.taken, self.held = self.taken + self.held, b""
            assert self.link is not None
            self.link.rounds.on_time(self.link)


class WireLink(Link):
    """A link over a wire."""

    __slots__ = ("attends", "ended")

    ended: Ending | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.attends = False

    def attend(self) -> None:
        self.attends = True

    def finish(self, ending: Ending) -> None:
        self.ended = ending


class Ear:
    """Makes frames out of what came over a wire, in any form."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._rest = b""
        self._begun = False
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._text = b""

    def hear(self, data: bytes) -> list[dict[str, Any]]:
        """The whole frames in the next bytes."""
        self._rest += data
        if self._form in (Form.TEXT, Form.DEFLATED):
            return self._messages()
        return self._events()

    def _messages(self) -> list[dict[str, Any]]:
        found = []
        while len(self._rest) >= 2:
            first, size = self._rest[0], self._rest[1]
            start = {126: 4, 127: 10}.get(size, 2)
            if start > 2:
                size = int.from_bytes(self._rest[2:start], "big")
            if len(self._rest) < start + size:
                break
            payload, self._rest = self._rest[start : start + size], self._rest[start + size :]
            if first == 0xC1:
                payload = zlib.decompress(payload + b"\x00\x00\xff\xff\x01\x00\x00\xff\xff", -15)
            else:
                assert first == 0x81
            found.append(json.loads(payload))
        return found

    def _events(self) -> list[dict[str, Any]]:
        if self._form is Form.GZIP and not self._begun:
            self._begun = True
            self._inflater.decompress(GZIP_BEGINS)
        while b"\r\n" in self._rest:
            size, _, rest = self._rest.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            chunk, self._rest = rest[:length], rest[length + 2 :]
            self._text += self._inflater.decompress(chunk) if self._form is Form.GZIP else chunk
        found = []
        while b"\n\n" in self._text:
            event, _, self._text = self._text.partition(b"\n\n")
            lines = dict(line.split(": ", 1) for line in event.decode().split("\n"))
            frame = json.loads(lines["data"])
            assert frame["type"] == lines["event"]
            found.append(frame)
        return found
