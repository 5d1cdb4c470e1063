"""The client as others get it: packed, its README's example in Node, and a page without any framework in Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.clients.test_guide import Reader
from tests.connection.nginx import FRIENDLY, nginx
from tests.connection.screen import PATIENCE, serving
from tests.running import Running, event, free_port, snapshot

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "frontend" / "dist" / "package"
COMPILER = ROOT / "frontend" / "node_modules" / "typescript" / "bin" / "tsc"

# What a page holds: each is counted where it begins and where it ends.
COUNT = """
  const held = { timers: new Set(), listeners: 0, sockets: new Set(), requests: 0 };
  window.held = () => ({
    timers: held.timers.size,
    listeners: held.listeners,
    sockets: [...held.sockets].filter(({ readyState }) => readyState < 2).length,
    requests: held.requests,
  });
  const { setTimeout: set, clearTimeout: clear, WebSocket: Socket, fetch: ask } = window;
  window.setTimeout = (run, ms) => {
    const id = set(() => { held.timers.delete(id); run(); }, ms);
    held.timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => { held.timers.delete(id); clear(id); };
  window.WebSocket = class extends Socket {
    constructor(...how) { super(...how); held.sockets.add(this); }
  };
  window.fetch = async (url, how) => {
    held.requests += 1;
    how.signal.addEventListener("abort", () => (held.requests -= 1), { once: true });
    return ask(url, how);
  };
  for (const target of [window, document, navigator.connection]) {
    const add = target.addEventListener.bind(target);
    target.addEventListener = (type, hear, how) => {
      held.listeners += 1;
      how.signal.addEventListener("abort", () => (held.listeners -= 1));
      add(type, hear, how);
    };
  }
"""
LIFE = """async (way) => {
  const realtime = await import("/files/realtime.js");
  const { browserEnvironment } = await import("/files/browser.js");
  const before = held();
  const client = realtime.createClient({ environment: browserEnvironment(), transports: [realtime[way]] });
  const view = client.subscribe({ feed: "inventory" }, () => {});
  client.start();
  while (!view.loaded) await new Promise((done) => requestAnimationFrame(done));
  const during = held();
  view.stop();
  client.stop();
  return [before, during, held()];
}"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed the packed client, and nothing else."""
    place = tmp_path_factory.mktemp("project")
    run("npm", "pack", str(PACKAGE), "--pack-destination", str(place), cwd=place)
    (archive,) = place.glob("*.tgz")
    (place / "package.json").write_text('{"type": "module"}')
    run("npm", "install", "--offline", "--no-audit", "--no-fund", str(archive), cwd=place)
    return place


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, int]]:
    """A server, and a port from which its page may be opened too."""
    port = free_port()
    server = serving(tmp_path_factory.mktemp("package") / "data", f"http://127.0.0.1:{port}").start()
    try:
        server.post(snapshot("MUG-01", 3), snapshot("MUG-02", 40))
        yield server, port
    finally:
        server.kill()


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(place: Path) -> Path:
    return place / "node_modules" / "stockwire-realtime"


def example(heading: str) -> str:
    """The first code block under a heading of the package's README."""
    section = (PACKAGE / "README.md").read_text().split(f"\n## {heading}\n", 1)[1]
    return re.search(r"```js\n(.*?)```", section, re.DOTALL)[1]  # type: ignore[index]


def test_the_package_needs_nothing_and_carries_what_it_names(place: Path) -> None:
    manifest = json.loads((installed(place) / "package.json").read_text())
    assert "dependencies" not in manifest
    named = {path for entry in manifest["exports"].values() for path in entry.values()}
    assert [path for path in named if not (installed(place) / path).is_file()] == []
    assert (installed(place) / "LICENSE").is_file()


