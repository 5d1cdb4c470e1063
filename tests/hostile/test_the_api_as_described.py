"""The API is as its OpenAPI document describes it, by a judge that is not ours: Schemathesis makes the requests, right and
wrong, alone and one after the other as the document's links lead, and looks at every answer.

It is not asked whether all that fits a schema is taken: that quantities are exact, times not in the future and no id
longer than its index no schema can say. Nor is the answer to wrong credentials judged, which is "too many" after ten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.running import Running, event, running, snapshot

EXAMPLES = int(os.environ.get("STOCKWIRE_EXAMPLES", "6"))
"""Requests to make for each operation, right and wrong; as many walks along the links."""
SEED = int(os.environ.get("STOCKWIRE_SEED", "1"))
UNASKED = [checks.positive_data_acceptance, checks.ignored_auth]
ENDLESS = "/api/v1/stream"
HOW = settings(
    max_examples=EXAMPLES, database=None, deadline=None, derandomize=False, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck), stateful_step_count=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("described") / "data") as server:
        line = {"sku": "MUG", "quantity": 1, "unit_price": "6.95"}
        server.post(snapshot("MUG", 3), event("order.placed", order_id="A-1", currency="EUR", lines=[line]))
        yield server
        assert "Traceback" not in server.output.read_text()


@pytest.fixture(scope="module")
def described(server: Running) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")


def hurried(case: Any) -> Any:
    """The same request without waiting for what does not come."""
    if isinstance(case.query, dict) and str(case.query.get("wait", "0")).isdigit():
        case.query["wait"] = 0
    if isinstance(case.body, dict) and isinstance(case.body.get("wait", 0), int) and case.path == "/api/v1/poll":
        case.body["wait"] = 0
    return case


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_as_described(server: Running, described: Any, mode: GenerationMode) -> None:
    for result in described.exclude(path=ENDLESS).get_all_operations():
        operation = result.ok()

        @seed(SEED)
        @HOW
        @given(operation.as_strategy(generation_mode=mode).map(hurried))
        def answers(case: Any) -> None:
            case.call_and_validate(headers=server.headers, timeout=30, excluded_checks=UNASKED)

        with suppress(Unsatisfiable):  # where nothing is asked, nothing can be asked wrongly
            answers()


def test_whoever_follows_the_links_is_answered_as_described(server: Running, described: Any) -> None:
    class Walk(described.as_state_machine()):  # type: ignore[misc]
        walked: ClassVar[set[str]] = set()

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            hurried(case)
            self.walked.add(case.operation.label)
            return {"headers": server.headers, "timeout": 30}

        def validate_response(self, response: Any, case: Any, *arguments: Any, **options: Any) -> None:
            case.validate_response(response, excluded_checks=UNASKED)

    Walk.seed = SEED
    run_state_machine_as_test(Walk, settings=HOW)
    assert Walk.walked
