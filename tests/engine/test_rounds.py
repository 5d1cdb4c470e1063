"""Readers served together get what each would get alone, whatever they and their links do; and serving them together is
one turn, one encoding and one timer.
"""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from stockwire.core.session import Session
from stockwire.engine import batch, snapshot
from stockwire.engine.forms import Form
from stockwire.engine.limits import STUCK_SECONDS
from stockwire.engine.rounds import Rounds
from stockwire.testing import Receiver
from tests.core.shop import Shop
from tests.core.test_convergence import ASKED, LEVELS, SKUS, expected
from tests.engine.wires import Ear, SteppedLoop, Wire, WireLink

LIFE = 10_000.0
HELLO = json.dumps({"type": "hello", "protocol": 1})
SETS = [ASKED[:1], ASKED[:1], ASKED[:1], ASKED[:2], ASKED[2:], []]
"""What readers come for: often the same, so that they are in step."""
CONTENT = ("reset", "snapshot", "delta")


class Floor:
    """A shop whose readers are served by rounds."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.loop = SteppedLoop(lambda: self.shop.seconds)
        self.rounds = Rounds(self.shop.hub, monotonic=lambda: self.shop.seconds, loop=self.loop)

    def link(self, form: Form = Form.TEXT) -> WireLink:
        """A new connection, before its hello."""
        wire = Wire()
        session = Session("reader", self.shop.hub, heartbeat=20.0, now=self.shop.seconds)
        link = WireLink(self.rounds, session, form, wire, self.shop.seconds + LIFE)
        wire.link = link
        self.rounds.join(link)
        return link

    def reader(self, form: Form = Form.TEXT, **asked: Any) -> WireLink:
        """A connection that reads the stock, brought up to the present."""
        link = self.link(form)
        self.say(link, type="hello", protocol=1)
        self.say(link, **({"type": "subscribe", "id": "all", "feed": "inventory"} | asked))
        self.loop.settle()
        return link

    def say(self, link: WireLink, **frame: Any) -> None:
        self.rounds.receive(link, json.dumps(frame))

    def wait(self, seconds: float) -> None:
        self.shop.seconds += seconds
        self.loop.settle()


class Reader:
    """One reader twice: served by the rounds, and alone."""

    def __init__(self, floor: Floor, form: Form) -> None:
        self.floor = floor
        self.form = form
        self.receiver = Receiver()
        self.wanted: dict[str, dict[str, Any]] = {}
        self.open()

    def open(self) -> None:
        self.link = self.floor.link(self.form)
        self.wire: Any = self.link.outlet
        self.ear = Ear(self.form)
        self.heard: list[dict[str, Any]] = []
        self.alone = Session("reader", self.floor.shop.hub, heartbeat=20.0, now=self.floor.shop.seconds)
        self.due: list[dict[str, Any]] = []
        self.pulls = False

    def say(self, frame: dict[str, Any]) -> None:
        self.floor.rounds.receive(self.link, json.dumps(frame))
        self.alone.receive(json.dumps(frame), self.floor.shop.seconds)

    def fresh(self, id_: str) -> bool:
        """Whether the view is not held on this connection, so that a cursor says where to go on."""
        return id_ not in self.alone._ids

    @property
    def free(self) -> bool:
        """Whether the reader alone would have its turn now: its link has taken all it was given."""
        return not self.link.is_late and self.link._course is None and self.link.session.state == "open"

    def before(self) -> None:
        self.pulls = self.free

    def after(self) -> None:
        if self.pulls or self.free:
            frames = [json.loads(each.body) for each in self.alone.pull(self.floor.shop.seconds)]
            self.due += [each for each in frames if each["type"] in CONTENT]
        news = self.ear.hear(self.wire.taken)
        self.wire.taken = b""
        for frame in news:
            self.receiver.take(frame)
        self.heard += [each for each in news if each["type"] in CONTENT]
        assert [content(each) for each in self.heard] == [content(each) for each in self.due[: len(self.heard)]]

    def close(self) -> None:
        self.floor.rounds.gone(self.link)
        self.alone.close()


def content(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame but for where it starts, which is the last tick's matter, and for when it was first made."""
    return {name: value for name, value in frame.items() if name not in ("from", "merged", "time")}


