from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http.place import Place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the built page: empty."""
    return tmp_path


@pytest.fixture
async def place(folder: Path) -> AsyncIterator[Place]:
    made = Place(folder)
    await made.start()
    yield made
    await made.stop()
