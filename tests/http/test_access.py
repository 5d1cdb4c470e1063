"""Access over HTTP: who gets in, and who does not."""

import json
from pathlib import Path

import httpx
import pytest

from stockwire.core.errors import TooMany, Unauthenticated
from stockwire.engine.access import Headers
from stockwire.log.access import Access as Store
from stockwire.transport.http import Access
from stockwire.transport.http.limits import FAILURE_SECONDS, FAILURES
from tests.http.place import ELSEWHERE, HOST, ORIGIN, Cabinet, Place, received

READS = [
    "/api/v1/inventory",
    "/api/v1/orders",
    "/api/v1/orders/1",
    "/api/v1/inventory/MUG/main/movements",
    "/api/v1/metrics",
    "/api/v1/hours",
    "/api/v1/sources",
    "/api/v1/status",
    "/api/v1/session",
]


async def sign_in(place: Place, token: str = "once", **headers: str) -> httpx.Response:
    return await place.client.post("/api/v1/session", json={"token": token}, headers={"origin": ORIGIN, **headers})


@pytest.mark.parametrize("path", READS)
async def test_nobody_reads_without_a_key_or_a_session(place: Place, path: str) -> None:
    answer = await place.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", READS)
async def test_a_key_that_may_only_send_reads_nothing(place: Place, path: str) -> None:
    assert (await place.read(path, authorization="Bearer swk_till")).status_code == 403


async def test_a_sign_in_link_opens_a_session_once(place: Place) -> None:
    assert (await sign_in(place)).json() == {"name": "owner"}
    assert (await place.client.get("/api/v1/session")).json() == {"name": "owner"}
    assert (await place.client.get("/api/v1/inventory")).status_code == 200
    assert (await sign_in(place)).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(place: Place) -> None:
    cookie = (await sign_in(place)).headers["set-cookie"]
    assert cookie.startswith("stockwire_8420=")
    assert cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")


def test_under_tls_the_cookie_is_secure() -> None:
    access = Access(Cabinet(), origins=["https://stock.example"], monotonic=lambda: 0.0)
    pairs = [(b"origin", b"https://stock.example"), (b"host", b"stock.example")]
    cookie, _ = access.sign_in(Headers(pairs, "1.2.3.4"), "once")
    assert cookie.header.startswith("stockwire=")
    assert cookie.header.endswith("; Secure")


@pytest.mark.parametrize("other", ['prefs={"sort":"asc"}', "path=/", "seen", "name=two words", "=", ""])
async def test_whatever_cookies_other_servers_of_the_host_left_the_session_is_found(place: Place, other: str) -> None:
    session = (await sign_in(place)).headers["set-cookie"].partition(";")[0]
    place.client.cookies.clear()
    answer = await place.client.get("/api/v1/inventory", headers={"cookie": f"{other}; {session}; {other}"})
    assert answer.status_code == 200


async def test_signing_out_ends_the_session(place: Place) -> None:
    await sign_in(place)
    answer = await place.client.delete("/api/v1/session", headers={"origin": ORIGIN})
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert place.cabinet.sessions == {}
    assert (await place.client.get("/api/v1/session")).status_code == 401


async def test_a_cookie_changes_nothing_without_the_page(place: Place) -> None:
    await sign_in(place)
    assert (await place.client.delete("/api/v1/session")).status_code == 403
    assert len(place.cabinet.sessions) == 1


async def test_a_session_sends_no_events(place: Place) -> None:
    await sign_in(place)
    answer = await place.client.post("/api/v1/events", json=received("1"), headers={"origin": ORIGIN})
    assert answer.status_code == 401
    assert place.stored == 0


