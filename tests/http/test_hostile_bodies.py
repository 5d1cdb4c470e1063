"""What nobody should send: each is refused clearly, nothing is stored, and it is never the server's fault."""

import gzip
import json
from typing import Any

import pytest

from stockwire.core.errors import Refused
from tests.http.place import Place, event, placed, received

GOOD = received("good")
NDJSON = "application/x-ndjson"
JSON = "application/json"


def raw(text: str, **members: str) -> bytes:
    """The good event with members of `data` written by hand."""
    data = ", ".join(f'"{name}": {value}' for name, value in {"sku": '"MUG"', "quantity": "1", **members}.items())
    return (
        '{"id": "1", "source": "till", "type": "stock.received", "time": "2026-03-25T11:00:00Z", '
        f'"data": {{{data}}}{text}}}'
    ).encode()


def envelope(**members: Any) -> bytes:
    """The good event with other envelope members; None leaves one out."""
    return json.dumps({name: value for name, value in {**GOOD, **members}.items() if value is not None}).encode()


def data(**members: Any) -> bytes:
    """The good event with other members of `data`; None leaves one out."""
    return envelope(data={name: value for name, value in {**GOOD["data"], **members}.items() if value is not None})


def order(**members: Any) -> bytes:
    """An order with other members of `data`."""
    good = placed("1")
    return json.dumps({**good, "data": {**good["data"], **members}}).encode()


def line(**members: Any) -> bytes:
    """An order whose line has other members."""
    return order(lines=[{"sku": "MUG", "quantity": 1, **members}])


