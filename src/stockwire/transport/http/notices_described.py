"""What the OpenAPI document says of rules, notifications and a person's own."""

from __future__ import annotations

from typing import Any

from litestar.openapi.spec import Operation

from stockwire.transport.http import describing
from stockwire.transport.http.describing import described, in_path, responses
from stockwire.transport.http.limits import NOTIFICATION_ID_LENGTH
from stockwire.transport.http.schemas import reference

_TAG = "Notifications"
_WRITING = (400, 401, 403, 404, 408, 413, 415, 429, 503)
_DOING = (400, 401, 403, 404, 429, 503)
listing = describing.listing


def _body(schema: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": reference(schema)}}}


def _rule_id() -> dict[str, Any]:
    return in_path("rule_id", "The rule's id.")


def _notification_id() -> dict[str, Any]:
    parameter = in_path("notification_id", "The notification's id, percent-encoded.")
    return {**parameter, "schema": {**parameter["schema"], "maxLength": NOTIFICATION_ID_LENGTH}}


def making_rule() -> type[Operation]:
    """A new rule."""
    answers = responses("Rule", *_WRITING)
    answers["201"] = answers.pop("200")
    return described(_TAG, request_body=_body("RuleForm"), responses=answers)


def one_rule() -> type[Operation]:
    """A rule."""
    parameters = [_rule_id(), *describing.AWAITED]
    return described(_TAG, parameters=parameters, responses=responses("Rule", 400, 401, 403, 404, 412, 429))


def changing_rule() -> type[Operation]:
    """A changed rule."""
    answers = responses("Rule", *_WRITING, 409)
    return described(_TAG, parameters=[_rule_id()], request_body=_body("RuleForm"), responses=answers)


def removing_rule() -> type[Operation]:
    """A rule removed."""
    return described(_TAG, parameters=[_rule_id()], responses=responses("Written", *_DOING))


def previewing() -> type[Operation]:
    """How often a rule would have fired."""
    return described(_TAG, request_body=_body("RuleForm"), responses=responses("RulePreview", *_WRITING))


def acting() -> type[Operation]:
    """Something done with a notification."""
    return described(_TAG, parameters=[_notification_id()], responses=responses("Notification", *_DOING))


def snoozing() -> type[Operation]:
    """A notification put off."""
    answers = responses("Notification", *_WRITING)
    return described(_TAG, parameters=[_notification_id()], request_body=_body("Until"), responses=answers)


def having_read() -> type[Operation]:
    """What was read."""
    return described(_TAG, request_body=_body("ReadForm"), responses=responses("Written", *_WRITING))


def own() -> type[Operation]:
    """A person's own."""
    answers = responses("PersonRow", 400, 401, 403, 412, 429)
    return described(_TAG, parameters=[*describing.AWAITED], responses=answers)


def preferring() -> type[Operation]:
    """How one wants to be told."""
    return described(_TAG, request_body=_body("Preferences"), responses=responses("PersonRow", *_WRITING))


def watching() -> type[Operation]:
    """An order watched, or no more."""
    parameters = [in_path("order_id", "The order's id, percent-encoded.")]
    return described(_TAG, parameters=parameters, responses=responses("PersonRow", *_DOING))


def _view() -> list[dict[str, Any]]:
    return [in_path("screen", "The screen's name."), in_path("name", "The view's name, percent-encoded.")]


def keeping_view() -> type[Operation]:
    """A view kept."""
    answers = responses("PersonRow", *_WRITING)
    return described(_TAG, parameters=_view(), request_body=_body("ViewForm"), responses=answers)


def dropping_view() -> type[Operation]:
    """A view kept no more."""
    return described(_TAG, parameters=_view(), responses=responses("PersonRow", *_DOING))
