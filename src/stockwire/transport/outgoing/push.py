"""Web Push: encrypted messages to browsers that are closed, through the push services of their makers.

A message is encrypted for the one subscription (RFC 8291 over RFC 8188), and the push service knows this server by a signed
token (VAPID, RFC 8292). `Topic` and the tag are made of the dedupe key: of what has not been shown yet only the newest comes,
and what is shown replaces what is there, so a delivery made twice shows once.

The body is a notification as Declarative Web Push has it: browsers that know it show it without the page's service worker.

pywebpush was left out: it opens its own connections, past the guard, and brings two HTTP clients. What is here is the three
derivations and one token of the RFCs on `cryptography`; tests hold it to the RFCs' own vectors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stockwire.core.errors import Invalid
from stockwire.core.retrying import Outcome
from stockwire.core.telling import Message, shortened
from stockwire.core.values import HOUR, SECOND
from stockwire.core.wire import encode
from stockwire.log.deliveries import Subscription
from stockwire.transport.outgoing.posting import Post

TTL: Final = 12 * HOUR // SECOND
"""Seconds for which a push service keeps what it cannot deliver."""
PAYLOAD_BYTES: Final = 3_900
"""Before encryption; a push service takes 4,096 bytes in all."""
_TEXT_BYTES: Final = (2_400, 1_200, 600, 100, 3)
"""How much of the text is tried, one after the other: signs that JSON escapes take more than they are."""
_RECORD_SIZE: Final = 4_096
_TOKEN_LASTS: Final = 12 * HOUR
_URGENCY: Final = {"info": "low", "warning": "normal", "critical": "high"}


class Identity(NamedTuple):
    """By what push services know this server: a private key, and an address to write to (none: "")."""

    private: ec.EllipticCurvePrivateKey
    contact: str

    @property
    def public(self) -> str:
        """The public key as browsers take it: `applicationServerKey`."""
        return base64url(_point(self.private.public_key()))


def new_private() -> bytes:
    """A private key to be kept."""
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32)


def identity(private: bytes, contact: str) -> Identity:
    """The identity of a key that was kept."""
    return Identity(ec.derive_private_key(int.from_bytes(private), ec.SECP256R1()), contact)


class Push:
    """Sends to one subscription. `now` is the wall's clock, a moment."""

    def __init__(self, post: Post, identity: Callable[[], Identity], now: Callable[[], int]) -> None:
        self._post = post
        self._identity = identity
        self._now = now

    async def send(self, subscription: Subscription, message: Message) -> Outcome:
        """Encrypt and post. `gone` when the browser takes no messages any more."""
        now = self._now()
        key = ec.generate_private_key(ec.SECP256R1())
        content = encrypted(payload(message), subscription.p256dh, subscription.auth, key, os.urandom(16))
        headers = {
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(TTL),
            "urgency": _URGENCY.get(message.severity, "normal"),
            "topic": topic(message.tag),
            "authorization": authorization(subscription.endpoint, self._identity(), now),
        }
        outcome = await self._post.send(subscription.endpoint, headers, content, now)
        if outcome.kind == "failed" and outcome.detail.startswith("answered 404"):
            return Outcome("gone", outcome.detail)
        return outcome


def payload(message: Message) -> bytes:
    """What the browser gets, with as much of the text as push services take."""
    made = (_payload(message, shortened(message.text, most)) for most in _TEXT_BYTES)
    return next(each for each in made if len(each) <= PAYLOAD_BYTES)


def _payload(message: Message, text: str) -> bytes:
    notification = {
        "title": shortened(message.subject, 300),
        "body": text,
        "navigate": message.url if len(message.url) <= 1_200 else "",
        "tag": message.tag if len(message.tag) <= 250 else topic(message.tag),
        "lang": message.language,
    }
    named = message.notifications[0]["notification_id"] if len(message.notifications) == 1 else None
    if named is not None and len(named) > 250:
        named = None
    members = {"severity": message.severity, "happened": message.happened, "notification_id": named}
    return encode({"web_push": 8030, "notification": notification, **members})


def topic(tag: str) -> str:
    """The tag within what RFC 8030, 5.4 takes: 32 characters."""
    return base64url(hashlib.sha256(tag.encode()).digest())[:32]


def encrypted(plain: bytes, p256dh: bytes, auth: bytes, key: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The message as the one browser can read it (RFC 8291). `key` and `salt` are made for this message alone."""
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    ours = _point(key.public_key())
    shared = _derived(key.exchange(ec.ECDH(), theirs), auth, b"WebPush: info\0" + p256dh + ours, 32)
    content_key = _derived(shared, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(shared, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD_SIZE.to_bytes(4) + len(ours).to_bytes(1) + ours
    return head + AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def authorization(endpoint: str, identity: Identity, now: int) -> str:
    """The `Authorization` by which a push service knows this server (RFC 8292)."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": (now + _TOKEN_LASTS) // SECOND}
    if identity.contact:
        claims["sub"] = identity.contact
    said = ".".join(base64url(encode(each)) for each in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(identity.private.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
    return f"vapid t={said}.{base64url(r.to_bytes(32) + s.to_bytes(32))}, k={identity.public}"


def keys_of(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """A subscription's keys from their texts. Raises Invalid."""
    try:
        point, secret = unbase64url(p256dh), unbase64url(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise Invalid("`keys.p256dh` is not a point of P-256, or `keys.auth` no base64url") from None
    if len(point) != 65 or len(secret) != 16:
        raise Invalid("`keys.p256dh` has 65 bytes and `keys.auth` 16")
    return point, secret


def base64url(value: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """The inverse of `base64url`. Raises ValueError."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
