"""aiohttp's WebSocket. `aiohttp_server.py PORT`."""

import asyncio
import sys

import uvloop
from aiohttp import web

readers = set()


async def reader(request):
    """A connection."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    readers.add(socket)
    try:
        async for _ in socket:
            pass
    finally:
        readers.discard(socket)
    return socket


async def publish(request):
    """Send to everybody."""
    text = (await request.read()).decode()
    for socket in list(readers):
        await socket.send_str(text)
    return web.Response(text="ok")


async def main(port):
    application = web.Application()
    application.add_routes([web.get("/ws", reader), web.post("/publish", publish)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4_096).start()
    await asyncio.get_running_loop().create_future()


uvloop.run(main(int(sys.argv[1])))
