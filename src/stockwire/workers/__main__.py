"""The program that a process of the server runs: it reads its post and takes it."""

from __future__ import annotations

import logging
import sys

import uvloop

from stockwire.core.errors import StockwireError
from stockwire.workers.post import Post, end_with_supervisor, read, tell


async def _take(post: Post) -> None:
    try:
        if post.role == "writer":
            from stockwire.workers.writer import write

            await write(post)
        else:
            from stockwire.workers.worker import work

            await work(post)
    except StockwireError as error:
        tell(post, error)
        raise SystemExit(1) from error


def main() -> None:
    """Take the post on standard input."""
    post = read(sys.stdin.buffer.read())
    logging.basicConfig(
        format=f"%(levelname)s {post.role} {post.place}: %(message)s", level=post.settings.log_level.upper()
    )
    end_with_supervisor(post)
    uvloop.run(_take(post))


if __name__ == "__main__":
    main()
