"""Limits of connections: what a client may leave open, unsaid or untaken, and for how long, by name.

docs/reference/limits.md lists them beside those of the HTTP API, and a test compares. Every way to keep a connection
without using it ends by one of these, so that however many do it, they hold little and not for long.
"""

from __future__ import annotations

from typing import Final

HEAD_BYTES: Final = 32 * 1024
"""The head of a request: its line and its fields."""
HEAD_SECONDS: Final = 10
"""How long the head of the first request, or of the next, may take from the moment the connection is free for it."""
REQUESTS_AHEAD: Final = 16
"""Requests that a connection may send before an earlier one is answered."""
KEEP_ALIVE_SECONDS: Final = 5
"""How long a connection may be silent between two requests."""
STREAM_BODY_BYTES: Final = 64 * 1024
"""The body of a request for a stream."""
STREAM_BODY_SECONDS: Final = 30
"""How long such a body may take as a whole."""
HELLO_SECONDS: Final = 10
"""How soon a WebSocket's first frame must come (P2.1)."""
FRAMES_AT_ONCE: Final = 400
"""Frames of any kind, fragments and pings too, that a WebSocket may send at once (P8.4)."""
FRAMES_A_SECOND: Final = 20
"""Frames that it may send on average."""
STUCK_SECONDS: Final = 30
"""How long a client may take nothing of what it is sent (P6.8)."""
CLOSE_SECONDS: Final = 5
"""How long a client has for its last bytes."""
