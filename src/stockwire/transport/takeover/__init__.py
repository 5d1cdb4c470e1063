"""The streams close to the kernel: requests for `/api/v1/ws` and `/api/v1/stream` leave uvicorn after their head.

`http_protocol` gives what `uvicorn.Config(http=...)` makes a connection's protocol with. A request for a stream signs in
and passes admission as any other; then a slim protocol owns the transport and the rounds write prebuilt bytes to it: no
task, no queue, no timer per client. Whatever is not taken over (HTTP/1.0, a mounted application, another server) is
served by the plain ASGI classes with the same sessions.

    Doorway --a stream's head, in one piece--> Reception --> link
       | anything else                            ^
       v                                          |
    Requests (uvicorn's) --a request for a stream-+
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from stockwire.engine.access import Authorise
from stockwire.engine.streams import Streams
from stockwire.transport.takeover.doorway import Doorway, Porch, Uvicorns
from stockwire.transport.takeover.reception import Reception


def http_protocol(streams: Streams, authorise: Authorise) -> Callable[..., asyncio.Protocol]:
    """For `uvicorn.Config(http=...)`, so that it serves the streams itself."""
    reception = Reception(streams, authorise)
    porch = Porch()

    def made(
        config: Config, server_state: ServerState, app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:  # fmt: skip
        uvicorns = Uvicorns(config, server_state, app_state, _loop or asyncio.get_running_loop())
        return Doorway(reception, porch, uvicorns)

    return made


__all__ = ["http_protocol"]
