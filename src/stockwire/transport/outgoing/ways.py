"""The ways out as they are seen by whoever sets up a receiver: which addresses are taken, and the keys that are needed."""

from __future__ import annotations

import secrets

from stockwire.log.deliveries import Deliveries, Kind
from stockwire.transport.outgoing.apprise import checked
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.push import Identity, identity, keys_of, new_private
from stockwire.transport.outgoing.webhook import SECRET_BYTES, new_secret


class Ways:
    """What is taken by the guard, and what is kept in the store. `contact` is where push services can write to."""

    def __init__(self, guard: Guard, store: Deliveries, contact: str) -> None:
        self._guard = guard
        self._store = store
        self._contact = contact

    def check(self, kind: Kind, address: str) -> None:
        """Raises Refused for an address that nothing would be sent to."""
        if kind == "webhook":
            self._guard.parts(address)
        else:
            checked(address, self._guard)

    def check_browser(self, endpoint: str, p256dh: str, auth: str) -> tuple[bytes, bytes]:
        """The keys of a subscription. Raises Refused or Invalid."""
        self._guard.parts(endpoint)
        return keys_of(p256dh, auth)

    def new_secret(self) -> str:
        """A secret to sign webhooks with."""
        return new_secret(secrets.token_bytes(SECRET_BYTES))

    def identity(self) -> Identity:
        """By what push services know this server; made when it is first needed."""
        return identity(self._store.push_key(new_private), self._contact)

    def push_key(self) -> str:
        """The public key by which push services know this server."""
        return self.identity().public
