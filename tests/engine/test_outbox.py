"""What leaves the page: the right person, once, at the right time, whatever happens to either side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stockwire.core.errors import StorageFailed
from stockwire.core.retrying import FIRST, TRIES, Outcome
from stockwire.core.rows import Quiet, RuleChoice
from stockwire.core.values import DAY, HOUR, MINUTE, SECOND, moment
from stockwire.engine import outbox
from stockwire.engine.outbox import IMPORTED, UNDER_WAY
from stockwire.log.deliveries import KEPT, WAITING_MOST
from tests.engine.desk import NOON, PUSH, Desk, notification

NIGHT = Quiet(from_="22:00", to="07:00", timezone="Europe/Berlin")
MIDNIGHT = moment("2026-06-10T22:00:00Z")
MORNING = moment("2026-06-11T05:00:00Z")
DOWN = Outcome("failed", "nobody at home")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    await made.open()
    yield made
    await made.kill()


# --- whom, and whether ------------------------------------------------------------------------------------------------


async def test_without_a_channel_nothing_is_sent_and_nothing_is_kept(desk: Desk) -> None:
    desk.log.tell(notification())
    await desk.turn()
    desk.channel()
    await desk.turn()
    assert desk.mail.went == [] and desk.deliveries() == []


async def test_events_that_tell_nobody_anything_cost_the_disk_nothing(desk: Desk) -> None:
    desk.channel()
    before = desk.store.revision
    desk.log.version += 1_000
    await desk.turn(looks=3)
    assert desk.store.revision == before
    desk.log.tell(notification())
    await desk.restart()
    await desk.turn()
    assert desk.mail.said == [("hook", "fired")]


async def test_what_fires_is_told_once_by_each_channel_and_browser(desk: Desk) -> None:
    desk.channel("hook")
    desk.channel("chat", kind="apprise", address="slack://a/b/c")
    desk.browser("laptop")
    desk.browser("phone")
    desk.log.tell(notification())
    await desk.turn(looks=4)
    assert sorted(desk.mail.said) == [("chat", "fired"), ("hook", "fired"), ("laptop", "fired"), ("phone", "fired")]
    words = dict(desk.mail.went)
    assert words["hook"].subject == "MUG-1 is running low at main"
    assert words["phone"].subject == "MUG-1 wird knapp (main)" and words["phone"].tag == "low/1"
    assert words["hook"].notifications[0]["sku"] == "MUG-1"
    assert len({message.id for _, message in desk.mail.went}) == 4


async def test_each_person_is_told_by_their_own_preferences(desk: Desk) -> None:
    desk.channel("mine")
    desk.channel("hers", person="ada")
    desk.browser("phone", person="ada")
    desk.log.prefer("ada", muted_rules=("low",))
    desk.log.tell(notification(1))
    await desk.turn()
    desk.log.prefer("ada", channels={PUSH: False}, rules={"low": RuleChoice(channels=("hers", PUSH))})
    desk.log.tell(notification(2, severity="info"))
    await desk.turn()
    assert desk.mail.said == [("mine", "fired"), ("hers", "fired")]


async def test_what_is_oversold_is_not_told_to_be_out_of_stock_as_well(desk: Desk) -> None:
    desk.channel("mine")
    desk.channel("hers", person="ada")
    desk.log.prefer("ada", muted_rules=("oversold",))
    low = notification(1)
    for kind in ("low_stock", "out_of_stock", "oversold"):
        row = notification(1, kind=kind, rule_id=kind, notification_id=f"{kind}/1@1", dedupe_key=f"{kind}/1")
        desk.log.tell(row, with_the_last=kind != "low_stock")
    desk.log.tell(low, with_the_last=True)
    desk.log.tell(notification(2), with_the_last=True)
    await desk.turn(looks=4)
    told = [(receiver, message.tag) for receiver, message in desk.mail.went]
    assert sorted(told) == [("hers", "low/2"), ("hers", "out_of_stock/1"), ("mine", "low/2"), ("mine", "oversold/1")]
    desk.log.tell(notification(3, kind="out_of_stock", rule_id="out"))
    desk.log.tell(notification(3, kind="oversold", rule_id="over", notification_id="over/3@1", dedupe_key="over/3"))
    await desk.turn(looks=4)
    assert [receiver for receiver, _ in desk.mail.went].count("mine") == 4


async def test_that_it_is_over_is_told_only_where_it_was_told_that_it_began(desk: Desk) -> None:
    desk.channel("hook")
    desk.log.tell(notification())
    await desk.turn()
    desk.channel("later")
    desk.log.tell(notification(state="resolved"), "resolved")
    await desk.turn(looks=2)
    assert desk.mail.said == [("hook", "fired"), ("hook", "resolved")]


async def test_history_that_is_imported_calls_nobody(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification(1), at=NOON - IMPORTED - SECOND, recorded_at=NOON)
    desk.log.tell(notification(2), at=NOON - IMPORTED, recorded_at=NOON)
    await desk.turn(looks=3)
    assert [message.tag for _, message in desk.mail.went] == ["low/2"]


async def test_what_was_told_before_a_channel_was_turned_off_and_on_does_not_come_again(desk: Desk) -> None:
    hook = desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification())
    await desk.turn()
    desk.channel(enabled=False)
    desk.log.tell(notification(2))
    await desk.turn(seconds=HOUR / SECOND)
    desk.mail.answer = lambda *_: Outcome("sent")
    desk.channel(enabled=True)
    await desk.turn(looks=3)
    assert len(desk.mail.went) == 1 and desk.states() == ["dropped"]
    assert desk.store.channel(hook.channel_id).enabled


# --- quiet hours ------------------------------------------------------------------------------------------------------


async def test_at_the_end_of_quiet_hours_what_still_fires_is_told_and_the_rest_in_one_digest(desk: Desk) -> None:
    desk.channel()
    desk.log.prefer(quiet=NIGHT)
    desk.at = MIDNIGHT
    for number in (1, 2, 3):
        desk.log.tell(notification(number), at=MIDNIGHT)
    desk.log.tell(notification(2, state="resolved"), "resolved", at=MIDNIGHT)
    desk.log.now["low/3@1"] = notification(3, state="acknowledged")
    await desk.turn()
    assert desk.mail.went == []
    desk.at = MORNING - SECOND
    await desk.turn(seconds=1)
    assert desk.mail.went == [] and set(desk.states()) == {"held"}
    await desk.turn(looks=4)
    assert desk.mail.said == [("hook", "fired"), ("hook", "digest")]
    (_, alone), (_, digest) = desk.mail.went
    assert alone.tag == "low/1"
    assert digest.subject == "While it was quiet: 2 notifications"
    assert "MUG-2 is running low at main (over)" in digest.text
    assert "MUG-3 is running low at main (still goes on)" in digest.text
    await desk.turn(looks=3)
    assert len(desk.mail.went) == 2


async def test_who_was_told_before_quiet_hours_learns_in_the_digest_that_it_is_over(desk: Desk) -> None:
    desk.channel()
    desk.log.prefer(quiet=NIGHT)
    desk.log.tell(notification())
    await desk.turn()
    desk.at = MIDNIGHT
    desk.log.tell(notification(state="resolved"), "resolved", at=MIDNIGHT)
    await desk.turn()
    desk.at = MORNING
    await desk.turn(looks=2)
    assert desk.mail.said == [("hook", "fired"), ("hook", "digest")]
    assert "There is enough of MUG-1 again at main" in desk.mail.went[1][1].text


async def test_what_a_digest_told_of_is_told_to_be_over_when_it_is(desk: Desk) -> None:
    desk.channel()
    desk.log.prefer(quiet=NIGHT, digest=True)
    desk.at = MIDNIGHT
    for number in (1, 2):
        desk.log.tell(notification(number), at=MIDNIGHT)
    await desk.turn()
    desk.log.tell(notification(2, state="resolved"), "resolved", at=MIDNIGHT)
    await desk.turn()
    desk.at = MORNING
    await desk.turn(looks=2)
    desk.log.tell(notification(1, state="resolved"), "resolved", at=desk.at)
    await desk.turn(looks=2)
    assert [(message.happened, message.tag) for _, message in desk.mail.went] == [
        ("digest", "digest"),
        ("resolved", "low/1"),
    ]


async def test_a_digest_that_cannot_be_sent_is_tried_again_as_it_is(desk: Desk) -> None:
    desk.channel()
    desk.log.prefer(quiet=NIGHT, digest=True)
    desk.at = MIDNIGHT
    for number in range(30):
        desk.log.tell(notification(number), at=MIDNIGHT)
    await desk.turn()
    desk.at = MORNING
    desk.mail.answer = lambda *_: DOWN
    await desk.turn()
    desk.mail.answer = lambda *_: Outcome("sent")
    await desk.restart()
    await desk.turn(looks=3)
    (_, first), (_, second) = desk.mail.went
    assert first.id == second.id and first.text == second.text
    assert first.subject == "While it was quiet: 30 notifications" and "- 10 more" in first.text


async def test_quiet_hours_survive_a_restart(desk: Desk) -> None:
    desk.channel()
    desk.log.prefer(quiet=NIGHT)
    desk.at = MIDNIGHT
    desk.log.tell(notification(), at=MIDNIGHT)
    await desk.turn()
    await desk.restart()
    desk.at = MORNING
    await desk.turn(looks=2)
    assert desk.mail.said == [("hook", "fired")]


# --- the other side ---------------------------------------------------------------------------------------------------


async def test_a_receiver_that_is_down_is_tried_until_it_is_back_under_one_id(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification())
    desk.mail.answer = lambda *_: DOWN if len(desk.mail.went) < 5 else Outcome("sent")
    await desk.turn(seconds=HOUR / SECOND, looks=7)
    assert len(desk.mail.went) == 5 and len({message.id for _, message in desk.mail.went}) == 1
    assert [(each.state, each.attempts, each.error) for each in desk.deliveries()] == [("sent", 5, None)]


async def test_a_try_waits_for_as_long_as_was_drawn(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification())
    await desk.turn(seconds=FIRST / SECOND - 1)
    await desk.turn(seconds=1)
    assert len(desk.mail.went) == 1
    await desk.turn()
    assert len(desk.mail.went) == 2


async def test_what_never_works_becomes_a_dead_letter_that_a_person_can_send(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: Outcome("failed", "answered 500")
    desk.log.tell(notification())
    await desk.turn(seconds=3 * HOUR / SECOND, looks=TRIES + 3)
    (dead,) = desk.store.deliveries("dead")
    assert (len(desk.mail.went), dead.attempts, dead.error) == (TRIES, TRIES, "answered 500")
    desk.mail.answer = lambda *_: Outcome("sent")
    desk.store.retry(dead.delivery_id)
    await desk.turn()
    assert desk.states() == ["sent"] and desk.mail.went[0][1].id == desk.mail.went[-1][1].id


async def test_a_receiver_that_wants_to_be_left_alone_is(desk: Desk) -> None:
    desk.channel("busy")
    desk.channel("idle")
    desk.chance = 0.0
    busy = Outcome("failed", "answered 429", 600)
    desk.mail.answer = lambda receiver, _: busy if receiver == "busy" else Outcome("sent")
    for number in (1, 2):
        desk.log.tell(notification(number))
    await desk.turn(seconds=60, looks=9)
    assert desk.mail.said.count(("busy", "fired")) == 1 and desk.mail.said.count(("idle", "fired")) == 2
    await desk.restart()
    await desk.turn(seconds=59)
    assert desk.mail.said.count(("busy", "fired")) == 1
    desk.mail.answer = lambda *_: Outcome("sent")
    await desk.turn(looks=3)
    assert desk.mail.said.count(("busy", "fired")) == 3 and set(desk.states()) == {"sent"}


async def test_a_channel_whose_receiver_is_gone_is_turned_off_and_says_so(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: Outcome("gone", "answered 410")
    desk.log.tell(notification(1))
    desk.log.tell(notification(2))
    await desk.turn(looks=3)
    hook = desk.store.channel("hook")
    assert not hook.enabled and hook.note == "turned off: the receiver answered 410"
    assert len(desk.mail.went) == 1 and desk.states() == ["dead", "dropped"]


async def test_a_browser_that_takes_no_more_is_forgotten(desk: Desk) -> None:
    desk.browser("old")
    desk.browser("new")
    desk.mail.answer = lambda receiver, _: Outcome("gone", "answered 410") if receiver == "old" else Outcome("sent")
    desk.log.tell(notification())
    await desk.turn(looks=2)
    assert [each.subscription_id for each in desk.store.subscriptions()] == ["new"]


async def test_a_receiver_that_hangs_holds_up_nobody_else(desk: Desk) -> None:
    desk.channel("hangs")
    desk.channel("works")
    desk.mail.hold["hangs"] = asyncio.Event()
    for number in range(5):
        desk.log.tell(notification(number))
    for _ in range(5):
        await desk.turn()
    assert desk.mail.said.count(("works", "fired")) == 5 and desk.mail.said.count(("hangs", "fired")) == 1
    desk.mail.hold.pop("hangs").set()
    await desk.outbox.settled()


async def test_only_so_many_tries_are_under_way_and_one_for_each_receiver(desk: Desk) -> None:
    names = [f"hook-{number}" for number in range(UNDER_WAY + 4)]
    gate = asyncio.Event()
    for name in names:
        desk.channel(name)
        desk.mail.hold[name] = gate
    for number in range(3):
        desk.log.tell(notification(number))
    await desk.turn(looks=3)
    assert desk.mail.most == UNDER_WAY
    gate.set()
    desk.mail.hold.clear()
    await desk.outbox.settled()
    await desk.turn(looks=9)
    assert len(desk.mail.went) == 3 * len(names) and desk.mail.most == UNDER_WAY


async def test_that_it_is_over_is_not_told_before_that_it_began(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification(1))
    await desk.turn(seconds=1)
    desk.log.tell(notification(1, state="resolved"), "resolved")
    desk.log.tell(notification(2))
    desk.mail.answer = lambda *_: Outcome("sent")
    await desk.turn(seconds=1, looks=3)
    assert [(message.tag, message.happened) for _, message in desk.mail.went] == [
        ("low/1", "fired"),
        ("low/2", "fired"),
    ]
    await desk.turn(looks=3)
    assert [(message.tag, message.happened) for _, message in desk.mail.went[2:]] == [
        ("low/1", "fired"), ("low/1", "resolved"),
    ]  # fmt: skip


async def test_one_receiver_is_not_sent_everything_at_once(desk: Desk) -> None:
    desk.channel("chat", kind="apprise", address="slack://a/b/c")
    for number in range(4):
        desk.log.tell(notification(number))
    await desk.turn(seconds=0.25, looks=8)
    assert len(desk.mail.went) == 2


async def test_what_waits_for_one_receiver_has_a_bound_and_what_is_beyond_is_seen(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    for number in range(WAITING_MOST + 20):
        desk.log.tell(notification(number))
    await desk.turn()
    dead = desk.store.deliveries("dead")
    assert len(dead) == 20 and dead[-1].notification_id == "low/0@1"
    assert dead[0].error == "too many others waited for this receiver"


async def test_a_messenger_that_fails_in_itself_is_a_failed_try(desk: Desk) -> None:
    def broken(*_: object) -> Outcome:
        raise RuntimeError("a bug")

    desk.channel()
    desk.mail.answer = broken
    desk.log.tell(notification())
    await desk.turn()
    (waiting,) = desk.deliveries()
    assert waiting.state == "waiting" and waiting.error == "this server failed; its log says how"


async def test_what_was_answered_is_not_asked_again_though_the_disk_refuses_to_write_it_down(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [StorageFailed("the disk is full"), StorageFailed("the disk is full")]
    finish = desk.store.finish

    def refusing(*arguments: Any) -> None:
        if refusals:
            raise refusals.pop()
        finish(*arguments)

    monkeypatch.setattr(desk.store, "finish", refusing)
    monkeypatch.setattr(outbox, "_WRITE_AGAIN", 0.0)
    desk.channel()
    desk.log.tell(notification())
    await desk.turn(looks=4)
    assert refusals == [] and len(desk.mail.went) == 1 and desk.states() == ["sent"]


# --- restarts, in every state -----------------------------------------------------------------------------------------


async def test_a_restart_before_the_log_was_read_on_loses_nothing(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification())
    await desk.restart()
    await desk.turn()
    assert desk.mail.said == [("hook", "fired")]


async def test_a_restart_between_planning_and_sending_sends_once(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification())
    await asyncio.to_thread(desk.outbox._plan)
    await desk.restart()
    await desk.turn(looks=3)
    assert desk.mail.said == [("hook", "fired")]


async def test_a_restart_while_it_was_being_sent_sends_again_under_the_same_id(desk: Desk) -> None:
    desk.channel()
    desk.mail.hold["hook"] = asyncio.Event()
    desk.log.tell(notification())
    await desk.turn()
    assert desk.states() == ["sending"]
    desk.mail.hold.clear()
    await desk.restart()
    await desk.turn(looks=3)
    (_, first), (_, second) = desk.mail.went
    assert first.id == second.id and first.tag == second.tag and desk.states() == ["sent"]


async def test_a_restart_after_the_other_side_has_answered_sends_nothing_more(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification())
    await desk.turn()
    for _ in range(3):
        await desk.restart()
        await desk.turn(looks=3)
    assert len(desk.mail.went) == 1 and desk.states() == ["sent"]


async def test_a_restart_between_two_tries_keeps_counting_them(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification())
    await desk.turn(seconds=HOUR / SECOND)
    await desk.restart()
    await desk.turn()
    assert [each.attempts for each in desk.deliveries()] == [2]


async def test_the_log_read_twice_plans_nothing_twice(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification())
    await desk.turn()
    desk.store.expand([], 0)
    await desk.restart()
    await desk.turn(looks=2)
    assert len(desk.mail.went) == 1


async def test_another_history_is_told_from_now_on_and_what_waited_for_the_old_one_is_dropped(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification())
    await desk.turn()
    desk.log.epoch = "fedcba9876543210"
    desk.mail.answer = lambda *_: Outcome("sent")
    await desk.restart()
    await desk.turn(seconds=HOUR / SECOND, looks=2)
    assert len(desk.mail.went) == 1 and desk.states() == ["dropped"]
    desk.log.tell(notification(2))
    await desk.turn()
    assert [message.tag for _, message in desk.mail.went] == ["low/1", "low/2"]


async def test_a_log_that_was_there_before_the_outbox_is_not_told_from_its_beginning(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.log.tell(notification())
    await desk.open()
    desk.channel()
    await desk.turn(looks=2)
    assert desk.mail.went == []
    await desk.kill()


# --- clocks -----------------------------------------------------------------------------------------------------------


async def test_a_clock_put_back_by_a_year_does_not_keep_anything_for_a_year(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification())
    await desk.turn(seconds=1)
    desk.at -= 365 * DAY
    desk.mail.answer = lambda *_: Outcome("sent")
    await desk.turn(seconds=1, looks=2)
    assert desk.states() == ["sent"]


async def test_a_clock_put_forward_by_a_year_sends_what_waits_and_nothing_twice(desk: Desk) -> None:
    desk.channel()
    desk.mail.answer = lambda *_: DOWN
    desk.log.tell(notification())
    await desk.turn(seconds=1)
    desk.at += 365 * DAY
    desk.mail.answer = lambda *_: Outcome("sent")
    await desk.turn(seconds=1, looks=3)
    assert len(desk.mail.went) == 2 and desk.states() == ["sent"]


async def test_a_clock_put_back_within_quiet_hours_still_ends_them(desk: Desk) -> None:
    desk.channel()
    desk.log.prefer(quiet=NIGHT)
    desk.at = MIDNIGHT
    desk.log.tell(notification(), at=MIDNIGHT)
    await desk.turn()
    desk.at = MIDNIGHT - HOUR
    await desk.turn()
    assert desk.states() == ["held"]
    desk.at = MORNING
    await desk.turn(looks=2)
    assert desk.mail.said == [("hook", "fired")]


async def test_what_is_over_for_long_is_forgotten(desk: Desk) -> None:
    desk.channel()
    desk.log.tell(notification())
    await desk.turn(seconds=(KEPT + MINUTE) / SECOND)
    await desk.turn()
    assert desk.deliveries() == []