class Together(RuleBasedStateMachine):
    """Some readers of one shop, who come, go, stall, and change their minds."""

    readers: Bundle[Reader] = Bundle("readers")

    @initialize(target=readers)
    def begin(self) -> Any:
        self.floor = Floor()
        self.everyone: list[Reader] = []
        return multiple(*(self.come(Form.TEXT, SETS[0]) for _ in range(3)))

    def _after(self) -> None:
        for reader in self.everyone:
            reader.before()
        self.floor.loop.settle()
        for reader in self.everyone:
            reader.after()

    @rule(target=readers, form=st.sampled_from(Form), asked=st.sampled_from(SETS))
    def come(self, form: Form, asked: list[dict[str, Any]]) -> Reader:
        reader = Reader(self.floor, form)
        self.everyone.append(reader)
        reader.say({"type": "hello", "protocol": 1})
        for each in asked:
            self._subscribe(reader, each)
        self._after()
        return reader

    def _subscribe(self, reader: Reader, asked: dict[str, Any]) -> None:
        cursor = reader.receiver.cursor(asked["id"])
        reader.wanted[asked["id"]] = asked
        reader.say(
            {"type": "subscribe", **asked} | ({"cursor": cursor} if cursor and reader.fresh(asked["id"]) else {})
        )

    @rule(levels=st.dictionaries(SKUS, LEVELS, min_size=1, max_size=4))
    def write(self, levels: dict[str, int | None]) -> None:
        have = self.floor.shop.rows
        self.floor.shop.write(
            **{sku: level for sku, level in levels.items() if level is not None or (sku, "main") in have}
        )
        self._after()

    @rule(reader=readers, asked=st.sampled_from(ASKED), interval=st.sampled_from([0, 0, 1_000, 5_000]))
    def subscribe(self, reader: Reader, asked: dict[str, Any], interval: int) -> None:
        self._subscribe(reader, asked | {"interval": interval})
        self._after()

    @rule(reader=readers, interval=st.sampled_from([0, 1_000, 5_000]), paused=st.booleans())
    def pace(self, reader: Reader, interval: int, paused: bool) -> None:
        reader.say({"type": "pace", "interval": interval, "paused": paused})
        self._after()

    @rule(reader=readers)
    def ping(self, reader: Reader) -> None:
        reader.say({"type": "ping", "n": 1})
        self._after()

    @rule(reader=readers)
    def let_go(self, reader: Reader) -> None:
        if reader.wanted and not reader.wire.held:
            id_ = next(iter(reader.wanted))
            del reader.wanted[id_]
            reader.say({"type": "unsubscribe", "id": id_})
            self._after()

    @rule(reader=readers, level=st.integers(0, 9))
    def fall_behind(self, reader: Reader, level: int) -> None:
        reader.wire.stalled = True
        self.write({"SKU1": level})
        self.write({"SKU1": level + 1, "SKU2": level})

    @rule(reader=readers)
    def flow(self, reader: Reader) -> None:
        reader.wire.flow()
        self._after()

    @rule(reader=readers)
    def reconnect(self, reader: Reader) -> None:
        reader.close()
        wanted, reader.wanted = reader.wanted, {}
        reader.open()
        reader.say({"type": "hello", "protocol": 1})
        for each in wanted.values():
            self._subscribe(reader, each)
        self._after()

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 25.0]))
    def wait(self, seconds: float) -> None:
        for reader in self.everyone:
            if seconds > 20:
                reader.wire.flow()
        self._after()
        self.floor.shop.seconds += seconds
        self._after()

    @invariant()
    def one_timer_at_most(self) -> None:
        if hasattr(self, "floor"):
            assert self.floor.loop.timers <= 1

    def teardown(self) -> None:
        if not hasattr(self, "floor"):
            return
        for reader in self.everyone:
            reader.wire.flow()
            reader.say({"type": "pace", "interval": 0, "paused": False})
        self._after()
        self.floor.shop.seconds += 6.0
        self._after()
        for reader in self.everyone:
            assert len(reader.heard) == len(reader.due)
            for id_ in reader.wanted:
                have = {key: row["on_hand"] for key, row in reader.receiver.rows(id_).items()}
                assert have == expected(id_, self.floor.shop)
            reader.close()
        assert (self.floor.rounds.links, self.floor.rounds.cohorts, self.floor.loop.timers) == (0, 0, 0)
        assert not self.floor.rounds._by_view
        assert self.floor.shop.hub.holders == 0


@pytest.fixture(autouse=True, scope="module")
def _small_pieces() -> Any:
    """Batches of many pieces, so that courses are run too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "PIECE_BYTES", 400)
        patch.setattr(snapshot, "FRAME_ROWS", 2)
        yield


TestTogether = Together.TestCase
TestTogether.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def heard(link: WireLink) -> list[dict[str, Any]]:
    """What came over a link's wire since the last call."""
    wire: Any = link.outlet
    frames = Ear(link.form).hear(wire.taken)
    wire.taken = b""
    return frames


