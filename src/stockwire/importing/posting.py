"""Sending events to a running server: batches within its limits, retried with the same ids until they are acknowledged.

A retry is safe because source and id name an event: what the server stored before it went away counts as known the
second time. So a lost answer, a restart and an overload are all the same thing here: wait a little longer each time
and send again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import httpx
import msgspec

from stockwire.core.errors import Failed, Forbidden, Invalid, Refused, TooLarge, Unauthenticated
from stockwire.core.events import Event
from stockwire.core.values import moment_datetime
from stockwire.importing.bringing import Sent

MOST_EVENTS: Final = 1_000
MOST_BYTES: Final = 900_000
"""A little under the server's limit of 1 MiB for a body."""
LONGEST_WAIT: Final = 20.0
PATH: Final = "/api/v1/events"
_COMES_LATER: Final = (408, 429)
"""What a server says that was slow or busy, of a request that is right."""

_encode: Final = msgspec.json.Encoder().encode


class Posting:
    """A sink that is a server. Close it, or use it with `with`."""

    def __init__(
        self,
        client: httpx.Client,
        key: str | None,
        *,
        waiting: Callable[[float, str], None] | None = None,
        wait: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`client` has the server's address as its base. `waiting` is told of each wait: the seconds and why."""
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._waiting = waiting or (lambda seconds, why: None)
        self._wait = wait
        self._chance = chance

    def reach(self) -> None:
        """Raises Failed when no server answers there, before anything is read."""
        try:
            self._client.get("/healthz").raise_for_status()
        except httpx.HTTPError as error:
            raise Failed(
                f"no Stockwire answers at {self._client.base_url} ({error}); start one with `stockwire serve`, "
                "or give its address with --url"
            ) from None

    def status(self) -> dict[str, Any]:
        """What the server says of itself; empty when this key may not read it."""
        try:
            answer = self._client.get("/api/v1/status", headers=self._headers)
            found = answer.json() if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def send(self, events: Sequence[Event]) -> Sent:
        """Post the events and wait until all are acknowledged. Raises Refused when the server will not have them."""
        accepted = duplicates = version = 0
        for body in _bodies(events):
            answer = self._post(body)
            accepted += answer["accepted"]
            duplicates += answer["duplicates"]
            version = max(version, answer["version"])
        return Sent(accepted, duplicates, version)

    def _post(self, body: bytes) -> Any:
        headers = {**self._headers, "Content-Type": "application/json"}
        attempt = 0
        while True:
            try:
                answer = self._client.post(PATH, content=body, headers=headers)
            except httpx.TransportError as error:
                why, at_least = f"the server does not answer ({type(error).__name__})", 0.0
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code < 500 and answer.status_code not in _COMES_LATER:
                    raise _refusal(answer)
                why, at_least = f"the server says {answer.status_code}", _retry_after(answer)
            attempt += 1
            seconds = at_least + self._chance() * min(LONGEST_WAIT, 0.5 * 2 ** min(attempt, 10))
            self._waiting(seconds, why)
            self._wait(seconds)


def _bodies(events: Sequence[Event]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for event in events:
        part = _encode(
            {
                "specversion": "1.0",
                "source": event.source,
                "id": event.id,
                "type": event.type,
                "time": _exact_time(event.time),
                "data": msgspec.Raw(event.body),
            }
        )
        if parts and (len(parts) == MOST_EVENTS or size + len(part) > MOST_BYTES):
            yield b"[" + b",".join(parts) + b"]"
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield b"[" + b",".join(parts) + b"]"


def _exact_time(moment: int) -> str:
    """A moment to the microsecond, so that an event says the same whichever way it comes in."""
    return moment_datetime(moment).isoformat().replace("+00:00", "Z")


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 600.0) if text.isdigit() else 0.0


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    detail = str(problem.get("detail") or problem.get("title") or f"the server says {answer.status_code}")
    kinds: dict[int, type[Refused]] = {401: Unauthenticated, 403: Forbidden, 413: TooLarge}
    if answer.status_code == 401:
        detail += " (give a key with --key; `stockwire key create` makes one)"
    return kinds.get(answer.status_code, Invalid)(detail, problems=problem.get("problems") or [])
