"""What a WebSocket client sends: frames into whole text messages, by wsproto (RFC 6455, RFC 7692).

An `Inbox` exists only while a message is under way, so that ten thousand silent connections hold none. Nearly always
what comes is nothing but whole, small text messages; `plain_texts` reads those alone, for when ten thousand come back
at once, and leaves whatever is not as plain to an inbox.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, ParseFailed, RsvBits

from stockwire.core.errors import Invalid, StockwireError, TooLarge, TooMany
from stockwire.core.wire import FRAME_BYTES
from stockwire.engine.forms import websocket_message

DEFLATE: Final = "permessage-deflate"
FLOOD: Final = "too many frames in too short a time; send fewer"
_TAIL: Final = b"\x00\x00\xff\xff"


class Text(NamedTuple):
    """A whole message."""

    text: str


class Ping(NamedTuple):
    """A ping, and the frame that answers it."""

    answer: bytes


class Close(NamedTuple):
    """The client closes, or must be closed: the code and reason to close with."""

    code: int
    reason: str


class Broken(NamedTuple):
    """The client broke a rule of the stream."""

    error: StockwireError


Said = Text | Ping | Close | Broken


def plain_texts(data: bytes) -> list[str] | None:
    """The text messages that `data` consists of. None when it is anything else than whole ones in one masked frame each,
    not compressed, below 64 KiB and in proper UTF-8.
    """
    texts: list[str] = []
    at, end = 0, len(data)
    while at < end:
        if end - at < 6 or data[at] != _WHOLE_TEXT or not _MASKED <= data[at + 1] <= _MASKED + _LONGER:
            return None
        size, mask = data[at + 1] - _MASKED, at + 2
        if size == _LONGER:
            size, mask = int.from_bytes(data[mask : mask + 2], "big"), mask + 2
            if size < _LONGER:
                return None
        at = mask + 4 + size
        if at > end:
            return None
        try:
            texts.append(_unmasked(data[mask : mask + 4], data[mask + 4 : at]).decode())
        except UnicodeDecodeError:
            return None
    return texts


def _unmasked(mask: bytes, payload: bytes) -> bytes:
    """RFC 6455, 5.3."""
    size = len(payload)
    key = mask * (size // 4 + 1)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key[:size], "big")).to_bytes(size, "big")


_WHOLE_TEXT: Final = 0x81
_MASKED: Final = 0x80
_LONGER: Final = 126
"""In place of a size: two bytes with the size follow."""


def _always() -> bool:
    return True


class Inbox:
    """Takes bytes, gives what they say. `deflated`: the client may compress."""

    def __init__(self, *, deflated: bool) -> None:
        self._frames = FrameProtocol(client=False, extensions=[Inflation()] if deflated else [])
        self._pieces: list[str] = []
        self._size = 0
        self._deaf = False

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, so that a new inbox would do as well."""
        decoder = self._frames._frame_decoder
        return not self._deaf and not self._size and decoder.header is None and not decoder.buffer and (
            self._frames._message_decoder.opcode is None
        )  # fmt: skip

    def take(self, data: bytes, may: Callable[[], bool] = _always) -> Iterator[Said]:
        """What the bytes say, in order. `may` is asked for every frame whether it is not one too many; after that nothing is
        taken any more, nor kept. There is nothing to take after Close.
        """
        if self._deaf:
            return
        self._frames.receive_bytes(data)
        try:
            for each in self._frames.received_frames():
                if each.frame_finished and not may():
                    self._deaf = True
                    self._frames = FrameProtocol(client=False, extensions=[])
                    yield Broken(TooMany(FLOOD))
                    return
                said = self._understand(each.opcode, each.payload, finished=each.message_finished)
                if said is not None:
                    yield said
        except ParseFailed as failed:
            if failed.code is CloseReason.MESSAGE_TOO_BIG:
                yield Broken(TooLarge("a frame is larger than 64 KiB"))
            else:
                yield Close(int(failed.code), "")

    def _understand(self, opcode: Opcode, payload: object, *, finished: bool) -> Said | None:
        match payload:
            case (int(code), str(reason)):
                answers = code != CloseReason.NO_STATUS_RCVD
                return Close(int(code) if answers else 1000, reason)
            case str():
                return self._piece(payload, finished=finished)
            case bytes() | bytearray() if opcode is Opcode.PING:
                return Ping(websocket_message(0x8A, bytes(payload)))
            case bytes() | bytearray() if opcode is Opcode.BINARY:
                return Broken(Invalid("a frame is a text message"))
            case _:
                return None

    def _piece(self, text: str, *, finished: bool) -> Said | None:
        self._size += len(text)
        if self._size > FRAME_BYTES:
            self._pieces.clear()
            return Broken(TooLarge("a frame is larger than 64 KiB"))
        if text:
            self._pieces.append(text)
        if not finished:
            return None
        whole = "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return Text(whole)


