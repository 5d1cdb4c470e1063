"""Web Push: what a browser can read, and a push service believes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from stockwire.core.errors import Invalid
from stockwire.core.retrying import Outcome
from stockwire.core.values import SECOND
from stockwire.log.deliveries import Subscription
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.posting import Post
from stockwire.transport.outgoing.push import (
    Push,
    authorization,
    base64url,
    encrypted,
    identity,
    keys_of,
    new_private,
    payload,
    topic,
    unbase64url,
)
from tests.outgoing.house import NOW, Came, House, house, message, ok

# RFC 8291, 5 and appendix A.
AUTH = unbase64url("BTBZMqHH6r4Tts7J_aSIgg")
UA_PRIVATE = unbase64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
UA_PUBLIC = unbase64url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
AS_PRIVATE = unbase64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
SALT = unbase64url("DGv6ra1nlYgDCS1FRnbzlw")
PLAIN = b"When I grow up, I want to be a watermelon"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95b"
    "Qpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
# RFC 8292, 2.4.
TOKEN = (
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1"
    "YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSS"
    "HzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)


def private(value: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(value), ec.SECP256R1())


def mac(key: bytes, said: bytes) -> bytes:
    made = hmac.HMAC(key, hashes.SHA256())
    made.update(said)
    return made.finalize()


def read_by_browser(body: bytes) -> bytes:
    """What the browser of the RFC reads, written from RFC 8188 and 8291 with HMAC and AES alone."""
    salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(sealed) <= size
    shared = private(UA_PRIVATE).exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    )
    key = mac(mac(AUTH, shared), b"WebPush: info\0" + UA_PUBLIC + sender + b"\x01")
    pseudo = mac(salt, key)
    content_key = mac(pseudo, b"Content-Encoding: aes128gcm\0\x01")[:16]
    nonce = mac(pseudo, b"Content-Encoding: nonce\0\x01")[:12]
    opened = Cipher(algorithms.AES(content_key), modes.GCM(nonce, sealed[-16:])).decryptor()
    plain = opened.update(sealed[:-16]) + opened.finalize()
    return plain.rstrip(b"\0").removesuffix(b"\x02")


def claims_of(header: str) -> dict[str, Any]:
    """What a push service believes: the claims, when the signature is that of the key. Raises InvalidSignature."""
    token, key = (part.strip()[2:] for part in header.removeprefix("vapid ").split(","))
    said, _, signature = token.rpartition(".")
    r, s = (int.from_bytes(part) for part in (unbase64url(signature)[:32], unbase64url(signature)[32:]))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unbase64url(key))
    public.verify(encode_dss_signature(r, s), said.encode(), ec.ECDSA(hashes.SHA256()))
    return dict(json.loads(unbase64url(said.split(".")[1])))


def browser(inside: House) -> Subscription:
    return Subscription(
        subscription_id="b1", person="owner", endpoint=f"http://127.0.0.1:{inside.port}/push/1", p256dh=UA_PUBLIC,
        auth=AUTH, language="en", device="Laptop", created_at=NOW,
    )  # fmt: skip


ME = identity(new_private(), "mailto:shop@example.com")


async def pushed(inside: House, **more: Any) -> Outcome:
    post = Post(Guard(["127.0.0.1"]))
    try:
        return await Push(post, lambda: ME, lambda: NOW).send(browser(inside), message(**more))
    finally:
        await post.close()


def test_the_encryption_is_that_of_the_rfc_to_the_byte() -> None:
    assert base64url(encrypted(PLAIN, UA_PUBLIC, AUTH, private(AS_PRIVATE), SALT)) == BODY
    assert read_by_browser(unbase64url(BODY)) == PLAIN


async def test_the_browser_reads_what_was_sent_and_nobody_between() -> None:
    async with house() as inside:
        assert (await pushed(inside)).kind == "sent"
    came = inside.came[0]
    assert b"Mug" not in came.body
    assert json.loads(read_by_browser(came.body)) == {
        "web_push": 8030,
        "notification": {
            "title": "Mug is out of stock at main",
            "body": "Critical: Mug is out of stock at main.\nhttps://stock.example.com",
            "navigate": "https://stock.example.com/inventory",
            "tag": "low/stock/MUG/main",
            "lang": "en",
        },
        "severity": "critical",
        "happened": "fired",
        "notification_id": "low@7",
    }


def test_a_push_service_believes_who_signed() -> None:
    assert claims_of(TOKEN)["sub"] == "mailto:push@example.com"
    header = authorization("https://push.example.net/p/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", ME, NOW)
    assert claims_of(header) == {
        "aud": "https://push.example.net", "exp": NOW // SECOND + 43_200, "sub": "mailto:shop@example.com",
    }  # fmt: skip
    with pytest.raises(InvalidSignature):
        claims_of(header.replace(ME.public, identity(new_private(), "").public))


async def test_an_undelivered_message_is_replaced_by_the_next_of_the_same() -> None:
    async with house() as inside:
        for happened in ("fired", "resolved"):
            await pushed(inside, happened=happened)
        await pushed(inside, tag="another", severity="info")
    first, second, third = (came.headers for came in inside.came)
    assert first["topic"] == second["topic"] == topic("low/stock/MUG/main") != third["topic"]
    assert len(first["topic"]) == 32 and first["ttl"] == "43200"
    assert (first["urgency"], third["urgency"]) == ("high", "low")
    assert first["content-encoding"] == "aes128gcm" and first["authorization"].startswith("vapid t=")


async def test_every_message_is_sealed_anew() -> None:
    async with house() as inside:
        await pushed(inside)
        await pushed(inside)
    bodies: list[Came] = inside.came
    assert bodies[0].body[:86] != bodies[1].body[:86]


@pytest.mark.parametrize(
    ("status", "kind"), [(201, "sent"), (404, "gone"), (410, "gone"), (413, "failed"), (503, "failed")]
)
async def test_a_subscription_that_is_over_is_gone(status: int, kind: str) -> None:
    async with house() as inside:
        inside.answer = lambda _: ok(status)
        assert (await pushed(inside)).kind == kind


def test_the_longest_message_fits_into_what_push_services_take() -> None:
    long = message(subject="ü" * 5_000, text="ü\n" * 5_000, url="https://stock.example.com/" + "x" * 600)
    assert len(encrypted(payload(long), UA_PUBLIC, AUTH, private(AS_PRIVATE), SALT)) <= 4_096


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("x", base64url(AUTH)), (base64url(UA_PUBLIC), "short"), (base64url(b"\x04" + b"\x01" * 64), base64url(AUTH)),
     (base64url(UA_PUBLIC)[:-4] + "!!!!", base64url(AUTH)), ("é" * 87, base64url(AUTH))],
)  # fmt: skip
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(Invalid):
        keys_of(p256dh, auth)


def test_keys_are_taken_with_padding_and_without() -> None:
    assert keys_of(base64url(UA_PUBLIC) + "=", base64url(AUTH) + "==") == (UA_PUBLIC, AUTH)
