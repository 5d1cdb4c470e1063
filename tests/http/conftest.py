from collections.abc import AsyncIterator

import pytest

from tests.http.place import Place


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    yield made
    await made.client.aclose()