def test_readers_in_step_get_the_very_same_bytes_by_one_turn(floor: Floor) -> None:
    links = [floor.reader() for _ in range(5)]
    assert floor.rounds.cohorts == 1
    floor.shop.write(SKU1=4)
    floor.loop.settle()
    last = [link.outlet.writes[-1] for link in links]  # type: ignore[attr-defined]
    assert all(each is last[0] for each in last)


def test_readers_of_every_form_get_the_same_frames(floor: Floor) -> None:
    links = [floor.reader(form) for form in Form]
    floor.shop.write(**{f"SKU{number}": number for number in range(9)})
    floor.loop.settle()
    told = [heard(link)[-1] for link in links]
    assert floor.rounds.cohorts == 1
    assert told[0]["type"] == "delta"
    assert all(each == told[0] for each in told)


def test_a_crowd_behind_at_one_cursor_costs_one_encoding(floor: Floor) -> None:
    before = floor.reader()
    [subscribed] = [each for each in heard(before) if each["type"] == "subscribed"]
    cursor = f"v1.{floor.shop.hub.epoch}.{floor.shop.version:016d}.{subscribed['view']}"
    floor.rounds.gone(before)
    floor.shop.write(SKU1=1, SKU2=2)
    crowd = [floor.link() for _ in range(20)]
    for link in crowd:
        floor.say(link, type="hello", protocol=1)
        floor.say(link, type="subscribe", id="all", feed="inventory", cursor=cursor)
    floor.loop.settle()
    last = [link.outlet.writes[-1] for link in crowd]  # type: ignore[attr-defined]
    assert all(each is last[0] for each in last)


def test_an_opening_is_answered_in_one_piece_with_the_first_content(floor: Floor) -> None:
    link = floor.link()
    floor.rounds.receive(link, HELLO, json.dumps({"type": "subscribe", "id": "all", "feed": "inventory"}))
    floor.loop.settle()
    assert link.outlet.times == 1  # type: ignore[attr-defined]
    assert [each["type"] for each in heard(link)] == ["hello", "subscribed", "snapshot"]


def test_an_opening_without_content_is_answered_all_the_same(floor: Floor) -> None:
    link = floor.link()
    floor.say(link, type="hello", protocol=1)
    floor.loop.settle()
    assert [each["type"] for each in heard(link)] == ["hello"]


def test_what_is_told_between_an_opening_and_its_content_comes_between_them(floor: Floor) -> None:
    link = floor.link()
    floor.rounds.receive(link, HELLO, json.dumps({"type": "subscribe", "id": "all", "feed": "inventory"}))
    floor.say(link, type="ping", n=1)
    floor.rounds.bye(link, "drain", 0)
    assert [each["type"] for each in heard(link)] == ["hello", "subscribed", "pong", "bye"]


def test_an_opening_of_a_link_that_takes_nothing_waits_for_it(floor: Floor) -> None:
    link = floor.link()
    link.outlet.stalled = True  # type: ignore[attr-defined]
    floor.rounds.receive(link, HELLO, json.dumps({"type": "subscribe", "id": "all", "feed": "inventory"}))
    floor.loop.settle()
    floor.shop.write(SKU1=5)
    floor.loop.settle()
    link.outlet.flow()  # type: ignore[attr-defined]
    floor.loop.settle()
    assert [each["type"] for each in heard(link)] == ["hello", "subscribed", "snapshot", "delta"]


def test_after_its_first_content_a_link_attends_to_its_outlet(floor: Floor) -> None:
    link = floor.link()
    floor.say(link, type="hello", protocol=1)
    floor.say(link, type="subscribe", id="all", feed="inventory")
    floor.loop.step()
    assert heard(link)[-1]["type"] == "snapshot"
    assert not link.attends
    floor.loop.settle()
    assert link.attends


def test_a_link_that_goes_before_it_attends_is_left_alone(floor: Floor) -> None:
    link = floor.link()
    floor.say(link, type="hello", protocol=1)
    floor.loop.step()
    floor.rounds.gone(link)
    floor.loop.settle()
    assert not link.attends


