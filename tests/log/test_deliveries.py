"""The file of channels and deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from stockwire.core.errors import Invalid, NotFound
from stockwire.core.retrying import SENT, Outcome, verdict
from stockwire.core.values import DAY
from stockwire.engine.backup import back_up
from stockwire.log import deliveries
from stockwire.log.deliveries import DEAD_KEPT, FILE, KEPT, Channel, Deliveries, Planned, Subscription, subscription_id
from stockwire.log.sqlite import SqliteLog
from tests.outgoing.house import NOW, channel


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Deliveries]:
    made = Deliveries(tmp_path / FILE, clock)
    yield made
    made.close()


def planned(number: int = 1, **more: object) -> Planned:
    made = Planned(
        key=f"k/{number}", receiver="hook", channel_id="hook", person="owner", happened="fired",
        notification_id=f"n/{number}", entry=b"{}", at=NOW, due_at=NOW,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def browser(number: int = 1) -> Subscription:
    endpoint = f"https://push.example.com/{number}"
    return Subscription(
        subscription_id=subscription_id(endpoint), person="owner", endpoint=endpoint, p256dh=b"p" * 65, auth=b"a" * 16,
        language="en", device="Laptop", created_at=NOW,
    )  # fmt: skip


def hook(**more: object) -> Channel:
    return channel("https://hooks.example.com/SECRET", **more)


def test_the_file_is_for_its_owner_alone(store: Deliveries, tmp_path: Path) -> None:
    store.put_channel(hook())
    assert [file.stat().st_mode & 0o077 for file in tmp_path.iterdir()] == [0] * len(list(tmp_path.iterdir()))


def test_what_is_kept_comes_back_as_it_was(store: Deliveries) -> None:
    store.put_channel(hook(enabled=False, note="why"))
    store.put_subscription(browser())
    assert store.channels() == [hook(enabled=False, note="why")] and store.channel("hook") == store.channels()[0]
    assert store.subscriptions() == [browser()] and store.subscription(browser().subscription_id) == browser()
    for name in ("channel", "subscription", "remove_channel", "remove_subscription"):
        with pytest.raises(NotFound):
            getattr(store, name)("nobody")


def test_two_processes_meet_in_the_file(store: Deliveries, tmp_path: Path, clock: Clock) -> None:
    other = Deliveries(tmp_path / FILE, clock)
    before = store.revision
    other.put_channel(hook())
    made = other.add(planned(happened="test"))
    assert store.revision != before
    begun = store.begin(made.delivery_id)
    assert begun is not None and other.begin(made.delivery_id) is None
    store.finish(begun, SENT, verdict(SENT, 1, NOW, 0.0), 0)
    assert other.delivery(made.delivery_id).state == "sent" and other.channel("hook").last_sent_at == NOW
    other.close()


def test_the_key_of_pushes_is_made_once(store: Deliveries, tmp_path: Path, clock: Clock) -> None:
    first = store.push_key(lambda: b"one")
    other = Deliveries(tmp_path / FILE, clock)
    assert first == other.push_key(lambda: b"two") == b"one"
    other.close()


def test_a_removed_channel_takes_along_what_was_sent_by_it(store: Deliveries) -> None:
    store.put_channel(hook())
    store.expand([planned(1), planned(2)], through=5)
    store.remove_channel("hook")
    assert store.deliveries() == [] and store.due() == [] and store.adopt("e", 9) == 9 and store.adopt("e", 12) == 9


def test_there_is_a_bound_to_channels_and_browsers(store: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "CHANNELS_MOST", 1)
    monkeypatch.setattr(deliveries, "SUBSCRIPTIONS_MOST", 1)
    store.put_channel(hook())
    store.put_channel(hook(name="another name"))
    store.put_subscription(browser())
    store.put_subscription(browser())
    with pytest.raises(Invalid):
        store.put_channel(hook(channel_id="more"))
    with pytest.raises(Invalid):
        store.put_subscription(browser(2))


def test_only_a_dead_letter_is_tried_again(store: Deliveries) -> None:
    store.put_channel(hook())
    made = store.add(planned())
    with pytest.raises(Invalid):
        store.retry(made.delivery_id)
    begun = store.begin(made.delivery_id)
    assert begun is not None
    refused = Outcome("refused", "a redirect")
    store.finish(begun, refused, verdict(refused, 1, NOW, 0.0), 0)
    assert store.counts() == {("hook", "dead"): 1} and store.channel("hook").last_error == "a redirect"
    assert store.retry(made.delivery_id).state == "waiting" and store.due() == [(made.delivery_id, "hook")]


def test_a_dead_letter_of_a_channel_that_is_turned_off_stays(store: Deliveries) -> None:
    store.put_channel(hook())
    begun = store.begin(store.add(planned()).delivery_id)
    assert begun is not None
    gone = Outcome("gone", "answered 410")
    store.finish(begun, gone, verdict(gone, 1, NOW, 0.0), 0)
    with pytest.raises(Invalid, match="turned off"):
        store.retry(begun.delivery_id)
    assert store.due() == []


def test_what_is_over_is_forgotten_in_time_and_beyond_a_number(
    store: Deliveries, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_channel(hook())
    for number, outcome in enumerate((SENT, Outcome("refused", "no"))):
        begun = store.begin(store.add(planned(number)).delivery_id)
        assert begun is not None
        store.finish(begun, outcome, verdict(outcome, 1, NOW, 0.0), 0)
    store.add(planned(7))
    for at, states in (
        (KEPT, ["waiting", "dead", "sent"]),
        (KEPT + DAY, ["waiting", "dead"]),
        (DEAD_KEPT + DAY, ["waiting"]),
    ):
        clock.at = NOW + at
        store.tidy()
        assert [each.state for each in store.deliveries()] == states
    begun = store.begin(store.deliveries()[0].delivery_id)
    assert begun is not None
    store.finish(begun, SENT, verdict(SENT, 1, clock.at, 0.0), 0)
    monkeypatch.setattr(deliveries, "FINISHED_MOST", 0)
    store.tidy()
    assert store.deliveries() == []


def test_a_backup_has_the_channels(store: Deliveries, tmp_path: Path, clock: Clock) -> None:
    SqliteLog(tmp_path, now=NOW).close()
    store.put_channel(hook())
    back_up(tmp_path, tmp_path / "backup")
    copy = Deliveries(tmp_path / "backup" / FILE, clock)
    assert copy.channels() == [hook()]
    copy.close()
