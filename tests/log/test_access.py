"""Keys, sign-in links and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stockwire.core.errors import Invalid
from stockwire.core.values import MINUTE, SECOND
from stockwire.log.access import LINK_LASTS, SESSION_LASTS, Access


class Clock:
    def __init__(self) -> None:
        self.at = 1_000 * MINUTE

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(tmp_path: Path, clock: Clock) -> Iterator[Access]:
    made = Access(tmp_path / "access.db", clock)
    yield made
    made.close()


def test_a_key_lets_its_holder_in_by_its_scopes(access: Access) -> None:
    token = access.create_key("webshop", ("ingest", "read"))
    assert token.startswith("swk_")
    holder = access.key(token)
    assert holder is not None and (holder.name, holder.scopes) == ("webshop", ("ingest", "read"))
    assert access.key(token + "x") is None and access.key("") is None and access.key("\ud800") is None


def test_only_hashes_are_on_disk(access: Access, tmp_path: Path) -> None:
    secrets = [access.create_key("webshop", ("ingest",)), access.create_link()]
    session = access.sign_in(secrets[1])
    assert session is not None
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (*secrets, session):
        assert secret.encode() not in kept and secret[12:].encode() not in kept
    assert (tmp_path / "access.db").stat().st_mode & 0o077 == 0


def test_what_another_process_ends_lets_nobody_in_a_moment_later(access: Access, clock: Clock, tmp_path: Path) -> None:
    elsewhere = Access(tmp_path / "access.db", clock)
    key, session = access.create_key("till", ("read",)), access.sign_in(access.create_link())
    assert session is not None
    assert access.key(key) and access.session(session)
    elsewhere.revoke_key("till")
    elsewhere.sign_out(session)
    clock.at += SECOND // 100
    assert access.key(key) is None and access.session(session) is None
    elsewhere.close()


def test_what_was_ended_here_lets_nobody_in_at_once(access: Access) -> None:
    key, session = access.create_key("till", ("read",)), access.sign_in(access.create_link())
    assert session is not None
    assert access.key(key) and access.session(session)
    access.revoke_key("till")
    access.sign_out(session)
    assert access.key(key) is None and access.session(session) is None


def test_a_session_is_over_when_its_time_is_though_it_was_used_just_before(access: Access, clock: Clock) -> None:
    session = access.sign_in(access.create_link())
    assert session is not None
    clock.at += SESSION_LASTS - SECOND
    assert access.session(session)
    clock.at += SECOND
    assert access.session(session) is None


def test_many_who_come_at_once_ask_the_database_once(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    key = access.create_key("till", ("read",))
    asked: list[str] = []
    run = access._run
    monkeypatch.setattr(access, "_run", lambda name, *values: (asked.append(name), run(name, *values))[1])
    assert len({access.key(key) for _ in range(100)}) == 1
    assert asked == ["key_by_hash"]


def test_a_revoked_key_lets_nobody_in_and_stays_in_the_list(access: Access, clock: Clock) -> None:
    token = access.create_key("webshop", ("ingest",))
    assert access.revoke_key("webshop")
    assert access.key(token) is None
    assert [key.revoked_at for key in access.keys()] == [clock.at]
    assert not access.revoke_key("webshop")
    assert access.key(access.create_key("webshop", ("ingest",))) is not None


@pytest.mark.parametrize("name", ["", "x" * 201, "two\nlines", "owner"])
def test_a_key_has_a_name_that_no_person_has(access: Access, name: str) -> None:
    with pytest.raises(Invalid):
        access.create_key(name, ("read",))
    assert access.keys() == []


def test_two_keys_in_use_have_two_names(access: Access) -> None:
    access.create_key("webshop", ("ingest",))
    with pytest.raises(Invalid):
        access.create_key("webshop", ("read",))


def test_the_list_says_when_a_key_was_last_used(access: Access, clock: Clock) -> None:
    token = access.create_key("webshop", ("ingest",))
    assert access.keys()[0].last_used_at is None
    clock.at += MINUTE
    access.key(token)
    assert access.keys()[0].last_used_at == clock.at
    assert access.keys()[0].prefix == token[:8]


def test_a_link_signs_in_once(access: Access) -> None:
    link = access.create_link()
    session = access.sign_in(link)
    assert session is not None and access.sign_in(link) is None
    holder = access.session(session)
    assert holder is not None and (holder.name, holder.scopes) == ("owner", ("read",))
    assert access.session(link) is None and access.key(session) is None


def test_a_link_ends_with_its_time(access: Access, clock: Clock) -> None:
    link = access.create_link()
    clock.at += LINK_LASTS
    assert access.sign_in(link) is None


def test_a_session_ends_with_its_time_or_by_signing_out(access: Access, clock: Clock) -> None:
    first, second = access.sign_in(access.create_link()), access.sign_in(access.create_link())
    assert first is not None and second is not None
    access.sign_out(first)
    assert access.session(first) is None and access.session(second) is not None
    clock.at += SESSION_LASTS - SECOND
    assert access.session(second) is not None
    clock.at += SECOND
    assert access.session(second) is None


def test_another_process_sees_a_new_key_and_a_revocation_at_once(access: Access, tmp_path: Path, clock: Clock) -> None:
    other = Access(tmp_path / "access.db", clock)
    token = other.create_key("till", ("ingest",))
    assert access.key(token) is not None
    access.revoke_key("till")
    assert other.key(token) is None
    other.close()


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    first = Access(tmp_path / "access.db", clock)
    token, session = first.create_key("till", ("read",)), first.sign_in(first.create_link())
    first.close()
    again = Access(tmp_path / "access.db", clock)
    assert again.key(token) is not None and session is not None and again.session(session) is not None
    again.close()
