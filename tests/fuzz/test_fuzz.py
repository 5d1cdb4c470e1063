"""No bytes break a parser: Atheris looks for some that do, along the branches they take, beginning with the seeds."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.harnesses import HARNESSES, any_of_them

RUNS = int(os.environ.get("STOCKWIRE_FUZZ_RUNS", "20000"))
SEED = os.environ.get("STOCKWIRE_SEED", "1")
SEEDS = Path(__file__).parent / "seeds"
LONGEST = 2_048
ATHERIS = importlib.util.find_spec("atheris") is not None


def seeds(name: str) -> list[bytes]:
    """The seeds of a harness; those that are no text are kept in hexadecimal."""
    paths = sorted((SEEDS / name).iterdir())
    return [bytes.fromhex(path.read_text()) if path.suffix == ".hex" else path.read_bytes() for path in paths]


def chosen() -> list[bytes]:
    """Every seed, behind the byte that chooses its harness."""
    return [bytes((at,)) + seed for at, name in enumerate(HARNESSES) for seed in seeds(name)]


@pytest.mark.parametrize("name", HARNESSES)
def test_no_seed_breaks_a_parser(name: str) -> None:
    assert seeds(name)
    for seed in seeds(name):
        HARNESSES[name](seed)


def test_nothing_that_is_found_breaks_a_parser(tmp_path: Path) -> None:
    if ATHERIS:
        by_branches(tmp_path)
    else:
        by_chance()


def by_branches(directory: Path) -> None:
    """Let Atheris search from the seeds on; what it finds on the way stays in the directory."""
    for number, seed in enumerate(chosen()):
        (directory / f"seed-{number}").write_bytes(seed)
    options = [f"-runs={RUNS}", f"-seed={SEED}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=1024"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *options, f"-artifact_prefix={directory}/", str(directory)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    assert f"Done {RUNS}" in done.stderr


def by_chance() -> None:
    """Let Hypothesis draw, where there is no Atheris: bytes, and seeds with a piece exchanged."""
    altered = st.builds(
        lambda seed, at, piece: seed[: at % (len(seed) + 1)] + piece + seed[at % (len(seed) + 1) + len(piece) :],
        st.sampled_from(chosen()),
        st.integers(0, LONGEST),
        st.binary(max_size=8),
    )

    @settings(max_examples=RUNS // 10, deadline=None)
    @example(b"")
    @given(st.binary(max_size=LONGEST) | altered)
    def holds(data: bytes) -> None:
        any_of_them(data)

    holds()