BODIES: dict[str, bytes] = {
    # no JSON
    "an empty body": b"",
    "nothing but spaces": b"   ",
    "half an object": b'{"id": "1", "source"',
    "something behind the object": json.dumps(GOOD).encode() + b" x",
    "two objects": json.dumps(GOOD).encode() * 2,
    "a comma too many": b"[1,]",
    "single quotes": b"{'id': 1}",
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "bytes that are no UTF-8": raw("").replace(b"MUG", b"M\xff\xfeG"),
    "an overlong UTF-8 slash": raw("").replace(b"MUG", b"M\xc0\xafG"),
    "a raw surrogate": raw("").replace(b"MUG", b"M\xed\xa0\x80G"),
    "a raw control character": raw("").replace(b"MUG", b"M\x01G"),
    "a form": b"id=1&source=till",
    "XML": b"<?xml version='1.0'?><event/>",
    # no events
    "null": b"null",
    "a number": b"42",
    "a text": b'"stock.received"',
    "an array of numbers": b"[1, 2, 3]",
    "an array in an array": json.dumps([[GOOD]]).encode(),
    "an empty object": b"{}",
    # numbers
    "NaN": raw("", quantity="NaN"),
    "Infinity": raw("", quantity="Infinity"),
    "minus Infinity": raw("", quantity="-Infinity"),
    "NaN as a text": data(quantity="NaN"),
    "a number with a million digits": raw("", quantity="9" * 1_000_000),
    "a fraction with ten thousand digits": raw("", quantity="0." + "1" * 10_000),
    "an exponent beyond anything": raw("", quantity="1e999999999999999999999"),
    "a huge exponent": raw("", quantity="1e400"),
    "a tiny exponent": raw("", quantity="1e-400"),
    "an integer beyond 2^53": raw("", quantity="9007199254740993"),
    "a quantity over 10^12": raw("", quantity="1000000000001"),
    "a quantity with four decimals": raw("", quantity="1.2345"),
    "a negative quantity that must be above zero": raw("", quantity="-1"),
    "a quantity of zero": raw("", quantity="0"),
    "a leading zero": raw("", quantity="01"),
    "a hexadecimal number": raw("", quantity="0x10"),
    "a number with underscores in a text": data(quantity="1_000"),
    "Arabic digits": data(quantity="١٢"),
    "money with five decimals": raw("", unit_cost='"6.95001"'),
    "money with a currency sign": data(unit_cost="€ 6.95"),
    "money with a decimal comma": data(unit_cost="6,95"),
    "a huge integer in an attribute nobody reads": raw(', "trace": 99999999999999999999999'),
    # types
    "a quantity that is true": raw("", quantity="true"),
    "a quantity that is null": raw("", quantity="null"),
    "a quantity that is a list": raw("", quantity="[1]"),
    "a quantity that is an object": raw("", quantity='{"value": 1}'),
    "a SKU that is a number": data(sku=42),
    "an empty SKU": data(sku=""),
    "a SKU of 201 characters": data(sku="M" * 201),
    "no SKU": data(sku=None),
    "an unknown field": data(colour="red"),
    "a field of a prototype": data(__proto__={"admin": True}),
    "an unknown reason": data(reason="because"),
    "data that is a text": envelope(data="sku=MUG"),
    "data that is a list": envelope(data=[1]),
    "no data": envelope(data=None),
    "data in base64": envelope(data=None, data_base64="e30="),
    # texts
    "a text over 4,096 characters": data(note="n" * 4_097),
    "a long text in an attribute nobody reads": envelope(trace="t" * 4_097),
    "half a surrogate pair": raw("", sku='"\\ud800"'),
    "surrogates the wrong way round": raw("", sku='"\\udc00\\ud800"'),
    "half a surrogate pair as a name": raw(', "\\udfff": 1'),
    "U+0000 in a SKU": raw("", sku='"A\\u0000B"'),
    "U+0000 in a location": raw("", location='"\\u0000"'),
    "U+0000 in an id": envelope(id="1\0"),
    "a script in a SKU": data(sku="<script>alert(1)</script>"),
    "an image with a handler in a location": data(location="<img src=x onerror=alert(1)>"),
    "a script in a product's name": json.dumps(
        event("1", "product.updated", sku="MUG", name="Mug</td><script>alert(1)</script>")
    ).encode(),
    "a script in a source": envelope(source="<svg/onload=alert(1)>"),
    # structure
    "a member twice": raw("", **{"quantity": '1, "quantity": 2'}),
    "an id twice": raw(', "id": "2"'),
    "a member twice, deep inside what nobody reads": raw(', "trace": {"a": {"b": 1, "b": 2}}'),
    "33 levels": raw(', "trace": ' + "[" * 33 + "]" * 33),
    "a hundred thousand open brackets": b"[" * 100_000,
    "a hundred thousand levels": b"[" * 100_000 + b"]" * 100_000,
    "a hundred thousand objects in each other": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    # envelope
    "no id": envelope(id=None),
    "an empty id": envelope(id=""),
    "an id that is a number": envelope(id=1),
    "an id of 201 characters": envelope(id="i" * 201),
    "no source": envelope(source=None),
    "Stockwire's own source": envelope(source="stockwire"),
    "no type": envelope(type=None),
    "an unknown type": envelope(type="stock.stolen"),
    "a type of this program alone": json.dumps(event("1", "clock.ticked")).encode(),
    "settings as an event": json.dumps(
        event("1", "shop.configured", timezone="UTC", currency="EUR", allowed_minutes={})
    ).encode(),
    "another specversion": envelope(specversion="0.3"),
    "a specversion that is a number": raw(', "specversion": 1.0'),
    # times
    "no time": envelope(time=None),
    "a time that is a number": envelope(time=1774447331),
    "a time without an offset": envelope(time="2026-03-25T11:00:00"),
    "a day": envelope(time="2026-03-25"),
    "the 30th of February": envelope(time="2026-02-30T11:00:00Z"),
    "a 25th hour": envelope(time="2026-03-25T25:00:00Z"),
    "a time six minutes ahead": envelope(time="2026-03-25T12:06:00Z"),
    "a time in ten years": envelope(time="2036-03-25T12:00:00Z"),
    "a time ahead by its offset": envelope(time="2026-03-25T12:00:00-01:00"),
    "the end of time": envelope(time="9999-12-31T23:59:59-23:59"),
    "the beginning of time": envelope(time="0001-01-01T00:00:00+23:59"),
    "a time in Arabic digits": envelope(time="٢٠٢٦-03-25T11:00:00Z"),
    "a time of many words": envelope(time="2026-03-25T11:00:00Z" + " " * 1_000),
    # orders
    "an order without a currency": order(currency=None),
    "an unknown currency form": order(currency="euro"),
    "an unknown status": order(status="teleported"),
    "a line that is a number": order(lines=[1]),
    "lines that are an object": order(lines={"1": {}}),
    "a line named twice": order(lines=[{"line": "1", "sku": "A", "quantity": 1}, {"line": "1", "sku": "B", "quantity": 1}]),
    "a line with a negative quantity": line(quantity=-1),
    "a line with a negative price": line(unit_price="-1"),
    "a line with an unknown field": line(price="1"),
    "a promise at no time": order(promised_at="tomorrow"),
    "a promise after the end of time": order(promised_at="9999-12-31T23:59:59-23:59"),
    "a thousand and one lines": order(lines=[{"sku": "A", "quantity": 1}] * 1_001),
    "a transfer to where it came from": json.dumps(
        event("1", "stock.transferred", sku="A", quantity=1, **{"from": "main", "to": "main"})
    ).encode(),
    # batches
    "one bad event among good ones": json.dumps([GOOD, {**GOOD, "id": ""}, received("other")]).encode(),
    "a thousand and one events": json.dumps([received(str(number)) for number in range(1_001)]).encode(),
    "more than a mebibyte": json.dumps([received(str(number), note="n" * 4_000) for number in range(300)]).encode(),
    "a mebibyte of spaces": b" " * (1024 * 1024 + 1),
}  # fmt: skip

