"""picows: a WebSocket in Cython over asyncio. `picows_server.py PORT`; it is published to on PORT + 1."""

import sys

import uvloop
from picows import WSListener, WSMsgType, ws_create_server
from publishing import listen

readers = {}


class Reader(WSListener):
    """A connection."""

    def on_ws_connected(self, transport):
        self.transport = transport
        readers[transport] = None

    def on_ws_disconnected(self, transport):
        readers.pop(transport, None)


def broadcast(body):
    """Send to everybody."""
    for transport in readers:
        transport.send(WSMsgType.TEXT, body)


async def main(port):
    await listen(port + 1, broadcast)
    server = await ws_create_server(lambda request: Reader(), "127.0.0.1", port, backlog=4_096)
    await server.serve_forever()


uvloop.run(main(int(sys.argv[1])))
