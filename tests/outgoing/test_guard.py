"""Messages go to public addresses, or to hosts that the operator named; whatever is tried."""

from __future__ import annotations

import pytest

from stockwire.core.errors import NotPublic, Refused
from stockwire.transport.outgoing.addresses import is_public
from stockwire.transport.outgoing.guard import Guard
from stockwire.transport.outgoing.posting import Post
from tests.outgoing.house import NOW, house, ok

PUBLIC = "93.184.216.34"


class Names:
    """A resolver whose answers the test writes, one list for each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:c0a8:101::1", "2001:db8::1", "100::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "localhost", "", "127.1",
    ],
)  # fmt: skip
def test_what_is_not_for_everybody_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_what_anybody_reaches_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "ftp://example.com/", "https://", "https:///hook", "hook", "https://user:pw@example.com/",
        "https://example.com/#top", "https://exa mple.com/", "https://example.com:99999/", "file:///etc/passwd",
        "https://example.com/\r\nx", "https://münchen.example/", "https://[::1/", "https://example.com/" + "x" * 2_100,
        "https://shop..example.com/", "https://" + "x" * 64 + ".example.com/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(Refused):
        Guard().parts(url)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]:8/x", "https://169.254.169.254/latest", "https://10.0.0.1."]
)
def test_a_private_address_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(NotPublic):
        Guard().parts(url)


def test_a_named_host_may_be_private_and_plain() -> None:
    guard = Guard(["Printer.lan", "127.0.0.1"])
    assert guard.parts("http://printer.LAN:631/hook").hostname == "printer.lan"
    assert guard.parts("http://127.0.0.1/").hostname == "127.0.0.1"
    with pytest.raises(Refused):
        guard.parts("http://127.0.0.2/")


async def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    guard = Guard(resolve=Names([PUBLIC, "10.0.0.5"]))
    with pytest.raises(NotPublic):
        await guard.addresses("example.com", 443)


async def sent(guard: Guard, url: str) -> tuple[str, str]:
    post = Post(guard, deadline=20)
    try:
        outcome = await post.send(url, {}, b"{}", NOW)
    finally:
        await post.close()
    return outcome.kind, outcome.detail


async def test_a_name_that_resolves_to_a_private_address_gets_nothing() -> None:
    async with house() as inside:
        names = Names(["127.0.0.1"])
        kind, detail = await sent(Guard(resolve=names), f"https://example.com:{inside.port}/")
        assert kind == "refused" and "not public" in detail and names.asked == 1
        assert inside.came == []


async def test_a_name_that_turns_private_the_second_time_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the name is asked for once, and what was checked is what is connected to."""
    async with house() as inside:
        names = Names([PUBLIC], ["127.0.0.1"])
        guard = Guard(resolve=names)
        connected: list[str] = []

        async def connect(self: object, host: str, port: int, *rest: object) -> object:
            connected.append(host)
            raise ConnectionRefusedError("the test lets nothing out")

        monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", connect)
        assert (await sent(guard, f"https://example.com:{inside.port}/"))[0] == "failed"
        assert connected == [PUBLIC] and names.asked == 1
        assert (await sent(guard, f"https://example.com:{inside.port}/"))[0] == "refused"
        assert connected == [PUBLIC] and inside.came == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_wherever_it_leads(status: int) -> None:
    async with house() as outside, house() as inside:
        outside.answer = lambda _: ok(status, location=f"http://127.0.0.1:{inside.port}/secret")
        kind, detail = await sent(Guard(["127.0.0.1"]), outside.address)
        assert kind == "refused" and "redirect" in detail
        assert len(outside.came) == 1 and inside.came == []


async def test_an_unknown_name_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    kind, detail = await sent(Guard(resolve=unknown), "https://example.com/")
    assert kind == "failed" and "not known" in detail


async def test_another_address_of_a_host_is_tried_when_the_first_does_not_answer() -> None:
    async with house() as inside:
        guard = Guard(["shop.lan"], resolve=Names(["127.0.0.2", "127.0.0.1"]))
        assert (await sent(guard, f"http://shop.lan:{inside.port}/"))[0] == "sent"
        assert inside.came[0].headers["host"] == f"shop.lan:{inside.port}"
