"""The program's commands run inside the test: what they print and the code they end with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from stockwire.cli import app


class Ended(NamedTuple):
    """A command that ran."""

    code: int
    out: str
    err: str


def stockwire(*arguments: str | Path, env: dict[str, str] | None = None, said: bytes | None = None) -> Ended:
    """Run a command to its end. `env` is added to the environment, `said` is its stdin."""
    result = CliRunner().invoke(
        app, [str(each) for each in arguments], env={"COLUMNS": "200"} | (env or {}), input=said
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)
