"""python-socketio on uvicorn, WebSocket alone. `python_socketio_server.py PORT`."""

import sys

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], ping_interval=600)
streams = socketio.ASGIApp(server)


async def application(scope, receive, send):
    """The streams, and a way to publish."""
    if scope["type"] != "http" or scope["path"] != "/publish":
        await streams(scope, receive, send)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await server.emit("m", body.decode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


uvicorn.run(application, port=int(sys.argv[1]), loop="uvloop", http="httptools", backlog=4_096, access_log=False,
            log_level="warning")  # fmt: skip
