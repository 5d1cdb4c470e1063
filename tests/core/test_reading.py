"""What a turn contains, beyond what spec/cases shows."""

from __future__ import annotations

from stockwire.core.session import Session
from stockwire.testing import Receiver
from tests.core.shop import Shop


def test_a_reader_that_the_horizon_passes_while_it_waits_is_reset() -> None:
    shop, receiver = Shop(), Receiver()
    shop.write(MUG=3, LAMP=4)
    session = Session("s", shop.hub, heartbeat=20.0, now=shop.seconds)
    receiver.take(session.open().body)
    receiver.take(session.subscribe({"id": "a", "feed": "inventory", "interval": 5_000}, shop.seconds).body)
    for each in session.pull(shop.seconds):
        receiver.take(each.body)
    gone_at = shop.write(MUG=None)
    shop.write(LAMP=5)
    shop.hub.forget(gone_at)
    shop.seconds += 10
    for each in session.pull(shop.seconds):
        receiver.take(each.body)
    assert list(receiver.rows("a")) == [("LAMP", "main")]
    assert receiver.views[receiver.ids["a"]].resets == ["horizon"]
