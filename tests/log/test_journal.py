"""The journal: whoever follows gets every commit as it was, or is told that it must begin anew."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from stockwire.core.changes import Changes
from stockwire.core.errors import LostTrack
from stockwire.core.rows import FEEDS
from stockwire.engine.follower import Follower
from stockwire.log import journal
from stockwire.log.journal import Tail
from stockwire.log.sqlite import FILE, SqliteLog
from tests.core.shop import Shop as Screens
from tests.log.history import Shop, batches, busy_day, configured, order, receipt


def seen(changes: Changes) -> list[object]:
    """What feeds take of a commit, in its order."""
    return [changes.version, changes.clock, changes.evicted, *(list(getattr(changes, feed).items()) for feed in FEEDS)]


def followed(directory: Path) -> SqliteLog:
    return SqliteLog(directory, followed=True)


def everything(tail: Tail) -> list[Changes]:
    found: list[Changes] = []
    while more := tail.look():
        found += more
    return found


def test_a_follower_gets_each_commit_by_itself_just_as_the_writer_made_it(tmp_path: Path) -> None:
    log = followed(tmp_path)
    tail = Tail(tmp_path, 0, log.epoch)
    shop = Shop(log)
    made = [shop.write(*batch) for batch in batches(busy_day(), 3)]
    assert [seen(each) for each in everything(tail)] == [seen(each) for each in made]
    assert tail.look() == []
    tail.close()
    log.close()


def test_orders_that_leave_the_feed_leave_it_for_followers_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockwire.core.fold.RECENT_CLOSED", 2)
    log = followed(tmp_path)
    tail = Tail(tmp_path, 0, log.epoch)
    shop = Shop(log)
    shop.write(configured())
    for number in range(1, 6):
        shop.write(order(number, f"10:{number:02}", "completed"))
    found = everything(tail)
    assert [key for changes in found for key in changes.evicted] == [("0001",), ("0002",), ("0003",)]
    tail.close()
    log.close()


def test_the_journal_outlives_the_writer_so_that_nobody_misses_its_last_commit(tmp_path: Path) -> None:
    log = followed(tmp_path)
    tail = Tail(tmp_path, 0, log.epoch)
    Shop(log).write(configured(), receipt(1))
    log.close()
    log = followed(tmp_path)
    Shop(log).write(receipt(2))
    assert [changes.version for changes in everything(tail)] == [2, 3]
    tail.close()
    log.close()


def test_commits_that_are_not_in_the_journal_are_missed_and_not_passed_over(tmp_path: Path) -> None:
    log = followed(tmp_path)
    tail = Tail(tmp_path, 0, log.epoch)
    Shop(log).write(configured())
    everything(tail)
    log.close()
    for kept in (False, True):
        log = SqliteLog(tmp_path, followed=kept)
        Shop(log).write(receipt(log.version))
        with pytest.raises(LostTrack):
            everything(tail)
        log.close()
    tail.close()


def test_another_epoch_is_another_log(tmp_path: Path) -> None:
    log = followed(tmp_path)
    tail = Tail(tmp_path, 0, "another epoch")
    Shop(log).write(configured())
    with pytest.raises(LostTrack):
        tail.look()
    tail.close()
    log.close()


def test_only_the_newest_commits_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "COMMITS_KEPT", 3)
    monkeypatch.setattr(journal, "TRIM_EVERY", 2)
    log = followed(tmp_path)
    shop = Shop(log)
    for number in range(10):
        shop.write(receipt(number))
    with apsw.Connection(str(tmp_path / FILE)) as connection:
        kept = [version for (version,) in connection.execute("SELECT version FROM journal ORDER BY version")]
    assert kept == [8, 9, 10]
    log.close()
    SqliteLog(tmp_path).close()
    with apsw.Connection(str(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM journal").get == 0


def test_two_followers_show_what_the_log_has_and_what_it_forgot(tmp_path: Path) -> None:
    log = followed(tmp_path)
    shop = Shop(log)
    screens = [Screens(), Screens()]
    tails = [Tail(tmp_path, 0, log.epoch) for _ in screens]
    followers = [Follower(tail, each.hub.publish, each.hub.forget) for tail, each in zip(tails, screens, strict=True)]
    for number, batch in enumerate(batches(busy_day(), 5)):
        shop.write(*batch)
        followers[0].catch_up()
        if number % 3 == 0:
            followers[1].catch_up()
    log.compact(shop.now + 1, 0)
    for follower, each in zip(followers, screens, strict=True):
        follower.catch_up()
        loaded = log.load()
        assert each.hub.version == loaded.version
        assert each.hub.horizon == loaded.horizon
        assert {entry.key: entry.row for entry in each.hub.feeds["inventory"]} == loaded.inventory
        assert {entry.key: entry.row for entry in each.hub.feeds["orders"]} == loaded.orders
        assert {entry.key: entry.row for entry in each.hub.feeds["metrics"]} == loaded.metrics
    for tail in tails:
        tail.close()
    log.close()