def test_a_round_is_cut_into_slices_and_what_comes_meanwhile_is_merged(floor: Floor, monkeypatch: Any) -> None:
    monkeypatch.setattr("stockwire.engine.rounds.SLICE", 2)
    links = [floor.reader() for _ in range(7)]
    floor.shop.write(SKU1=1)
    floor.loop.step()
    floor.loop.step()
    served = [link for link in links if heard(link)[-1]["type"] == "delta"]
    assert 0 < len(served) < 7
    floor.shop.write(SKU1=2)
    floor.shop.write(SKU1=3)
    floor.loop.settle()
    assert [each["to"] for each in heard(links[0])] == [3]
    assert [each["to"] for each in heard(links[-1])] == [1, 3]


def test_what_a_reader_says_between_two_slices_does_not_overtake_its_bytes(floor: Floor, monkeypatch: Any) -> None:
    monkeypatch.setattr("stockwire.engine.rounds.SLICE", 2)
    links = [floor.reader() for _ in range(7)]
    floor.shop.write(SKU1=1)
    floor.loop.step()
    floor.loop.step()
    last = links[-1]
    heard(last)
    floor.say(last, type="unsubscribe", id="all")
    assert [each["type"] for each in heard(last)] == ["delta", "unsubscribed"]


def test_a_reader_that_goes_between_two_slices_is_not_written_to(floor: Floor, monkeypatch: Any) -> None:
    monkeypatch.setattr("stockwire.engine.rounds.SLICE", 2)
    links = [floor.reader() for _ in range(7)]
    floor.shop.write(SKU1=1)
    floor.loop.step()
    floor.loop.step()
    heard(links[-1])
    floor.rounds.gone(links[-1])
    floor.loop.settle()
    assert heard(links[-1]) == []
    assert [heard(link)[-1]["to"] for link in links[:-1]] == [1] * 6


def test_a_link_found_closed_does_not_harm_the_others(floor: Floor) -> None:
    links = [floor.reader() for _ in range(3)]
    links[1].outlet.closed = True  # type: ignore[attr-defined]
    floor.shop.write(SKU1=1)
    floor.loop.settle()
    assert [heard(links[0])[-1]["to"], heard(links[2])[-1]["to"]] == [1, 1]


def test_a_stalled_reader_is_skipped_and_then_gets_the_newest_alone(floor: Floor) -> None:
    stalled, other = floor.reader(), floor.reader()
    wire: Any = stalled.outlet
    wire.stalled = True
    for level in range(1, 9):
        floor.shop.write(SKU1=level)
        floor.loop.settle()
    assert len(wire.held) < 600
    assert [each["to"] for each in heard(other) if each["type"] == "delta"] == list(range(1, 9))
    wire.flow()
    floor.loop.settle()
    deltas = [each for each in heard(stalled) if each["type"] == "delta"]
    assert [(each["from"], each["to"], each.get("merged")) for each in deltas] == [(0, 1, None), (1, 8, 7)]
    assert floor.rounds.cohorts == 1


def test_a_reader_without_any_progress_is_cut(floor: Floor) -> None:
    link = floor.reader()
    wire: Any = link.outlet
    wire.stalled = True
    floor.shop.write(SKU1=1)
    floor.loop.settle()
    for _ in range(20):
        floor.wait(STUCK_SECONDS / 20)
        wire.held += b"x"
    assert not wire.aborted
    for _ in range(9):
        floor.wait(5.0)
    assert wire.aborted
    assert link.ended.code == 4008  # type: ignore[union-attr]


def test_a_client_that_never_says_hello_is_ended(floor: Floor) -> None:
    link = floor.link()
    floor.wait(11.0)
    assert link.ended.code == 4502  # type: ignore[union-attr]


def test_a_stream_ends_with_a_bye_after_its_life(floor: Floor) -> None:
    link = floor.reader()
    floor.wait(LIFE + 1)
    assert heard(link)[-1]["type"] == "bye"
    assert link.ended.code == 4001  # type: ignore[union-attr]


def test_silence_is_broken_by_heartbeats(floor: Floor) -> None:
    link = floor.reader()
    heard(link)
    for _ in range(21):
        floor.wait(1.0)
    assert [each["type"] for each in heard(link)] == ["heartbeat"]


def test_a_turn_that_fails_ends_its_readers_and_nobody_else(floor: Floor, monkeypatch: Any) -> None:
    broken = floor.reader(filter={"on_hand": {"gt": 0}})
    well = floor.reader()
    live = next(iter(broken.session.reading.held.values())).live
    monkeypatch.setattr(type(live), "since", lambda self, cursor: 1 // 0)
    floor.shop.write(SKU1=1)
    floor.loop.settle()
    assert broken.ended.code == 4004  # type: ignore[union-attr]
    assert heard(well)[-1]["to"] == 1
