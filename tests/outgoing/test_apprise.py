"""E-mail, chats and ntfy through Apprise: what the other side really gets, and that nothing goes past the guard."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stockwire.core.errors import NotPublic, Refused
from stockwire.core.retrying import Outcome
from stockwire.log.deliveries import Channel
from stockwire.transport.outgoing.apprise import COMMAND, SCHEMES, Couriers, checked, errand
from stockwire.transport.outgoing.courier import NotAllowed, Sockets, redacted
from stockwire.transport.outgoing.guard import Guard
from tests.outgoing.house import Came, House, channel, house, message, ok

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTS = ("hooks.slack.com", "api.telegram.org", "teams.example.com")
# A courier whose names of chats lead to the test's own server, and which trusts that one's certificate.
REDIRECTED = """
import os, socket, sys
port, trust, hosts = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
os.environ["REQUESTS_CA_BUNDLE"] = trust
really = socket.getaddrinfo
def getaddrinfo(host, service, *rest, **more):
    return really("127.0.0.1", int(port), *rest, **more) if host in hosts else really(host, service, *rest, **more)
socket.getaddrinfo = getaddrinfo
from stockwire.transport.outgoing.courier import main
main()
"""


def at(address: str) -> Channel:
    return channel(address, kind="apprise", secret=None)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def couriers() -> AsyncIterator[Couriers]:
    made = Couriers(["127.0.0.1"])
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, Couriers]]:
    """The chats' own addresses, all of them at one server of ours, over TLS."""
    trust, served = certificate(tmp_path_factory.mktemp("tls"))
    async with house(ssl=served) as inside:
        made = Couriers(
            HOSTS, command=[sys.executable, "-c", REDIRECTED, str(inside.port), str(trust), ",".join(HOSTS)]
        )
        yield inside, made
        await made.close()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for the chats' names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trust, private = folder / "trust.pem", folder / "key.pem"
    trust.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trust, private)
    return trust, context