@pytest.mark.parametrize("resolution", ["bundler", "nodenext"])
def test_the_package_has_types_that_a_strict_compiler_takes(place: Path, resolution: str) -> None:
    code = """
        import { createClient, sse } from "stockwire-realtime";
        import { nodeEnvironment } from "stockwire-realtime/node";
        import { freshnessOf, ranked } from "stockwire-realtime/screen";
        import { rowsOf, type Readable } from "stockwire-realtime/svelte";
        const client = createClient({ environment: nodeEnvironment("http://127.0.0.1"), transports: [sse] });
        const versions: number[] = ranked(client, { feed: "orders" }).rows.map((row) => row.version);
        const stock: Readable<readonly { version: number }[]> = rowsOf(client, { feed: "inventory" });
        const level: "live" | string = freshnessOf(client, Date.now()).level;
        // @ts-expect-error There is no such way.
        client.setPace("hurried");
        console.log(versions, stock, level);
    """
    (place / "use.ts").write_text(code)
    module = "esnext" if resolution == "bundler" else "nodenext"
    run(
        "node", str(COMPILER), "--strict", "--noEmit", "--target", "es2022", "--lib", "es2023,dom",
        "--module", module, "--moduleResolution", resolution, "use.ts", cwd=place,
    )  # fmt: skip


def test_the_readmes_example_runs_in_node(place: Path, addresses: tuple[Running, int]) -> None:
    server, _ = addresses
    (place / "example.js").write_text(example("In Node 20 or newer"))
    command = ["env", f"STOCKWIRE_SERVER={server.url}", "node", str(place / "example.js")]
    with Reader(command, server) as reader:
        reader.until(r"^MUG-01: 3, MUG-02: 40$")
        server.post(event("stock.adjusted", sku="MUG-02", quantity=-2, reason="correction"))
        reader.until(r"^MUG-01: 3, MUG-02: 38$")


@pytest.mark.browser
def test_a_stopped_client_leaves_no_timer_listener_socket_or_request_in_the_browser(
    browser: Browser, place: Path, addresses: tuple[Running, int], tmp_path: Path
) -> None:
    server, port = addresses
    files = tmp_path / "files"
    files.mkdir()
    for script in installed(place).glob("*.js"):
        shutil.copy(script, files)
    (files / "empty.html").write_text("<!doctype html><title>Empty</title>")
    os.chmod(tmp_path, 0o755)
    with nginx(tmp_path / "nginx", server.port, FRIENDLY, port=port, files=files) as proxy:
        url = proxy.url
        page = browser.new_context().new_page()
        page.goto(server.link().replace(server.url, url))
        page.wait_for_url(f"{url}/")
        page.add_init_script(COUNT)
        page.goto(f"{url}/files/empty.html")
        for way in ("websocket", "sse", "poll"):
            before, during, after = page.evaluate(LIFE, way)
            assert during != before
            assert after == before, way
        page.context.close()


@pytest.mark.browser
def test_a_page_without_a_framework_shows_live_stock(
    browser: Browser, place: Path, addresses: tuple[Running, int], tmp_path: Path
) -> None:
    server, port = addresses
    files = tmp_path / "files"
    files.mkdir()
    shutil.copy(ROOT / "examples" / "plain.html", files)
    for script in installed(place).glob("*.js"):
        shutil.copy(script, files)
    os.chmod(tmp_path, 0o755)
    with nginx(tmp_path / "nginx", server.port, FRIENDLY, port=port, files=files) as proxy:
        url = proxy.url
        page = browser.new_context().new_page()
        page.goto(server.link().replace(server.url, url))
        page.wait_for_url(f"{url}/")
        page.goto(f"{url}/files/plain.html")
        line = page.get_by_role("row").filter(has_text="MUG-01")
        expect(line).to_contain_text("3", timeout=PATIENCE)
        expect(page.get_by_role("status")).to_contain_text("live", timeout=PATIENCE)
        server.post(event("stock.adjusted", sku="MUG-01", quantity=-2, reason="correction"))
        expect(line).to_contain_text("1", timeout=PATIENCE)
        server.post(event("stock.adjusted", sku="MUG-01", quantity=20, reason="correction"))
        expect(line).to_have_count(0, timeout=PATIENCE)
        page.context.close()