BLANK = ("an empty body", "nothing but spaces", "a mebibyte of spaces")
LINES = {name: body for name, body in BODIES.items() if name not in BLANK}
"""What is as wrong on a line of NDJSON as it is by itself; there, blanks are nothing."""

SENDINGS: dict[str, tuple[bytes, dict[str, str]]] = {
    "no Content-Type": (json.dumps(GOOD).encode(), {"content-type": ""}),
    "a form's Content-Type": (json.dumps(GOOD).encode(), {"content-type": "application/x-www-form-urlencoded"}),
    "plain text": (json.dumps(GOOD).encode(), {"content-type": "text/plain"}),
    "a multipart form": (b"--x\r\n", {"content-type": "multipart/form-data; boundary=x"}),
    "JSON in another charset": (json.dumps(GOOD).encode("utf-16"), {"content-type": "application/json; charset=utf-16"}),
    "Brotli": (json.dumps(GOOD).encode(), {"content-encoding": "br"}),
    "two codings": (json.dumps(GOOD).encode(), {"content-encoding": "gzip, gzip"}),
    "gzip that is none": (json.dumps(GOOD).encode(), {"content-encoding": "gzip"}),
    "half a gzip body": (gzip.compress(json.dumps(GOOD).encode())[:-9], {"content-encoding": "gzip"}),
    "something behind the gzip": (gzip.compress(json.dumps(GOOD).encode()) + b"more", {"content-encoding": "gzip"}),
    "a gzip bomb": (gzip.compress(b" " * 200_000_000, 9), {"content-encoding": "gzip"}),
    "a gzip bomb of blank lines": (
        gzip.compress(b"\n" * 50_000_000, 9),
        {"content-encoding": "gzip", "content-type": NDJSON},
    ),
    "an endless line of NDJSON": (b"[" * 3_000_000, {"content-type": NDJSON}),
    "NDJSON that is an array over lines": (b"[\n" + json.dumps(GOOD).encode() + b"\n]", {"content-type": NDJSON}),
    "NDJSON of two objects on a line": (json.dumps(GOOD).encode() * 2, {"content-type": NDJSON}),
    "a batch that is no array": (json.dumps(GOOD).encode(), {"content-type": "application/cloudevents-batch+json"}),
    "an event that is an array": (json.dumps([GOOD]).encode(), {"content-type": "application/cloudevents+json"}),
    "a Content-Length that lies": (json.dumps(GOOD).encode(), {"content-length": "99999999999999999999"}),
    "a key that may only read": (json.dumps(GOOD).encode(), {"authorization": "Bearer swk_screen"}),
    "a key nobody made": (json.dumps(GOOD).encode(), {"authorization": "Bearer swk_guess"}),
    "a password": (json.dumps(GOOD).encode(), {"authorization": "Basic YTpi"}),
    "an empty key": (json.dumps(GOOD).encode(), {"authorization": "Bearer "}),
    "a key of ten thousand characters": (json.dumps(GOOD).encode(), {"authorization": "Bearer " + "k" * 10_000}),
    "a foreign page": (json.dumps(GOOD).encode(), {"origin": "http://evil.example"}),
    "a page of no origin": (json.dumps(GOOD).encode(), {"origin": "null"}),
}  # fmt: skip