@pytest.mark.parametrize(
    "origin", [ELSEWHERE, "null", ORIGIN + ".evil.example", ORIGIN.upper(), ORIGIN + "/", "https://" + HOST]
)
async def test_a_foreign_page_is_refused(place: Place, origin: str) -> None:
    await sign_in(place)
    answer = await place.client.get("/api/v1/inventory", headers={"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "127.0.0.1", ""])
async def test_a_foreign_name_for_this_server_is_refused(place: Place, host: str) -> None:
    session = (await sign_in(place)).headers["set-cookie"].partition(";")[0].partition("=")[2]
    cookies = f"stockwire={session}; stockwire_8420={session}"
    for headers in ({"host": host, "cookie": cookies}, {"host": host, "cookie": cookies, "origin": ORIGIN}):
        answer = await place.client.get("/api/v1/inventory", headers=headers)
        assert answer.status_code in (401, 403)


async def test_a_program_may_use_any_name_of_the_server(place: Place) -> None:
    assert (await place.read("/api/v1/inventory", host="stockwire.internal")).status_code == 200


async def test_a_revoked_key_is_refused_at_once(place: Place) -> None:
    await place.tell(received("1"))
    del place.cabinet.keys["swk_till"]
    assert (await place.post(json.dumps(received("2")))).status_code == 401


async def test_an_address_that_guesses_keys_is_not_heard_for_a_while(place: Place) -> None:
    for number in range(FAILURES):
        assert (await place.read("/api/v1/inventory", authorization=f"Bearer swk_{number}")).status_code == 401
    asked = place.cabinet.asked
    answer = await place.read("/api/v1/inventory", authorization="Bearer swk_next")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "61")
    assert place.cabinet.asked == asked
    place.seconds += FAILURE_SECONDS
    assert (await place.read("/api/v1/inventory")).status_code == 200


async def test_whoever_worked_before_works_on_beside_a_guesser(place: Place) -> None:
    await place.read("/api/v1/inventory")
    for number in range(FAILURES + 1):
        await place.read("/api/v1/inventory", authorization=f"Bearer swk_{number}")
    assert (await place.read("/api/v1/inventory")).status_code == 200
    assert (await sign_in(place)).status_code == 429


async def test_sign_in_tokens_cannot_be_guessed_for_long(place: Place) -> None:
    answers = [await sign_in(place, f"guess {number}") for number in range(FAILURES + 1)]
    assert [answer.status_code for answer in answers] == [401] * FAILURES + [429]


def test_one_address_does_not_block_another(place: Place) -> None:
    def ask(address: str, key: bytes) -> None:
        place.access.reader(Headers([(b"authorization", b"Bearer " + key)], address))

    for _ in range(FAILURES):
        with pytest.raises(Unauthenticated):
            ask("10.0.0.1", b"swk_guess")
    with pytest.raises(TooMany):
        ask("10.0.0.1", b"swk_guess")
    ask("10.0.0.2", b"swk_screen")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"token": 1}', b'{"token": ""}', b'{"token": NaN}', b"{" * 5_000, b'"once"']
)
async def test_a_sign_in_of_another_form_is_refused(place: Place, body: bytes) -> None:
    headers = {"origin": ORIGIN, "content-type": "application/json"}
    answer = await place.client.post("/api/v1/session", content=body, headers=headers)
    assert answer.status_code in (400, 413)
    assert "set-cookie" not in answer.headers


async def test_a_form_of_another_site_cannot_sign_in(place: Place) -> None:
    answer = await place.client.post(
        "/api/v1/session", content=b'{"token": "once"}', headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 415
    assert (await sign_in(place, origin=ELSEWHERE)).status_code == 403
    assert "once" in place.cabinet.tokens


def test_the_store_on_disk_opens_the_same_doors(tmp_path: Path) -> None:
    store = Store(tmp_path / "access.db")
    access = Access(store, origins=[ORIGIN], monotonic=lambda: 0.0)
    page = [(b"origin", ORIGIN.encode()), (b"host", HOST.encode())]
    key = store.create_key("till", ["ingest"])
    cookie, holder = access.sign_in(Headers(page, "10.0.0.1"), store.create_link())
    session = cookie.header.partition(";")[0].encode()
    assert access.producer(Headers([(b"authorization", f"Bearer {key}".encode())], "10.0.0.1")).name == "till"
    assert access.reader(Headers([*page, (b"cookie", b"a=b; " + session)], "10.0.0.1")).name == holder.name
    access.sign_out(Headers([*page, (b"cookie", session)], "10.0.0.1"))
    with pytest.raises(Unauthenticated):
        access.reader(Headers([*page, (b"cookie", session)], "10.0.0.1"))
    store.close()
