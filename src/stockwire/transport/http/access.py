"""Access: who a request comes from, and what that lets it do.

Programs come with a bearer key, people with the cookie of a session that a one-time token opened. Three rules: a request
with an `Origin` must come from a page of the server's own list and must name one of its hosts (else a foreign page could
use a person's cookie, or a foreign name could be pointed at this machine); a cookie changes something only from such a
page; and no secret is ever logged, or compared but by its hash, which the store does.

An address that fails too often is not heard for a while, except with credentials that were good before: whoever shares an
address with an attacker goes on working.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from stockwire.core.errors import Forbidden, Invalid, TooMany, Unauthenticated
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.engine.access import Headers, Reader
from stockwire.transport.http.limits import CREDENTIAL_LENGTH, FAILURE_SECONDS, FAILURES

COOKIE: Final = "stockwire"
_ADDRESSES: Final = 10_000
_CREDENTIALS: Final = 1_000

Scope = Literal["ingest", "read", "manage"]


class Holder(Protocol):
    """Whoever a key or session belongs to."""

    @property
    def name(self) -> str: ...

    @property
    def scopes(self) -> Iterable[str]: ...


class Credentials(Protocol):
    """The store of keys, one-time tokens and sessions. It keeps hashes alone; none of these raises for a bad text."""

    def key(self, token: str) -> Holder | None:
        """Whose bearer key that is; None when it is none, or was revoked."""

    def session(self, token: str) -> Holder | None:
        """Whose session that is; None when it is none, or over."""

    def sign_in(self, token: str) -> str | None:
        """Spend a one-time token; gives the new session's token, or None when it is none, spent or too old."""

    def sign_out(self, token: str) -> None:
        """End a session."""


class _Failures:
    """Counts wrong credentials by address, in a window that begins with the first."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Seconds until the address is heard again; 0 when it is."""
        began, count = self._windows.get(address, (0.0, 0))
        left = began + FAILURE_SECONDS - self._monotonic()
        return int(left) + 1 if count >= FAILURES and left > 0 else 0

    def add(self, address: str) -> None:
        now = self._monotonic()
        began, count = self._windows.pop(address, (now, 0))
        if now - began >= FAILURE_SECONDS:
            began, count = now, 0
        self._windows[address] = (began, count + 1)
        if len(self._windows) > _ADDRESSES:
            self._windows.popitem(last=False)


class _Known:
    """Hashes of credentials that were good, the newest few."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, token: str) -> bool:
        return _digest(token) in self._digests

    def add(self, token: str) -> None:
        digest = _digest(token)
        self._digests[digest] = None
        self._digests.move_to_end(digest)
        if len(self._digests) > _CREDENTIALS:
            self._digests.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class Cookie(NamedTuple):
    """A cookie to set: its header's value."""

    header: str


