"""Starlette with sse-starlette on uvicorn: a queue and a generator per reader. `sse_starlette_server.py PORT`."""

import asyncio
import sys

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

queues = set()


async def events(queue):
    """What one reader gets."""
    try:
        while True:
            yield {"data": await queue.get()}
    finally:
        queues.discard(queue)


async def stream(request):
    """A reader."""
    queue = asyncio.Queue()
    queues.add(queue)
    return EventSourceResponse(events(queue))


async def publish(request):
    """Give it to everybody's queue."""
    text = (await request.body()).decode()
    for queue in queues:
        queue.put_nowait(text)
    return PlainTextResponse("ok")


application = Starlette(routes=[Route("/sse", stream), Route("/publish", publish, methods=["POST"])])
uvicorn.run(application, port=int(sys.argv[1]), loop="uvloop", http="httptools", backlog=4_096, access_log=False,
            log_level="warning")  # fmt: skip
