"""Connections leave nothing behind: memray watches the server while thousands come and go."""

from __future__ import annotations

from pathlib import Path

from tests.leaks.visits import measure

CONNECTIONS = 3_000
NET_MOST = 1 << 20
"""Bytes. The same growth for each connection would be hundreds of bytes; a forgotten connection is thousands."""


def test_thousands_of_connections_leave_nothing_behind(tmp_path: Path) -> None:
    growth = measure(tmp_path / "data", CONNECTIONS)
    assert growth.net_bytes <= NET_MOST, growth.places
