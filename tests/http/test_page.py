"""The page, the documentation and the headers of every answer."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.place import ORIGIN, Place

HTML = {"accept": "text/html,*/*"}
INDEX = "<!doctype html><title>Stockwire</title>" + "<!-- page -->" * 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built page."""
    built = tmp_path / "dashboard"
    for name, text in {
        "index.html": INDEX,
        "assets/index-abc123.js": "console.log(1);" * 100,
        "favicon.svg": "<svg/>",
        "docs/swagger-ui-bundle.js": "var SwaggerUIBundle;",
        "docs/swagger-ui.css": "a{}",
        ".vite/manifest.json": "{}",
    }.items():
        file = built / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "secret.txt").write_text("secret")
    return built


@pytest.mark.parametrize("path", ["/", "/inventory", "/orders/1001", "/sign-in", "/orders/a%2Fb"])
async def test_every_screen_answers_with_the_page(place: Place, path: str) -> None:
    answer = await place.client.get(path, headers=HTML)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_hashed_files_are_kept_for_ever_and_come_packed(place: Place) -> None:
    answer = await place.client.get("/assets/index-abc123.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == "console.log(1);" * 100


async def test_whoever_asks_for_the_root_gets_the_page(place: Place) -> None:
    assert (await place.client.get("/", headers={"accept": "*/*"})).text == INDEX


@pytest.mark.parametrize("taken", ["", "br", "gzip;q=0", "gzip; q=0.0", "br, GZIP ;Q=0.000"])
async def test_a_client_that_takes_no_gzip_gets_none(place: Place, taken: str) -> None:
    answer = await place.client.get("/assets/index-abc123.js", headers={"accept-encoding": taken})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("taken", ["gzip", "br, gzip;q=0.001", "GZIP; q=1.0", "identity;q=0, gzip"])
async def test_a_client_that_takes_gzip_gets_it(place: Place, taken: str) -> None:
    answer = await place.client.get("/assets/index-abc123.js", headers={"accept-encoding": taken})
    assert answer.headers["content-encoding"] == "gzip"


async def test_a_file_that_did_not_change_is_not_sent_again(place: Place) -> None:
    first = await place.client.get("/", headers=HTML)
    again = await place.client.get("/", headers={**HTML, "if-none-match": f'W/{first.headers["etag"]}, "other"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_head_is_answered_without_a_body(place: Place) -> None:
    answer = await place.client.head("/favicon.svg")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "6")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/.vite/manifest.json",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "//secret.txt",
        "/index.html%00.js",
    ],
)
async def test_what_is_no_file_of_the_page_is_not_found(place: Place, path: str) -> None:
    answer = await place.client.get(ORIGIN + path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_page_takes_no_other_method(place: Place) -> None:
    assert (await place.client.post("/inventory")).status_code == 405


async def test_the_apis_documentation_needs_nothing_from_outside(place: Place) -> None:
    page = await place.client.get("/docs", headers=HTML)
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert "swagger-ui-bundle.js" in page.text
    assert (await place.client.get("/docs/start.js")).status_code == 200
    assert "unsafe-inline" not in page.headers["content-security-policy"].partition("style-src")[0]


async def test_a_problems_type_leads_to_what_it_means(place: Place) -> None:
    problem = (await place.read("/api/v1/none")).json()
    path, _, anchor = problem["type"].partition("#")
    assert f'<h2 id="{anchor}">' in (await place.client.get(path)).text


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/inventory", "/api/v1/openapi.json", "/docs", "/none"])
async def test_every_answer_carries_the_headers_that_keep_people_safe(place: Place, path: str) -> None:
    headers = (await place.client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


async def test_the_page_runs_only_its_own_scripts(place: Place) -> None:
    policy = (await place.client.get("/", headers=HTML)).headers["content-security-policy"]
    for rule in ("default-src 'self'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'"):
        assert rule in policy.split("; ")


async def test_without_a_built_page_it_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path / "none")
    assert "not built" in (await place.client.get("/", headers=HTML)).text
    assert "not built" in (await place.client.get("/docs", headers=HTML)).text
    await place.client.aclose()


async def test_a_packed_twin_of_a_file_is_used(folder: Path) -> None:
    (folder / "favicon.svg.gz").write_bytes(gzip.compress(b"<svg/>"))
    place = Place(folder)
    answer = await place.client.get("/favicon.svg")
    assert (answer.headers["content-encoding"], answer.text) == ("gzip", "<svg/>")
    assert (await place.client.get("/favicon.svg.gz")).status_code == 404
    await place.client.aclose()


# --- health -------------------------------------------------------------------------------------------------------


async def test_health_and_readiness_are_two_things(place: Place) -> None:
    assert (await place.client.get("/healthz")).json() == {"status": "ok"}
    assert (await place.client.get("/readyz")).json() == {"status": "ready"}
    place.unready.append("draining")
    answer = await place.client.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, [{"detail": "draining"}])
    assert (await place.client.get("/healthz")).status_code == 200


async def test_the_status_tells_how_the_server_does(place: Place) -> None:
    await place.tell({"id": "1", "source": "till", "type": "stock.received", "time": "2026-03-25T11:00:00Z",
                      "data": {"sku": "MUG", "quantity": 1}})  # fmt: skip
    status = (await place.read("/api/v1/status")).json()
    assert (status["version"], status["epoch"]) == (place.hub.version, place.hub.epoch)
    assert (status["connections"], status["events_per_minute"]) == (3, 1)
    assert {source["source"]: source["state"] for source in status["sources"]}["till"] == "ok"


# --- the OpenAPI document -----------------------------------------------------------------------------------------


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


async def document(place: Place) -> dict[str, Any]:
    answer = await place.client.get("/api/v1/openapi.json", headers={"origin": ORIGIN})
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


async def test_the_document_has_every_route(place: Place) -> None:
    found = await document(place)
    routes = {
        (route.path_format, method.lower())
        for route in place.api.routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS" and route.path_format != "/api/v1/openapi.json"
    }
    described = {(path, method) for path, item in found["paths"].items() for method in item}
    assert described == routes | {
        (f"/api/v1/{name}", method) for name in ("stream", "poll") for method in ("get", "post")
    }
    assert found["openapi"].startswith("3.1")


async def test_every_operation_says_what_it_is_and_how_it_fails(place: Place) -> None:
    operations = [each for item in (await document(place))["paths"].values() for each in item.values()]
    assert all(each["summary"] and each["tags"] and each["responses"] for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        for status, answer in each["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]


async def test_every_reference_of_the_document_leads_somewhere(place: Place) -> None:
    found = await document(place)
    names = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert set(references(found)) <= names
    assert {f"#/components/schemas/{name}" for name in ("Event", "Problem", "InventoryPage", "Order")} <= names
