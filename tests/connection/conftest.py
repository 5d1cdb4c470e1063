"""One of each for all tests of this folder: a browser, a server with stock, and a way to it that goes wrong on command.

Starting them costs more than most tests do. A test finds them as if they were new: ten products, 1,000 of each, the server
up and the way whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.connection.faults import FaultProxy, faulty
from tests.connection.screen import serving
from tests.connection.stock import restock
from tests.e2e.browser import launched
from tests.running import Running, free_port


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What starts browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser as it comes. Each test has its own profile in it."""
    with launched(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, FaultProxy, FaultProxy]]:
    """A server and two ways to it, for all tests."""
    port = free_port()
    with faulty(port) as proxy, faulty(port) as other:
        server = serving(tmp_path_factory.mktemp("shop") / "data", proxy.url, other.url, port=port).start()
        try:
            yield server, proxy, other
        finally:
            server.kill()


@pytest.fixture
def server(ways: tuple[Running, FaultProxy, FaultProxy]) -> Running:
    """The server, which the test may also take down."""
    server, *_ = ways
    if not server.runs:
        server.start()
    restock(server)
    return server


@pytest.fixture
def proxy(server: Running, ways: tuple[Running, FaultProxy, FaultProxy]) -> Iterator[FaultProxy]:
    """A way to the server."""
    _, proxy, _ = ways
    yield proxy
    proxy.heal()
    proxy.cut()


@pytest.fixture
def other(server: Running, ways: tuple[Running, FaultProxy, FaultProxy]) -> FaultProxy:
    """Another way to the same server, which stays whole."""
    return ways[2]
