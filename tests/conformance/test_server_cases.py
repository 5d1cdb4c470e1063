"""The server's side of spec/cases: each case is a conversation that a conforming server has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stockwire.core.session import Session
from stockwire.core.views import parse_view
from tests.core.shop import Shop

CASES = Path(__file__).parents[2] / "spec" / "cases"
FOUND = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CASES.glob("*.json"))
    for case in json.loads(path.read_text())
    if case["side"] in ("server", "both")
]


def agrees(pattern: Any, value: Any) -> bool:
    """Whether a frame fits a pattern: `"*"` fits what is there, null what is absent, objects may have more members."""
    if pattern == "*":
        return value is not None
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(agrees(each, value.get(name)) for name, each in pattern.items())
    if isinstance(pattern, list):
        return (
            isinstance(value, list)
            and len(pattern) == len(value)
            and all(agrees(each, have) for each, have in zip(pattern, value, strict=True))
        )
    return bool(pattern == value)


class Talk:
    """A case being played."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.shop = Shop()
        for sku, level in case["rows"].items():
            self.shop.write(**{sku: level})
        self.sent: list[dict[str, Any]] = []
        self.session = self._session()

    def _session(self) -> Session:
        return Session("case", self.shop.hub, heartbeat=20.0, now=self.shop.seconds)

    def play(self, step: dict[str, Any]) -> None:
        [(verb, given)] = step.items()
        getattr(self, verb)(given)

    def horizon(self, version: int) -> None:
        self.shop.restart(horizon=version)
        self.session = self._session()

    def receive(self, frame: dict[str, Any]) -> None:
        if str(frame.get("cursor", "")).endswith("@"):
            frame = frame | {"cursor": frame["cursor"][:-1] + parse_view(frame).name}
        self.receive_text(json.dumps(frame))

    def receive_text(self, text: str) -> None:
        self.sent += [json.loads(each.body) for each in self.session.receive(text, self.shop.seconds)]

    def write(self, levels: dict[str, int | None]) -> None:
        self.shop.write(**levels)

    def wait(self, seconds: float) -> None:
        self.shop.seconds += seconds

    def send(self, patterns: list[dict[str, Any]]) -> None:
        self.sent += [json.loads(each.body) for each in self.session.pull(self.shop.seconds)]
        assert agrees(patterns, self.sent), f"sent {json.dumps(self.sent, indent=1)}"
        self.sent = []

    def end(self, code: int) -> None:
        assert self.session.ending is not None
        assert self.session.ending.code == code


@pytest.mark.parametrize("case", FOUND)
def test_a_conforming_server(case: dict[str, Any]) -> None:
    talk = Talk(case)
    for step in case["steps"]:
        talk.play(step)


def test_there_are_cases_for_every_server_rule_that_frames_can_show() -> None:
    cited = {rule for param in FOUND for rule in param.values[0]["rules"]}
    assert cited >= {"P2.1", "P2.2", "P3.3", "P3.5", "P4.1", "P4.2", "P4.3", "P4.4", "P4.5", "P4.6", "P4.7", "P5.1",
    "P5.3",
                     "P5.4", "P5.5", "P5.8", "P6.1", "P6.3", "P6.5", "P6.6", "P6.7", "P7.1", "P8.4"}  # fmt: skip
