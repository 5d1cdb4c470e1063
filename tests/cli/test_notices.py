"""Rules and notifications from the command line, beside a server and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Ended, stockwire
from tests.running import running

EVENTS = [
    {"id": "1", "source": "till", "type": "stock.snapshot", "time": "2026-03-02T09:00:00Z", "data": {"sku": "MUG", "on_hand": 9}},
    {"id": "2", "source": "till", "type": "stock.snapshot", "time": "2026-03-02T10:00:00Z", "data": {"sku": "MUG", "on_hand": 0}},
]  # fmt: skip


def at(directory: Path, *arguments: str) -> Ended:
    return stockwire(*arguments, "--data-dir", directory)


def listed(directory: Path, *arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(at(directory, *arguments, "--json").out))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A data directory in which a shelf is empty."""
    (tmp_path / "events.json").write_text("\n".join(map(json.dumps, EVENTS)))
    directory = tmp_path / "data"
    ended = at(directory, "import", str(tmp_path / "events.json"), "--format", "events")
    assert ended.code == 0, ended.err
    return directory


def test_a_rule_is_made_shown_replaced_and_removed(shop: Path) -> None:
    made = at(shop, "rules", "add", "low_stock", "Few mugs", "--sku", "MUG", "--threshold", "2.5", "--id", "mugs")
    assert (made.code, made.out.strip()) == (0, "mugs"), made.err
    shown = json.loads(at(shop, "rules", "show", "mugs").out)
    assert (shown["threshold"], shown["scope"], shown["updated_by"]) == (2.5, {"sku": "MUG"}, "command line")
    at(shop, "rules", "add", "low_stock", "Few mugs", "--threshold", "4", "--id", "mugs", "--off")
    (row,) = [row for row in listed(shop, "rules", "list") if row["rule_id"] == "mugs"]
    assert (row["threshold"], row["enabled"], row["revision"]) == (4, False, 2)
    assert at(shop, "rules", "remove", "mugs").code == 0
    assert at(shop, "rules", "show", "mugs").code == 2
    assert at(shop, "rules", "remove", "mugs").code == 2


def test_a_rule_that_means_nothing_is_refused(shop: Path) -> None:
    ended = at(shop, "rules", "add", "large_order", "Large")
    assert (ended.code, "threshold" in ended.err) == (2, True)


def test_what_fires_is_listed_seen_to_put_off_and_called_over(shop: Path) -> None:
    (row,) = [row for row in listed(shop, "notifications", "list") if row["kind"] == "out_of_stock"]
    id_ = row["notification_id"]
    for what, state in (("acknowledge", "acknowledged"), ("snooze", "snoozed"), ("resolve", "resolved")):
        ended = at(shop, "notifications", what, id_)
        assert ended.code == 0, ended.err
        (now,) = [row for row in listed(shop, "notifications", "list", "--over") if row["notification_id"] == id_]
        assert now["state"] == state
    assert id_ not in at(shop, "notifications", "list").out
    assert at(shop, "notifications", "acknowledge", "nothing@1").code == 2


def test_tables_are_for_people(shop: Path) -> None:
    assert "default-out-of-stock" in at(shop, "rules", "list").out
    assert "out of stock" in at(shop, "notifications", "list").out


def test_beside_a_server_it_goes_through_the_server(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with running(directory) as server:
        key = at(directory, "key", "create", "desk", "--scope", "manage").out.strip()
        through = ("--url", server.url, "--key", key)
        refused = at(directory, "rules", "add", "drift", "Drift", "--id", "mine")
        assert (refused.code, "--url" in refused.err) == (3, True)
        assert at(directory, "rules", "add", "drift", "Drift", "--id", "mine", *through).code == 0
        assert at(directory, "rules", "add", "drift", "Drift anew", "--id", "mine", *through).code == 0
        assert json.loads(at(directory, "rules", "show", "mine").out)["revision"] == 2
        assert at(directory, "rules", "remove", "mine", *through).code == 0
        assert at(directory, "rules", "remove", "mine", *through).code == 2
