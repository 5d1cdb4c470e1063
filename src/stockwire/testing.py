"""For tests, and for whoever writes a client in Python: a receiver that follows spec/protocol.md to the letter.

`Receiver` applies frames to tables and refuses whatever a correct server never sends, so every test that reads through
it checks the protocol's invariants on every frame.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from stockwire.core.cursor import Cursor


class ProtocolFault(AssertionError):
    """The server sent something that spec/protocol.md forbids."""


class Held:
    """One view as its receiver has it: rows by key, and the version they are of (None: nothing yet)."""

    def __init__(self, view: str, key: tuple[str, ...]) -> None:
        self.view = view
        self.key = key
        self.rows: dict[tuple[str, ...], dict[str, Any]] = {}
        self.version: int | None = None
        self.epoch: str | None = None
        self.resets: list[str] = []
        self._staged: list[dict[str, Any]] | None = None

    def key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(row[field] for field in self.key)

    def checksum(self) -> int:
        """The sum of P7.1."""
        texts = ("\0".join(key) + f"@{row['version']}" for key, row in self.rows.items())
        return sum(zlib.crc32(text.encode()) for text in texts) % 2**32


class Receiver:
    """Holds the views of one subscriber across connections. `epoch` is the log's history it has seen.

    `live` names the views of the present connection: a tick is about them alone.
    """

    def __init__(self) -> None:
        self.views: dict[str, Held] = {}
        self.ids: dict[str, str] = {}
        self.live: set[str] = set()
        self.epoch: str | None = None
        self.last_hello: dict[str, Any] = {}
        self.seen: list[str] = []
        self.waiting: int | None = None

    def cursor(self, id_: str) -> str | None:
        """The cursor to resume that id with; None when there is nothing to resume."""
        held = self.views.get(self.ids.get(id_, ""))
        if held is None or held.version is None or held.epoch is None:
            return None
        return str(Cursor(held.epoch, held.version, held.view))

    def rows(self, id_: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """The rows of the view that id holds."""
        return self.views[self.ids[id_]].rows

    def take(self, body: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
        """Apply one frame; gives it decoded. Raises ProtocolFault."""
        frame: dict[str, Any] = dict(body) if isinstance(body, Mapping) else json.loads(body)
        self.seen.append(frame["type"])
        step = getattr(self, "_on_" + frame["type"], None)
        if step is not None:
            step(frame)
        return frame

    def _view(self, frame: Mapping[str, Any]) -> Held:
        held = self.views.get(frame["view"])
        if held is None:
            raise ProtocolFault(f"a frame of a view that is not held: {frame['view']}")
        return held

    def _on_hello(self, frame: Mapping[str, Any]) -> None:
        if self.epoch is not None and self.epoch != frame["epoch"]:
            for held in self.views.values():
                held.resets.append("expected")
        self.live.clear()
        self.epoch = frame["epoch"]
        self.last_hello = dict(frame)

    def _on_subscribed(self, frame: Mapping[str, Any]) -> None:
        self.ids[frame["id"]] = frame["view"]
        self.live.add(frame["view"])
        if frame["view"] not in self.views:
            self.views[frame["view"]] = Held(frame["view"], tuple(frame["key"]))

    def _on_unsubscribed(self, frame: Mapping[str, Any]) -> None:
        name = self.ids.pop(frame["id"], "")
        if name not in self.ids.values():
            self.live.discard(name)

    def _on_reset(self, frame: Mapping[str, Any]) -> None:
        held = self._view(frame)
        held.resets.append(frame["reason"])
        held.version = None

    def _on_snapshot(self, frame: Mapping[str, Any]) -> None:
        held = self._view(frame)
        if frame["part"] == 0:
            held._staged = []
        if held._staged is None:
            raise ProtocolFault("a snapshot that does not begin with part 0")
        held._staged.extend(frame["rows"])
        if not frame.get("more"):
            held.rows = {held.key_of(row): row for row in held._staged}
            held.version = frame["at"]
            held.epoch = self.epoch
            held._staged = None

    def _on_delta(self, frame: Mapping[str, Any]) -> None:
        held = self._view(frame)
        if frame["from"] != held.version:
            raise ProtocolFault(f"delta from {frame['from']}, but the cursor is {held.version}")
        if held.epoch != self.epoch:
            raise ProtocolFault(f"a delta of epoch {self.epoch} for rows of {held.epoch}")
        if frame["to"] <= frame["from"]:
            raise ProtocolFault(f"delta from {frame['from']} to {frame['to']}")
        for row in frame.get("upsert", ()):
            key = held.key_of(row)
            old = held.rows.get(key)
            if old is not None and old["version"] > row["version"]:
                raise ProtocolFault(f"row {key} went from version {old['version']} back to {row['version']}")
            held.rows[key] = row
        for key in frame.get("remove", ()):
            held.rows.pop(tuple(key), None)
        held.version = frame["to"]

    def _on_tick(self, frame: Mapping[str, Any]) -> None:
        self.waiting = frame.get("waiting")
        if "to" in frame:
            for held in (self.views[name] for name in self.live):
                if held.version is not None:
                    if frame["to"] < held.version:
                        raise ProtocolFault(f"tick to {frame['to']}, but the cursor is {held.version}")
                    held.version = frame["to"]

    _on_heartbeat = _on_tick

    def _on_checksum(self, frame: Mapping[str, Any]) -> None:
        held = self._view(frame)
        if held.version == frame["at"] and (len(held.rows), held.checksum()) != (frame["rows"], frame["sum"]):
            raise ProtocolFault("the checksum differs")
