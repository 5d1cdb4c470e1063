"""A post: what a process of the server is to be, as the supervisor tells it, and how the process answers.

The post comes as JSON on standard input. The answer is one line of JSON on a pipe: that it is ready, or which error it met.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Literal

import msgspec

from stockwire.core.errors import Failed, StockwireError, error_of
from stockwire.settings import Settings

Role = Literal["writer", "worker"]


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One process's part. Members that are descriptors are open in it."""

    role: Role
    settings: Settings
    lifeline: int
    """Ends when the supervisor does."""
    ready: int
    """Where the answer goes."""
    census: int
    places: int
    place: int
    """The census's descriptor, how many places it has, and this process's."""
    listener: int | None = None
    """The socket that a worker accepts on."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: ready, or an error by its code."""

    ready: bool
    code: str = ""
    detail: str = ""


def written(post: Post) -> bytes:
    """The post as it goes to standard input."""
    return msgspec.json.encode(post, enc_hook=str)


def read(text: bytes) -> Post:
    """The inverse of `written`."""
    return msgspec.json.decode(text, type=Post, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


def tell(post: Post, error: StockwireError | None = None) -> None:
    """Answer the supervisor, once."""
    told = Told(ready=True) if error is None else Told(ready=False, code=error.code, detail=error.detail)
    os.write(post.ready, msgspec.json.encode(told) + b"\n")
    os.close(post.ready)


def told(line: bytes) -> None:
    """Understand an answer. Raises the error that the process met, or Failed when it ended without a word."""
    if not line:
        raise Failed("a process of the server ended before it was ready; its message is above")
    answer = msgspec.json.decode(line, type=Told)
    if not answer.ready:
        raise error_of(answer.code, answer.detail)


def end_with_supervisor(post: Post) -> None:
    """Have this process end at once when the supervisor is gone: nobody would heal or stop it."""

    def wait() -> None:
        os.read(post.lifeline, 1)
        os._exit(1)

    threading.Thread(target=wait, name="stockwire-lifeline", daemon=True).start()
