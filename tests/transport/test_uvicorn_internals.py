"""What the takeover uses of uvicorn's and wsproto's insides is still there, so that an upgrade that moves it fails here
first.
"""

from __future__ import annotations

import inspect

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from wsproto.frame_protocol import FrameProtocol

CALLBACKS = {
    "on_headers_complete": [], "on_body": ["body"], "on_message_complete": [], "data_received": ["data"],
    "handle_websocket_upgrade": [], "shutdown": [], "_unset_keepalive_if_required": [], "connection_made": ["transport"],
    "connection_lost": ["exc"], "on_message_begin": [], "on_response_complete": [], "timeout_keep_alive_handler": [],
    "pause_writing": [], "resume_writing": [], "send_400_response": ["msg"],
}  # fmt: skip


def test_uvicorn_calls_what_is_replaced() -> None:
    for name, parameters in CALLBACKS.items():
        assert list(inspect.signature(getattr(HttpToolsProtocol, name)).parameters)[1:] == parameters


def test_uvicorn_keeps_what_is_read() -> None:
    config = uvicorn.Config(lambda: None, http=HttpToolsProtocol, ws="wsproto")
    config.load()
    state = uvicorn.server.ServerState()
    protocol = HttpToolsProtocol(config, state, {}, _loop=object())  # type: ignore[arg-type]
    for name in ("url", "headers", "scope"):
        protocol.on_message_begin()
        assert hasattr(protocol, name)
    for name in (
        "client",
        "cycle",
        "connections",
        "expect_100_continue",
        "flow",
        "loop",
        "parser",
        "root_path",
        "transport",
    ):
        assert name in vars(protocol)
    assert isinstance(state.default_headers, list)
    assert "response_complete" in inspect.getsource(RequestResponseCycle.__init__)


def test_wsproto_tells_whether_a_message_is_under_way() -> None:
    frames = FrameProtocol(client=False, extensions=[])
    assert frames._frame_decoder.header is None
    assert len(frames._frame_decoder.buffer) == 0
    assert frames._message_decoder.opcode is None
