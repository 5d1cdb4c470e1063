"""Standing: whoever was let in by something that has ended is turned out, and nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from stockwire.core.errors import StockwireError
from stockwire.core.values import SECOND
from stockwire.engine.admission import Admission
from stockwire.engine.standing import Standing
from stockwire.log.access import FILE, SESSION_LASTS, Access


class Guest:
    """Somebody present, who notes what they are told."""

    def __init__(self) -> None:
        self.told: StockwireError | None = None

    def leave(self, reason: str, reconnect_in: int) -> None:
        raise AssertionError("nobody is asked to come back")

    def turn_out(self, error: StockwireError) -> None:
        self.told = error


class Counted:
    """A store that counts how many credentials it was asked about."""

    def __init__(self, store: Access) -> None:
        self.store = store
        self.asked = 0

    @property
    def revision(self) -> tuple[int, int]:
        return self.store.revision

    def ended(self, credentials: Iterable[bytes]) -> set[bytes]:
        asked = list(credentials)
        self.asked += len(asked)
        return self.store.ended(asked)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def signed_in(store: Access) -> str:
    session = store.sign_in(store.create_link())
    assert session is not None
    return session


async def test_who_signed_out_or_lost_their_key_is_turned_out_whichever_process_did_it(tmp_path: Path) -> None:
    store, elsewhere = Access(tmp_path / FILE), Access(tmp_path / FILE)
    admission = Admission(10, 10)
    standing = Standing(store, admission)
    leaver, stayer = signed_in(store), signed_in(store)
    key = store.create_key("till", ("read",))
    guests = {token: Guest() for token in (leaver, stayer, key)}
    for token, guest in guests.items():
        admission.seat(guest, digest(token))
    await standing.review()
    assert [guest.told for guest in guests.values()] == [None, None, None]
    store.sign_out(leaver)
    await standing.review()
    assert [guest.told and guest.told.close_code for guest in guests.values()] == [4500, None, None]
    elsewhere.revoke_key("till")
    await standing.review()
    assert [guest.told and guest.told.close_code for guest in guests.values()] == [4500, None, 4500]
    store.close()
    elsewhere.close()


async def test_credentials_are_looked_up_only_after_something_was_written_once_each_and_once_again(
    tmp_path: Path,
) -> None:
    store = Counted(Access(tmp_path / FILE))
    admission = Admission(10, 10)
    standing = Standing(store, admission)
    session = signed_in(store.store)
    for _ in range(3):
        admission.seat(Guest(), digest(session))
    for _ in range(5):
        await standing.review()
    assert store.asked == 2
    late = Guest()
    store.store.sign_out(session)
    await standing.review()
    admission.seat(late, digest(session))
    await standing.review()
    assert late.told is not None
    store.store.close()


async def test_a_session_that_ends_by_time_alone_ends_what_it_let_in_within_a_minute(tmp_path: Path) -> None:
    now = [1_000 * SECOND]
    store = Counted(Access(tmp_path / FILE, lambda: now[0]))
    admission, guest = Admission(10, 10), Guest()
    standing = Standing(store, admission)
    admission.seat(guest, digest(signed_in(store.store)))
    for _ in range(10):
        await standing.review()
    asked = store.asked
    now[0] += SESSION_LASTS
    for _ in range(60):
        await standing.review()
    assert guest.told is not None and guest.told.close_code == 4500
    assert store.asked == asked + 1
    store.store.close()
