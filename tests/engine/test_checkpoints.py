"""Checkpoints: dense near now, few in all, of one history, and never in the way."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from stockwire.core.errors import StorageFailed
from stockwire.engine import checkpoints as module
from stockwire.engine.checkpoints import SHARE, Checkpoints, Copy, Reached

SPACING = 10


def written(version: int, size: int = 10) -> Copy:
    """A copy that takes so many bytes."""

    def copy(to: Path) -> Reached:
        to.write_bytes(b"x" * size)
        return Reached(version, version * 1_000)

    return copy


def versions(checkpoints: Checkpoints) -> list[int]:
    return [each.version for each in checkpoints.newest_first()]


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "past", "a0", spacing=SPACING, worked=lambda: 0.0)


def grown(checkpoints: Checkpoints, to: int) -> None:
    for version in range(1, to + 1):
        checkpoints.leave(version, version, written(version))


def test_they_are_dense_near_now_and_never_far_apart_for_their_age(checkpoints: Checkpoints) -> None:
    newest = 5_000
    grown(checkpoints, newest)
    found = versions(checkpoints)
    assert found[0] == newest
    for later, older in pairwise([*found, 0]):
        assert later - older <= max(SPACING, (newest - older) // SHARE)


def test_their_number_grows_with_the_logarithm_of_the_log(checkpoints: Checkpoints) -> None:
    counts = []
    for size in (500, 1_000, 2_000, 4_000):
        grown(checkpoints, size)
        counts.append(len(versions(checkpoints)))
    more = [later - before for before, later in pairwise(counts)]
    assert all(step <= 2 * SHARE for step in more), counts


def test_none_is_made_where_one_is_near(checkpoints: Checkpoints) -> None:
    assert checkpoints.leave(SPACING, SPACING, written(SPACING))
    assert not checkpoints.leave(2 * SPACING - 1, 2 * SPACING - 1, written(2 * SPACING - 1))
    assert versions(checkpoints) == [SPACING]


def test_those_of_another_history_are_not_seen_and_removed(checkpoints: Checkpoints, tmp_path: Path) -> None:
    grown(checkpoints, 3 * SPACING)
    other = Checkpoints(tmp_path / "past", "b1", spacing=SPACING)
    assert versions(other) == []
    assert other.leave(SPACING, SPACING, written(SPACING))
    assert versions(checkpoints) == [] and versions(other) == [SPACING]


def test_together_they_keep_to_a_size(checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_MOST", 55)
    grown(checkpoints, 100 * SPACING)
    assert 1 < len(versions(checkpoints)) <= 5 and versions(checkpoints)[0] == 100 * SPACING


def test_a_disk_that_refuses_or_has_no_room_leaves_none(
    checkpoints: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(to: Path) -> Reached:
        to.write_bytes(b"a part")
        raise StorageFailed("the disk is full")

    assert not checkpoints.leave(SPACING, SPACING, refused)
    monkeypatch.setattr(module, "ROOM", 2**62)
    assert not checkpoints.leave(SPACING, SPACING, written(SPACING))
    assert list((tmp_path / "past").iterdir()) == []


def test_making_them_is_a_small_share_of_the_work(tmp_path: Path) -> None:
    now = 0.0

    def slowly(to: Path) -> Reached:
        nonlocal now
        now += 3.0
        return written(SPACING)(to)

    checkpoints = Checkpoints(tmp_path, "a0", spacing=SPACING, worked=lambda: now)
    assert checkpoints.leave(SPACING, SPACING, slowly)
    assert not checkpoints.leave(3 * SPACING, 3 * SPACING, written(3 * SPACING))
    now += 30.0
    assert checkpoints.leave(3 * SPACING, 3 * SPACING, written(3 * SPACING))