class Inflation(Extension):
    """permessage-deflate for what comes in, without context takeover. A message that inflates to more than a frame
    may hold ends the connection before it takes more room than that.
    """

    name = DEFLATE

    def __init__(self) -> None:
        self._inflater: zlib._Decompress | None = None
        self._compressed = False
        self._under_way = False
        self._control = False
        self._room = 0

    def enabled(self) -> bool:
        """Always: it is made when it was agreed on."""
        return True

    def offer(self) -> bool | str:
        """Nothing: a server only answers offers."""
        return False

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Only the first frame of a message says that it is compressed."""
        self._control = opcode.iscontrol()
        if rsv.rsv1 and (self._control or opcode is Opcode.CONTINUATION):
            return CloseReason.PROTOCOL_ERROR
        if not self._control and not self._under_way:
            self._under_way = True
            self._compressed = rsv.rsv1
            self._inflater = zlib.decompressobj(-15) if rsv.rsv1 else None
            self._room = FRAME_BYTES
        return RsvBits(True, False, False)

    def frame_inbound_payload_data(self, proto: FrameDecoder | FrameProtocol, data: bytes) -> bytes | CloseReason:
        """Inflate a piece."""
        if self._control or self._inflater is None:
            return data
        try:
            found = self._inflater.decompress(data, self._room + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._room -= len(found)
        return found if self._room >= 0 else CloseReason.MESSAGE_TOO_BIG

    def frame_inbound_complete(self, proto: FrameDecoder | FrameProtocol, fin: bool) -> bytes | CloseReason | None:
        """At the end of a message, what its last blocks hold."""
        if self._control or not fin:
            return None
        found = self.frame_inbound_payload_data(proto, _TAIL) if self._inflater is not None else None
        self._under_way = False
        self._inflater = None
        return found


def agreed(offers: str) -> str | None:
    """The answer to the client's offered extensions (`Sec-WebSocket-Extensions`): permessage-deflate without context
    takeover either way, or None. A client that cannot inflate a full window is served without.
    """
    for offer in offers.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name == DEFLATE:
            answer = _answer(parameters)
            if answer is not None:
                return answer
    return None


def _answer(parameters: list[str]) -> str | None:
    seen: dict[str, str] = {}
    for each in parameters:
        name, _, value = (part.strip() for part in each.partition("="))
        if name in seen:
            return None
        seen[name] = value.strip('"')
    full = seen.pop("server_max_window_bits", None)
    bits = seen.pop("client_max_window_bits", "")
    takeover = [seen.pop(f"{side}_no_context_takeover", "") for side in ("client", "server")]
    if seen or any(takeover) or full not in (None, "15") or (bits and bits not in _WINDOWS):
        return None
    answer = f"{DEFLATE}; server_no_context_takeover; client_no_context_takeover"
    return answer if full is None else f"{answer}; server_max_window_bits=15"


_WINDOWS: Final = frozenset(str(bits) for bits in range(8, 16))
