"""The reference is complete: every route, limit and error stands in it as the code has it."""

import re
from pathlib import Path

import pytest

from stockwire.core.errors import StockwireError
from stockwire.core.rows import FEEDS, FeedName
from stockwire.engine import limits as connection_limits
from stockwire.transport.http import limits
from stockwire.transport.http.schemas import NULLABLE
from tests.http.place import Place

ROOT = Path(__file__).parents[2]
ERRORS = (ROOT / "docs/reference/errors.md").read_text()
HTTP = (ROOT / "docs/reference/http.md").read_text()
LIMITS = dict(re.findall(r"\| ([A-Z_]+) \| ([\d,]+)", (ROOT / "docs/reference/limits.md").read_text()))


def errors(kind: type[StockwireError] = StockwireError) -> list[type[StockwireError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in errors(child))]


async def test_every_route_has_a_heading(place: Place) -> None:
    written = set(re.findall(r"^## (\w+ /\S+)$", HTTP, re.MULTILINE))
    routes = {
        f"{method} {route.path_format}"
        for route in place.api.routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS" and route.path_format != "/api/v1/openapi.json"
    }
    assert written == routes | {"GET /api/v1/stream", "GET /api/v1/poll", "GET /api/v1/past"}


def test_every_limit_is_written_with_its_value() -> None:
    named = {
        name: value for module in (limits, connection_limits) for name, value in vars(module).items() if name.isupper()
    }
    assert {name: int(value.replace(",", "")) for name, value in LIMITS.items()} == named


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.code)
def test_every_error_is_written_with_its_status(kind: type[StockwireError]) -> None:
    section = re.search(rf"^## {kind.code}\n(.*?)(?=^## |\Z)", ERRORS, re.MULTILINE | re.DOTALL)
    assert section is not None
    for status in re.findall(r"HTTP (\d+)", section[1]):
        assert int(status) == kind.status
    for close in re.findall(r"[Cc]lose (\d+)", section[1]):
        assert int(close) == kind.close_code


@pytest.mark.parametrize("feed", FEEDS)
def test_the_schemas_know_which_fields_may_be_null(feed: FeedName) -> None:
    section = (ROOT / "spec/rows.md").read_text().partition(f"\n## {feed},")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    assert set(re.findall(r"(\w+)\?", " ".join(cells))) == NULLABLE[feed]
