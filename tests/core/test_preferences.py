"""Whether, where and when a person is told outside the page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.core.preferences import Decision, decide, quiet_until, still_fires
from stockwire.core.rows import NotificationRow, PersonRow, Preferences, Quiet, Reach, RuleChoice, RuleRow
from stockwire.core.values import DAY, HOUR, moment, moment_text

BERLIN = Quiet(from_="22:00", to="07:00", timezone="Europe/Berlin")
NOON = moment("2026-06-10T10:00:00Z")
NIGHT = moment("2026-06-10T21:30:00Z")
MORNING = moment("2026-06-11T05:00:00Z")


def notification(**more: Any) -> NotificationRow:
    row = NotificationRow(
        version=7, notification_id="low@7", rule_id="low", kind="low_stock", severity="warning", state="firing",
        dedupe_key="low/stock/MUG/main", subject="stock/MUG/main", began_at=NOON, updated_at=NOON, sku="MUG",
        location="main",
    )  # fmt: skip
    return msgspec.structs.replace(row, **more)


def rule(**more: Any) -> RuleRow:
    return RuleRow(version=1, rule_id="low", kind="low_stock", name="Low", **more)


def told(preferences: Preferences, moment: int = NOON, happened: Any = "fired", **more: Any) -> Decision:
    return decide(person(preferences), rule(), notification(**more), happened, "mail", moment)


def person(preferences: Preferences, *watched: str) -> PersonRow:
    return PersonRow(version=1, person="ada", preferences=preferences, watched=watched)


def test_without_a_word_a_channel_carries_warnings_and_what_is_critical() -> None:
    hows = {severity: told(Preferences(), severity=severity).how for severity in ("info", "warning", "critical")}
    assert hows == {"info": "never", "warning": "now", "critical": "now"}


def test_a_person_mutes_a_rule_and_turns_a_channel_off() -> None:
    assert told(Preferences(muted_rules=("low",))).how == "never"
    assert told(Preferences(channels={"mail": False})).how == "never"
    assert told(Preferences(channels={"mail": True, "chat": False})).how == "now"


def test_the_word_of_the_person_comes_before_that_of_the_rule() -> None:
    by_chat, row = rule(channels=("chat",)), notification(severity="info")
    chosen = Preferences(rules={"low": RuleChoice(channels=("mail",))})
    assert decide(person(Preferences()), by_chat, row, "fired", "chat", NOON).how == "now"
    assert decide(person(Preferences()), by_chat, row, "fired", "mail", NOON).how == "never"
    assert decide(person(chosen), by_chat, row, "fired", "mail", NOON).how == "now"
    assert decide(person(chosen), by_chat, row, "fired", "chat", NOON).how == "never"


def test_a_rule_over_watched_orders_tells_each_person_of_their_own() -> None:
    over_watched = rule(scope=Reach(watched=True))
    one = notification(kind="order_status", sku=None, subject="order/1001", order_id="1001", members=("order/1001",))
    group = notification(kind="order_status", sku=None, subject="log", members=("order/1002", "order/1001"))
    for row in (one, group):
        hows = [
            decide(person(Preferences(), *watched), over_watched, row, "fired", "mail", NOON).how
            for watched in (("1001",), ("7", "1001"), ("7",), ())
        ]
        assert hows == ["now", "now", "never", "never"]
    assert decide(person(Preferences()), rule(), one, "fired", "mail", NOON).how == "now"


def test_what_comes_in_quiet_hours_waits_for_their_end() -> None:
    quiet = Preferences(quiet=BERLIN)
    assert told(quiet, NOON) == ("now", NOON)
    assert told(quiet, NIGHT) == ("if_firing", MORNING)
    assert told(quiet, NIGHT, "resolved", state="resolved") == ("digest", MORNING)
    assert told(quiet, NIGHT, kind="order_status", state="resolved") == ("digest", MORNING)


def test_who_wants_a_digest_gets_everything_of_the_night_in_it() -> None:
    assert told(Preferences(quiet=BERLIN, digest=True), NIGHT) == ("digest", MORNING)
    assert told(Preferences(quiet=BERLIN, digest=True), NOON) == ("now", NOON)


def test_what_somebody_has_taken_up_no_longer_fires() -> None:
    fires = {
        state: still_fires(notification(state=state)) for state in ("firing", "acknowledged", "snoozed", "resolved")
    }
    assert fires == {"firing": True, "acknowledged": False, "snoozed": False, "resolved": False}
    assert not still_fires(None)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-06-10T19:59:59Z", None),
        ("2026-06-10T20:00:00Z", "2026-06-11T05:00:00Z"),
        ("2026-06-11T00:30:00Z", "2026-06-11T05:00:00Z"),
        ("2026-06-11T04:59:59Z", "2026-06-11T05:00:00Z"),
        ("2026-06-11T05:00:00Z", None),
        # The clocks go forward on 29 March 2026 and back on 25 October: the night has 8 hours, and 10.
        ("2026-03-28T22:30:00Z", "2026-03-29T05:00:00Z"),
        ("2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"),
        ("2026-12-10T21:00:00Z", "2026-12-11T06:00:00Z"),
    ],
)
def test_quiet_hours_go_over_midnight_and_by_the_clock_on_the_wall(at: str, end: str | None) -> None:
    found = quiet_until(BERLIN, moment(at))
    assert (found and moment_text(found)) == end


@pytest.mark.parametrize(
    ("to", "at", "end"),
    [
        # 02:30 is skipped on 29 March and comes twice on 25 October: quiet hours last to the later of what it may mean.
        ("02:30", "2026-03-29T00:59:00Z", "2026-03-29T01:30:00Z"),
        ("02:30", "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"),
    ],
)
def test_quiet_hours_end_once_though_a_clock_is_put(to: str, at: str, end: str) -> None:
    quiet = Quiet(from_="22:00", to=to, timezone="Europe/Berlin")
    assert quiet_until(quiet, moment(at)) == moment(end)
    assert quiet_until(quiet, moment(end)) is None


def test_quiet_hours_may_lie_within_a_day() -> None:
    siesta = Quiet(from_="13:00", to="15:00", timezone="Asia/Tokyo")
    assert quiet_until(siesta, moment("2026-06-10T04:30:00Z")) == moment("2026-06-10T06:00:00Z")
    assert quiet_until(siesta, moment("2026-06-10T06:00:00Z")) is None
    assert quiet_until(None, NIGHT) is None


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Pacific/Apia"]),
    st.integers(0, 1_439), st.integers(0, 1_439), st.integers(moment("2010-01-01T00:00:00Z"), moment("2030-01-01T00:00:00Z")),
)  # fmt: skip
def test_quiet_hours_always_end_and_then_are_over(zone: str, start: int, stop: int, at: int) -> None:
    if start == stop:
        stop = (stop + 1) % 1_440
    quiet = Quiet(from_=f"{start // 60:02}:{start % 60:02}", to=f"{stop // 60:02}:{stop % 60:02}", timezone=zone)
    end = quiet_until(quiet, at)
    if end is not None:
        assert at < end <= at + DAY + 3 * HOUR
        assert quiet_until(quiet, end) is None or (start - stop) % 1_440 <= 180
        assert quiet_until(quiet, end - 1) == end
