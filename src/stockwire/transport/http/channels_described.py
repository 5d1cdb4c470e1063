"""What the OpenAPI document says of channels, deliveries and pushes."""

from __future__ import annotations

from typing import Any

from litestar.openapi.spec import Operation

from stockwire.transport.http.describing import described, in_path, in_query, responses
from stockwire.transport.http.limits import PAGE_ROWS
from stockwire.transport.http.schemas import DELIVERY_STATES, reference

_READING = (400, 401, 403, 429)
_WRITING = (400, 401, 403, 404, 408, 413, 415, 429, 503)
_DOING = (400, 401, 403, 404, 429, 503)


def _answers(schema: str, *refusals: int, status: int = 200) -> dict[str, Any]:
    answers = responses(schema, *refusals)
    answers[str(status)] = answers.pop("200")
    return answers


def _body(schema: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": reference(schema)}}}


def listing() -> type[Operation]:
    """The channels."""
    return described("Channels", responses=responses("Channels", *_READING))


def making() -> type[Operation]:
    """A new channel."""
    answers = _answers("ChannelMade", *_WRITING, status=201)
    return described("Channels", request_body=_body("NewChannel"), responses=answers)


def changing() -> type[Operation]:
    """A changed channel."""
    parameters = [in_path("channel_id", "The channel's id.")]
    answers = responses("ChannelMade", *_WRITING)
    return described("Channels", parameters=parameters, request_body=_body("ChangedChannel"), responses=answers)


def removing(name: str, description: str) -> type[Operation]:
    """Something removed."""
    answers = _answers("Alive", *_DOING, status=204)
    answers["204"] = {"description": "Done"}
    return described("Channels", parameters=[in_path(name, description)], responses=answers)


def trying(name: str, description: str) -> type[Operation]:
    """A test."""
    return described(
        "Channels", parameters=[in_path(name, description)], responses=responses("Delivery", *_DOING)
    )  # fmt: skip


def deliveries() -> type[Operation]:
    """What was sent."""
    parameters = [
        in_query("state", {"enum": list(DELIVERY_STATES)}, "Only those in this state; `dead`: the dead letters."),
        in_query("limit", {"type": "integer", "minimum": 1, "maximum": PAGE_ROWS, "default": 100}, "How many."),
    ]
    return described("Channels", parameters=parameters, responses=responses("Deliveries", *_READING))


def retrying() -> type[Operation]:
    """A dead letter sent again."""
    return trying("delivery_id", "The delivery's id.")


def key() -> type[Operation]:
    """The key of pushes."""
    return described("Channels", responses=responses("PushKey", *_READING, 503))


def browsers() -> type[Operation]:
    """The browsers that take pushes."""
    return described("Channels", responses=responses("Subscriptions", *_READING))


def subscribing() -> type[Operation]:
    """A browser that takes pushes from now on."""
    answers = _answers("SubscriptionMade", *_WRITING, status=201)
    return described("Channels", request_body=_body("NewSubscription"), responses=answers)
