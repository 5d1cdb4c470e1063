"""Who may come in: `access.db`, with the keys of programs, one-time sign-in links, and the sessions of browsers.

A file of its own, because several processes write it: the server, and the command that makes a key while the server runs.
Of every secret only the SHA-256 is kept; secrets are 256 random bits, so a plain hash is enough and lookups go by it: how long a
lookup takes tells nothing about a secret. A secret is shown once, when it is made.

When a key was last used is noted in memory and written by `flush`, so that no request waits for the disk because of it.
Whoever was found lately is found again without asking the database, so that many may come back at once; a revoked key or
an ended session is good for a hundredth of a second more at most, when another process ended it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from stockwire.core.errors import Invalid
from stockwire.core.values import DAY, MINUTE, SECOND
from stockwire.log import database

FILE: Final = "access.db"
KEY_PREFIX: Final = "swk_"
LINK_LASTS: Final = 15 * MINUTE
SESSION_LASTS: Final = 90 * DAY
OWNER: Final = "owner"
"""Whoever signs in, until there are people with names."""

_LATELY: Final = SECOND
"""How long whoever was found is remembered, when nothing is written meanwhile."""
_LOOK_EVERY: Final = SECOND // 100
"""How often it is looked whether something was written."""
_FOUND_MOST: Final = 20_000
_SHOWN: Final = len(KEY_PREFIX) + 4
_NAME_LENGTH: Final = 200
_SQL: Final = database.statements("access")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as lists show it; moments, and `prefix`, the beginning of its text, to tell it apart by."""

    name: str
    scopes: tuple[str, ...]
    prefix: str
    created_at: int
    last_used_at: int | None = None
    revoked_at: int | None = None


class Holder(msgspec.Struct, frozen=True):
    """Whoever a key or session belongs to, and what it lets them do."""

    name: str
    scopes: tuple[str, ...]


def wall_clock() -> int:
    """The present moment."""
    return time.time_ns() // 1_000


class Access:
    """The store at `path`, made when it is not there. Safe to use from several threads, and several processes.

    Raises StorageFailed or SchemaTooNew. `now` gives the moment by which links and sessions end.
    """

    def __init__(self, path: Path, now: Callable[[], int] = wall_clock) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._used: dict[bytes, int] = {}
        self._found: dict[tuple[str, bytes], Holder] = {}
        self._found_since = self._looked_at = 0
        self._revision: tuple[int, int] | None = None
        self._connection = database.open_writing(path, checkpoint_pages=100)
        try:
            path.chmod(0o600)
            database.migrate(self._connection, "access_migrations", now())
        except BaseException:
            self._connection.close(True)
            raise

    def close(self) -> None:
        """Write what is not written yet, and let go of the file."""
        self.flush()
        with self._lock:
            self._connection.close()

    def _run(self, name: str, *values: Any) -> list[Any]:
        with self._lock, database.storage_errors():
            return list(self._connection.execute(_SQL[name], values))

    # Keys

    def create_key(self, name: str, scopes: Sequence[str], now: int | None = None) -> str:
        """A new key's text, which is not kept. Raises Invalid for a name that is none, is a person's, or is in use by a key."""
        if not 1 <= len(name) <= _NAME_LENGTH or not name.isprintable():
            raise Invalid(f"a key has a name of 1 to {_NAME_LENGTH} characters, on one line")
        if name == OWNER:
            raise Invalid(f"`{OWNER}` is a person: a key of that name would have their own rows; name the program")
        token = KEY_PREFIX + secrets.token_urlsafe(32)
        try:
            self._run("add_key", name, " ".join(scopes), token[:_SHOWN], _digest(token), self._at(now))
        except apsw.ConstraintError:
            raise Invalid(f"a key named `{name}` is in use; revoke it first, or take another name") from None
        return token

    def keys(self) -> list[Key]:
        """Every key there ever was, oldest first."""
        self.flush()
        return [
            Key(name=name, scopes=tuple(scopes.split()), prefix=prefix, created_at=created, last_used_at=used,
                revoked_at=revoked)
            for name, scopes, prefix, created, used, revoked in self._run("keys")
        ]  # fmt: skip

    def revoke_key(self, name: str, now: int | None = None) -> bool:
        """From now on nobody can use the key of that name. False when none is in use."""
        if not self._run("key_in_use", name):
            return False
        self._run("revoke_key", self._at(now), name)
        self._found.clear()
        return True

    def key(self, token: str) -> Holder | None:
        """Whose bearer key that is; None when it is none, or was revoked."""
        digest = _digest(token)
        holder = self._lately().get(("key", digest))
        if holder is None:
            for stored, name, scopes in self._run("key_by_hash", digest):
                if hmac.compare_digest(stored, digest):
                    holder = self._found["key", digest] = Holder(name, tuple(scopes.split()))
        if holder is not None:
            self._used[digest] = self._now()
        return holder

    def flush(self) -> None:
        """Write down when keys were last used. Call it now and then; closing does."""
        used, self._used = self._used, {}
        rows = [(at, digest) for digest, at in list(used.items())]
        if not rows:
            return
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            self._connection.executemany(_SQL["use_key"], rows)

    # People

    def create_link(self, now: int | None = None, lasts: int = LINK_LASTS, user: str = OWNER) -> str:
        """A one-time sign-in token, good for `lasts`."""
        token = secrets.token_urlsafe(32)
        at = self._at(now)
        self._run("drop_expired_links", at)
        self._run("add_link", _digest(token), user, at + lasts)
        return token

    def sign_in(self, token: str) -> str | None:
        """Spend a one-time token; gives the new session's token, or None when it is none, spent or too old."""
        at = self._now()
        session = secrets.token_urlsafe(32)
        with self._lock, database.storage_errors(), database.transaction(self._connection):
            spent = list(self._connection.execute(_SQL["spend_link"], (_digest(token), at)))
            if not spent:
                return None
            self._connection.execute(_SQL["drop_expired_sessions"], (at,))
            self._connection.execute(_SQL["add_session"], (_digest(session), spent[0][0], at, at + SESSION_LASTS))
        return session

    def session(self, token: str) -> Holder | None:
        """Whose session that is; None when it is none, or over."""
        digest = _digest(token)
        holder = self._lately().get(("session", digest))
        if holder is None:
            for stored, user in self._run("session_by_hash", digest, self._now()):
                if hmac.compare_digest(stored, digest):
                    holder = self._found["session", digest] = Holder(user, ("read",))
        return holder

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._run("end_session", _digest(token))
        self._found.clear()

    # Both

    @property
    def revision(self) -> tuple[int, int]:
        """Another value whenever something was written, by whichever process. Costs no look at any row."""
        with self._lock, database.storage_errors():
            return self._connection.pragma("data_version"), self._connection.total_changes()

    def ended(self, credentials: Iterable[bytes]) -> set[bytes]:
        """Those of the hashes of keys and sessions that let nobody in any more."""
        return {each for each in credentials if not self._run("still_good", each, self._now())}

    def _lately(self) -> dict[tuple[str, bytes], Holder]:
        """Whoever was found lately by a key or session of that hash; nothing was written since."""
        now = self._now()
        if not 0 <= now - self._looked_at < _LOOK_EVERY:
            revision = self.revision
            lately = 0 <= now - self._found_since < _LATELY and len(self._found) < _FOUND_MOST
            if revision != self._revision or not lately:
                self._found.clear()
                self._found_since = now
            self._revision, self._looked_at = revision, now
        return self._found

    def _at(self, now: int | None) -> int:
        return self._now() if now is None else now


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