def codes(kind: type[Refused] = Refused) -> dict[str, int]:
    """Every code of a refusal with its status."""
    found = {kind.code: kind.status}
    for child in kind.__subclasses__():
        found |= codes(child)
    return found


async def refused(place: Place, body: bytes, **headers: str) -> dict[str, Any]:
    """The problem the body is answered with; nothing may have been stored."""
    sent = {"content_type": headers.pop("content-type", JSON), **headers}
    answer = await place.post(body, **sent)
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert codes()[problem["code"]] == problem["status"] == answer.status_code, answer.text
    assert problem["type"] == f"/docs/errors#{problem['code']}"
    assert problem["title"] and problem["detail"]
    assert place.stored == 0
    return problem


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_hostile_body_is_refused(place: Place, body: bytes) -> None:
    await refused(place, body)


@pytest.mark.parametrize("body", LINES.values(), ids=LINES.keys())
async def test_a_hostile_line_is_refused(place: Place, body: bytes) -> None:
    await refused(place, body, **{"content-type": NDJSON})


@pytest.mark.parametrize(("body", "headers"), SENDINGS.values(), ids=SENDINGS.keys())
async def test_a_hostile_sending_is_refused(place: Place, body: bytes, headers: dict[str, str]) -> None:
    await refused(place, body, **headers)


async def test_every_bad_event_of_a_batch_is_named_by_its_index(place: Place) -> None:
    bodies = [json.loads(BODIES[name]) for name in ("no id", "an unknown type", "a day", "an unknown field")]
    problem = await refused(place, json.dumps([GOOD, *bodies, received("other")]).encode())
    assert [found["index"] for found in problem["problems"]] == [1, 2, 3, 4]


async def test_a_flaw_is_named_with_the_path_to_it(place: Place) -> None:
    body = order(lines=[{"sku": "A", "quantity": 1}, {"sku": "B\0", "quantity": 1}])
    problem = await refused(place, b"[" + body + b"]")
    assert problem["problems"] == [{"index": 0, "path": "data.lines[1].sku", "detail": "a text holds U+0000"}]


async def test_free_text_may_hold_markup(place: Place) -> None:
    await place.tell(received("1", note="<b>not bold</b>"))
    assert place.stored == 1


async def test_an_error_of_ours_tells_nothing_of_itself(place: Place) -> None:
    async def broken(events: Any) -> Any:
        raise RuntimeError("a secret")

    place.ingest.submit = broken  # type: ignore[method-assign]
    answer = await place.post(json.dumps(GOOD))
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "secret" not in answer.text