class Post:
    """A mail server's post: who wrote to whom, and the letter."""

    def __init__(self) -> None:
        self.came: list[tuple[str, list[str], EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        letter = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        self.came.append((str(envelope.mail_from), list(envelope.rcpt_tos), cast(EmailMessage, letter)))
        return "250 taken"


async def test_an_email_goes_through_a_real_conversation_of_smtp(couriers: Couriers) -> None:
    post, asked = Post(), []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        asked.append((data.login, data.password))
        return AuthResult(success=True)

    def served() -> SMTP:
        return SMTP(post, authenticator=authenticate, auth_require_tls=False, hostname="mail.test")

    server = await asyncio.get_running_loop().create_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = f"mailto://shop:PASSWORD@127.0.0.1:{port}?from=shop@example.com&to=owner@example.com&mode=insecure"
    outcome = await couriers.send(
        at(address), message(text="Critical: Mug <b> is out & over @ main.\nhttps://shop.example")
    )
    server.close()
    assert outcome == Outcome("sent") and asked == [(b"shop", b"PASSWORD")]
    ((sender, receivers, letter),) = post.came
    assert (sender, receivers) == ("shop@example.com", ["owner@example.com"])
    assert letter["subject"] == "Mug is out of stock at main"
    plain = letter.get_body(("plain",))
    assert plain is not None and "Mug <b> is out & over @ main." in plain.get_content()


async def test_a_mail_server_that_refuses_is_a_failed_try_that_names_no_password(couriers: Couriers) -> None:
    class Full(Post):
        async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
            return "452 mailbox of PASSWORD is full"

    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Full()), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outcome = await couriers.send(
        at(f"mailto://127.0.0.1:{port}?from=PASSWORD@a.bc&to=you@a.bc&mode=insecure"), message()
    )
    server.close()
    assert outcome.kind == "failed" and outcome.detail and "PASSWORD" not in outcome.detail


async def test_ntfy_gets_title_and_text(couriers: Couriers) -> None:
    async with house() as inside:
        inside.answer = lambda _: ok(200, b"{}", content_type="application/json")
        assert await couriers.send(at(f"ntfy://127.0.0.1:{inside.port}/stock"), message()) == Outcome("sent")
    said = json.loads(inside.came[0].body)
    assert (said["topic"], said["title"]) == ("stock", "Mug is out of stock at main")
    assert said["message"].startswith("Critical: Mug is out of stock at main.")


async def test_slack_gets_the_words_and_no_command_in_them(chats: tuple[House, Couriers]) -> None:
    inside, couriers = chats
    inside.answer = lambda _: ok(200, b"ok")
    address = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#stock"
    sent = message(subject="<!channel> @everyone is out of stock")
    assert await couriers.send(at(address), sent) == Outcome("sent")
    came: Came = inside.came[-1]
    assert (
        came.headers["host"] == "hooks.slack.com"
        and came.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    )
    assert b"is out of stock" in came.body and b"<!channel>" not in came.body and b"@everyone" not in came.body


async def test_telegram_gets_the_words(chats: tuple[House, Couriers]) -> None:
    inside, couriers = chats
    inside.answer = lambda _: ok(200, b'{"ok": true, "result": {"message_id": 1}}', content_type="application/json")
    assert await couriers.send(at("tgram://123456789:abcdefg_hijklmnop/12315544/"), message()) == Outcome("sent")
    came = inside.came[-1]
    assert came.headers["host"] == "api.telegram.org" and came.path == "/bot123456789:abcdefg_hijklmnop/sendMessage"
    is_json = came.headers["content-type"].startswith("application/json")
    said = json.loads(came.body) if is_json else dict(parse_qsl(came.body.decode()))
    assert str(said["chat_id"]) == "12315544" and "Mug is out of stock at main" in said["text"]


async def test_teams_gets_a_card_with_the_words(chats: tuple[House, Couriers]) -> None:
    inside, couriers = chats
    inside.answer = lambda _: ok(202)
    address = "workflows://teams.example.com:443/643c0e8cd3f7454bbd8aa7ae5a5f1e16/7ClS4tgVTYXQ6k1xTMkOMjVyJ8"
    assert await couriers.send(at(address), message()) == Outcome("sent")
    assert inside.came[-1].headers["host"].startswith("teams.example.com")
    assert b"Mug is out of stock at main" in inside.came[-1].body


async def test_a_redirect_is_not_followed_by_apprise_either(couriers: Couriers) -> None:
    async with house() as inside, house() as secret:
        inside.answer = lambda _: ok(307, location=f"http://127.0.0.1:{secret.port}/")
        assert (await couriers.send(at(f"ntfy://127.0.0.1:{inside.port}/stock"), message())).kind == "failed"
        assert len(inside.came) == 1 and secret.came == []


async def test_a_name_that_leads_inside_gets_nothing_through_apprise() -> None:
    """`localhost` is a name like any other that resolves to a private address."""
    couriers = Couriers([])
    async with house() as inside:
        for address in (f"ntfy://localhost:{inside.port}/x", f"mailto://a:b@localhost:{inside.port}?to=a@b.cd"):
            outcome = await couriers.send(at(address), message())
            assert outcome == Outcome("refused", "localhost is at an address that is not public")
        assert inside.came == []
    await couriers.close()


async def test_a_courier_that_hangs_is_ended_and_another_takes_the_next() -> None:
    couriers = Couriers([], command=[sys.executable, "-c", "import sys; sys.stdin.read()"], deadline=0.5)
    assert (await couriers.send(at("ntfy://x"), message())).detail == "not sent within 0.5 seconds"
    couriers = Couriers([], command=[sys.executable, "-c", ""])
    assert await couriers.send(at("ntfy://x"), message()) == Outcome("failed", "the process that sends it ended")
    couriers = Couriers([], command=["/nowhere/at/all"])
    assert (await couriers.send(at("ntfy://x"), message())).kind == "failed"


async def test_every_service_that_is_taken_is_one_of_apprise(couriers: Couriers) -> None:
    listing = (
        "import apprise\n"
        "for each in apprise.Apprise().details()['schemas']:\n"
        "    print(*(each['protocols'] or ()), *(each['secure_protocols'] or ()))"
    )
    process = await asyncio.create_subprocess_exec(COMMAND[0], "-I", "-c", listing, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert SCHEMES - set(said.decode().split()) == set()


@pytest.mark.parametrize(
    "address",
    ["gnome://", "dbus://", "macosx://", "syslog://", "windows://", "json://example.com", "xml://example.com", "vapid://x",
     "mqtt://example.com/x", "blink1://", "smpp://a:b@example.com", "file:///etc/passwd", "https://example.com", "slack", "",
     "ntfy://topic\nntfy://other", "mailto://a:b@example.com?pgpkey=/etc/passwd", "slack://a/b/c?template=/etc/passwd",
     "ntfy://topic?attach=file:///etc/passwd", "mailto://a:b@example.com?Attach=/etc/passwd"],
)  # fmt: skip
async def test_what_cannot_be_guarded_is_refused_by_name(address: str) -> None:
    with pytest.raises(Refused):
        checked(address, Guard())


@pytest.mark.parametrize(
    "address", ["ntfy://127.0.0.1/x", "mailto://a:b@10.0.0.1:25", "gotify://[::1]:80/token", "mmost://192.168.1.1/t"]
)
async def test_a_private_address_is_refused_when_it_is_given(address: str) -> None:
    with pytest.raises(NotPublic):
        checked(address, Guard())
    assert checked(address, Guard(["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1"])) == address


async def test_the_guard_of_sockets_lets_nothing_out_but_to_what_it_has_checked() -> None:
    def really(host: str, port: int, *_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[host], port))]

    answers = {"good.example": "93.184.216.34", "bad.example": "127.0.0.1"}
    sockets = Sockets((), really)
    with pytest.raises(NotAllowed):
        sockets.watch("socket.connect", (None, ("93.184.216.34", 443)))
    sockets.getaddrinfo("good.example", 443)
    sockets.watch("socket.connect", (None, ("93.184.216.34", 443)))
    with pytest.raises(socket.gaierror):
        sockets.getaddrinfo("bad.example", 443)
    assert sockets.refused == "bad.example"
    answers["good.example"] = "127.0.0.1"  # rebinding
    with pytest.raises(socket.gaierror):
        sockets.getaddrinfo("good.example", 443)
    for event, arguments in (
        ("socket.connect", (None, ("127.0.0.1", 443))), ("socket.connect", (None, "/run/docker.sock")),
        ("socket.sendto", (None, ("127.0.0.1", 53))), ("subprocess.Popen", ("sh", [], None, None)), ("os.system", (b"id",)),
        ("open", ("/etc/passwd", "r", 0)), ("open", ("/tmp/x", "w", 0o101)),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            sockets.watch(event, arguments)
    sockets.watch("open", (socket.__file__, "r", 0))


async def test_what_goes_wrong_is_said_without_the_address() -> None:
    address = "mailto://shop:PASSWORD@mail.example.com?to=me@example.com"
    assert redacted("535 shop PASSWORD refused by mail.example.com", address) == "535 shop •••• refused by ••••"


async def test_how_bad_it_is_comes_through() -> None:
    kinds = [errand(at("ntfy://x"), message(severity=severity)).kind for severity in ("info", "warning", "critical")]
    assert kinds == ["info", "warning", "failure"]
    assert errand(at("ntfy://x"), message(happened="resolved")).kind == "success"
