"""A hundred thousand connections leave at most 2 MiB behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.leaks.visits import measure


@pytest.mark.soak
def test_a_hundred_thousand_connections_leave_at_most_two_mebibytes_behind(tmp_path: Path) -> None:
    growth = measure(tmp_path / "data", 100_000, "blocks")
    assert growth.net_bytes <= 2 << 20, growth.places