class Access:
    """Decides about every request. `origins` are the pages allowed to call, exactly (scheme, host and port)."""

    def __init__(self, store: Credentials, *, origins: Iterable[str], monotonic: Callable[[], float]) -> None:
        self._store = store
        self._origins = frozenset(origins)
        self._hosts = frozenset(urlsplit(origin).netloc.lower() for origin in self._origins)
        self._failures = _Failures(monotonic)
        self._known = _Known()

    def reader(self, headers: Headers) -> Reader:
        """Who may read, by key or cookie. Raises Unauthenticated, Forbidden or TooMany. The port of the streams."""
        self.check_origin(headers)
        bearer = _bearer(headers)
        if bearer is not None:
            return self._by_key(headers, bearer, "read")
        session, holder = self._by_cookie(headers)
        return Reader(holder.name, _rights(holder), _digest(session))

    def producer(self, headers: Headers) -> Reader:
        """Who may send events: a key alone, because a page has no business there. Raises as `reader`."""
        self.check_origin(headers)
        bearer = _bearer(headers)
        if bearer is None:
            raise Unauthenticated("events need `Authorization: Bearer <key with scope ingest>`")
        return self._by_key(headers, bearer, "ingest")

    def manager(self, headers: Headers) -> Reader:
        """Who may change rules, channels and what they have read: by key, or by cookie from the page. Raises as `reader`."""
        self.check_origin(headers)
        bearer = _bearer(headers)
        if bearer is not None:
            return self._by_key(headers, bearer, "manage")
        session, holder = self._by_cookie(headers)
        self._check_page(headers)
        return Reader(holder.name, _rights(holder), _digest(session))

    def sign_in(self, headers: Headers, token: str) -> tuple[Cookie, Holder]:
        """Spend a one-time token; gives the cookie of the session it opened, and whose that is. Raises as `reader`."""
        self.check_origin(headers)
        self._check_address(headers, token)
        session = self._store.sign_in(token) if len(token) <= CREDENTIAL_LENGTH else None
        holder = self._store.session(session) if session is not None else None
        if session is None or holder is None:
            self._failures.add(headers.address)
            raise Unauthenticated("the sign-in link was used already or is too old; `stockwire link` prints a new one")
        self._known.add(session)
        return Cookie(f"{_cookie_name(headers)}={session}{_cookie_attributes(headers)}"), holder

    def sign_out(self, headers: Headers) -> Cookie:
        """End the session of the request's cookie, if any; gives the cookie that takes it away. Raises Forbidden."""
        self.check_origin(headers)
        session = _session(headers)
        if session is not None:
            self._check_page(headers)
            self._store.sign_out(session)
        return Cookie(f"{_cookie_name(headers)}={_cookie_attributes(headers)}; Max-Age=0")

    def check_origin(self, headers: Headers) -> None:
        """Raises Forbidden when the request comes from a page that is not on the list, or by a name that is not ours."""
        origin = headers.get(b"origin")
        if origin is None:
            return
        if origin not in self._origins:
            raise Forbidden("this page's origin is not on the list; the setting `origins` has it")
        self._check_host(headers)

    def _check_host(self, headers: Headers) -> None:
        if (headers.get(b"host") or "").lower() not in self._hosts:
            raise Forbidden("this server is not known by that name; the setting `origins` lists its names")

    def _check_page(self, headers: Headers) -> None:
        if headers.get(b"origin") is None:
            raise Forbidden("a cookie changes something only from the page itself")

    def _check_address(self, headers: Headers, credential: str) -> None:
        wait = self._failures.wait(headers.address)
        if wait and credential not in self._known:
            error = TooMany("too many wrong keys or sign-ins came from this address; wait a little")
            error.retry_after = wait
            raise error

    def _by_key(self, headers: Headers, token: str, scope: Scope) -> Reader:
        self._check_address(headers, token)
        holder = self._store.key(token) if len(token) <= CREDENTIAL_LENGTH else None
        if holder is None:
            self._failures.add(headers.address)
            raise Unauthenticated("this key is not known, or was revoked")
        self._known.add(token)
        if scope not in holder.scopes:
            raise Forbidden(f"this key lacks the scope `{scope}`")
        return Reader(holder.name, _rights(holder), _digest(token))

    def _by_cookie(self, headers: Headers) -> tuple[str, Holder]:
        """The session's token and whose it is."""
        session = _session(headers)
        if session is None:
            raise Unauthenticated()
        self._check_host(headers)
        self._check_address(headers, session)
        holder = self._store.session(session) if len(session) <= CREDENTIAL_LENGTH else None
        if holder is None:
            self._failures.add(headers.address)
            raise Unauthenticated("the session is over; `stockwire link` prints a new sign-in link")
        self._known.add(session)
        return session, holder


def _rights(holder: Holder) -> Rights:
    """What a holder may see: everything, until people have roles and locations, and of people's own rows theirs."""
    return Rights(EVERYTHING.name, holder.name)


def _bearer(headers: Headers) -> str | None:
    """The bearer key of a request; None when it brings no `Authorization`. Raises Invalid for any other kind."""
    value = headers.get(b"authorization")
    if value is None:
        return None
    kind, _, token = value.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or not token.isascii():
        raise Invalid("`Authorization` must be `Bearer <key>`")
    return token


def _cookie_name(headers: Headers) -> str:
    """Cookies do not tell ports of one host apart, so the name does: two servers on one machine keep their sessions."""
    _, colon, port = (headers.get(b"host") or "").rpartition(":")
    return f"{COOKIE}_{port}" if colon and port.isascii() and port.isdigit() else COOKIE


def _cookie_attributes(headers: Headers) -> str:
    secure = (headers.get(b"origin") or "").startswith("https:")
    return "; HttpOnly; SameSite=Strict; Path=/" + ("; Secure" if secure else "")


def _session(headers: Headers) -> str | None:
    """The session's token. Other servers on this host leave cookies of any form beside it, so each is read by itself."""
    wanted = _cookie_name(headers)
    for key, value in headers.pairs:
        if key == b"cookie":
            for cookie in value.decode("latin-1").split(";"):
                name, _, token = cookie.strip().partition("=")
                if name == wanted and token:
                    return token
    return None
