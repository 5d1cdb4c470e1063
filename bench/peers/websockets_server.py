"""`websockets` with its `broadcast`. `websockets_server.py PORT`; it is published to on PORT + 1."""

import asyncio
import sys

import uvloop
from publishing import listen
from websockets.asyncio.server import broadcast, serve


async def reader(connection):
    """A connection: nothing is expected from it."""
    await connection.wait_closed()


async def main(port):
    async with serve(reader, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4_096) as server:
        await listen(port + 1, lambda body: broadcast(server.connections, body.decode()))
        await asyncio.get_running_loop().create_future()


uvloop.run(main(int(sys.argv[1])))
