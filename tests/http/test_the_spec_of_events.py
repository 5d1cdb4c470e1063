"""spec/events.md is true: every example is taken as it stands, and every type and field is there."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockwire.core.events import INTERNAL_TYPES, TYPES, CreditLine, Data, OrderData, OrderLine, StockData
from tests.http.place import Place

SPEC = (Path(__file__).parents[2] / "spec" / "events.md").read_text()
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", SPEC, re.MULTILINE | re.DOTALL))
PUBLIC = [name for name in TYPES if name not in INTERNAL_TYPES]


def examples() -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", SPEC, re.DOTALL)]


def fields(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def common(kind: type[Data]) -> set[str]:
    """The fields that the spec gives once for many types."""
    shared = next((base for base in (StockData, OrderData) if issubclass(kind, base)), None)
    return fields(shared) if shared else set()


def test_every_type_has_its_section_and_an_example() -> None:
    assert list(SECTIONS) == PUBLIC
    assert [example["type"] for example in examples()] == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_section_has_every_field(name: str) -> None:
    written = set(re.findall(r"^\| (\w+) \|", SECTIONS[name], re.MULTILINE)) - {"field"}
    assert written == fields(TYPES[name]) - common(TYPES[name])


@pytest.mark.parametrize("kind", [StockData, OrderData, OrderLine, CreditLine], ids=lambda kind: kind.__name__)
def test_what_types_share_is_written_once(kind: type[msgspec.Struct]) -> None:
    shared = SPEC.partition("### ")[0] + SPEC[SPEC.index("## Orders") : SPEC.index("### order.placed")]
    for field in fields(kind):
        assert re.search(rf"^\| {field} \||`{field}`", shared, re.MULTILINE), field


@pytest.mark.parametrize("example", examples(), ids=lambda example: example["type"])
async def test_every_example_is_taken_alone(place: Place, example: dict[str, Any]) -> None:
    answer = await place.post(json.dumps(example), "application/cloudevents+json")
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


async def test_all_examples_are_taken_together_and_kept_as_they_were_sent(place: Place) -> None:
    await place.tell(*examples())
    kept = [record.event for record in place.log.records() if record.event.source == "till"]
    assert [(event.type, json.loads(event.body)) for event in kept] == [
        (each["type"], each["data"]) for each in examples()
    ]
    assert place.log.counts().parked == 0


async def test_the_examples_tell_one_story(place: Place) -> None:
    await place.tell(*examples())
    stock = {(row["sku"], row["location"]): row for row in await place.rows("/api/v1/inventory")}
    order = (await place.read("/api/v1/orders/1001")).json()["order"]
    assert stock["TEA-250", "main"]["on_hand"] == 18.5
    assert stock["MUG-01", "store"]["on_hand"] == 6
    assert (order["payment_status"], order["total"], order["credited"]) == ("paid", "34.8", "6.95")
