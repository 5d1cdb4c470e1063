"""What a request asks for in its body, when that is one JSON object of a known form."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request

from stockwire.core.errors import Invalid, Unsupported
from stockwire.transport.http.body import decode, flaw_in, whole
from stockwire.transport.http.limits import ASKED_BYTES
from stockwire.transport.http.requests import asked_by, pieces

_Form = TypeVar("_Form", bound=msgspec.Struct)


async def asked_for(request: Request[Any, Any, Any], form: type[_Form]) -> _Form:
    """The body in that form. Raises Unsupported, TooLarge, TooSlow or Invalid, which says what is wrong and where."""
    headers = asked_by(request)
    if (headers.get(b"content-type") or "").partition(";")[0].strip().lower() != "application/json":
        raise Unsupported("this comes as application/json")
    body = await whole(
        pieces(request), headers.get(b"content-encoding"), headers.get(b"content-length"), most=ASKED_BYTES
    )
    value = decode(body)
    if (flaw := flaw_in(value)) is not None:
        raise Invalid("the body holds what is not taken", problems=[flaw])
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise Invalid(f"the body: {error}") from None
