"""Describing: what the OpenAPI document says of each operation, kept beside the routes as values.

Litestar makes the document from the routes; bodies and queries are read by our own stricter code, so their descriptions
are given here. Shapes are named in schemas.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from litestar.openapi.spec import Operation

from stockwire.core.rows import FeedName
from stockwire.core.views import OPERATORS
from stockwire.core.wire import FIELDS
from stockwire.transport.http.body import MANY, ONE, ONE_OR_MANY, STREAM
from stockwire.transport.http.limits import BATCH_EVENTS, NAME_LENGTH, PAGE_ROWS, WAIT_SECONDS
from stockwire.transport.http.schemas import BUCKET_NAMES, SCHEMA_OF_PACE, WAITING, operand_schema, page_name, reference

LIMIT: Final = 100
MOVEMENTS: Final = 50
WAIT: Final = 5
"""What `limit` and `wait` are when nobody says."""

_TAGS: Final[dict[FeedName, str]] = {
    "inventory": "Stock",
    "orders": "Orders",
    "metrics": "Metrics",
    "hours": "Metrics",
    "sources": "Server",
    "rules": "Notifications",
    "notifications": "Notifications",
    "people": "Notifications",
}
_EXAMPLE: Final = {
    "id": "receipt-778-1",
    "source": "warehouse",
    "type": "stock.received",
    "time": "2026-03-25T14:00:00Z",
    "data": {"sku": "MUG-01", "location": "main", "quantity": 12, "unit_cost": "2.40"},
}
_UNFILTERED: Final = frozenset({"names", "figure", "object", "value"})
_REFUSALS: Final = {
    400: "What was sent is not right",
    401: "Not signed in, or no valid key",
    403: "Not allowed",
    404: "Not found",
    405: "Not with this method",
    409: "Changed by somebody else meanwhile",
    408: "The body did not come",
    412: "The version was not reached",
    413: "Over a limit",
    415: "Media type or encoding not understood",
    429: "Too many; come back later",
    503: "Not now; come back later",
}


def described(tag: str, **members: Any) -> type[Operation]:
    """An operation under `tag`, with these members of the OpenAPI document in place of what was guessed; the route's
    docstring is its summary."""

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.summary, self.description = (self.description or "").rstrip("."), None
            self.tags = [tag]
            for name, value in members.items():
                setattr(self, name, value)

    return Described


def responses(schema: str, *refusals: int, links: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer with its schema and where it leads, and the refusals as problems."""
    problem = {"application/problem+json": {"schema": reference("Problem")}}
    answer = {"description": "Done", "content": {"application/json": {"schema": reference(schema)}}}
    if links:
        answer["links"] = links
    return {
        "200": answer,
        **{str(each): {"description": _REFUSALS[each], "content": problem} for each in sorted(refusals)},
    }


def link(operation: str, description: str, **parameters: str) -> dict[str, Any]:
    """Where an answer leads: each parameter of that operation, and the place in the answer (a JSON pointer) that gives it."""
    return {
        "operationId": operation,
        "description": description,
        "parameters": {name: f"$response.body#/{pointer}" for name, pointer in parameters.items()},
    }


def in_query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A parameter of the query."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def in_path(name: str, description: str) -> dict[str, Any]:
    """A part of the path: a name."""
    schema = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH, "pattern": "^[^\\u0000]+$"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


AWAITED: Final = [
    in_query("at_least", {"type": "integer", "minimum": 0, "maximum": 2**53}, "Answer once this version is readable."),
    in_query(
        "wait",
        {"type": "integer", "minimum": 0, "maximum": WAIT_SECONDS, "default": WAIT},
        "Seconds to wait for `at_least`.",
    ),
]
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": PAGE_ROWS}
_READING: Final = (400, 401, 403, 412, 429)
_LINKS: Final[dict[FeedName, dict[str, Any]]] = {
    "inventory": {
        "next": link("list_inventory", "The next page.", page="next"),
        "movements": link("list_movements", "What changed a row.", sku="rows/0/sku", location="rows/0/location"),
    },
    "orders": {
        "next": link("list_orders", "The next page.", page="next"),
        "order": link("get_order", "An order as a whole.", order_id="rows/0/order_id"),
    },
    "hours": {"next": link("list_hours", "The next page.", page="next")},
    "sources": {"next": link("list_sources", "The next page.", page="next")},
}


def listing(feed: FeedName) -> type[Operation]:
    """A page of a feed, with the filter grammar of spec/protocol.md P1.5."""
    answers = responses(page_name(feed), *_READING, links=_LINKS.get(feed))
    return described(_TAGS[feed], parameters=_listing(feed), responses=answers)


def _listing(feed: FeedName) -> list[dict[str, Any]]:
    operators = " ".join(OPERATORS)
    found = [
        in_query("limit", {**_LIMIT, "default": LIMIT}, "Rows on a page."),
        in_query("page", {"type": "string"}, "The `next` of the page before."),
        in_query("order", {"type": "string"}, "At most 4 fields, joined by commas; `-` before one: descending."),
    ]
    if any(field.searched for field in FIELDS[feed]):
        words = ", ".join(field.name for field in FIELDS[feed] if field.searched)
        found.append(in_query("search", {"type": "string"}, f"Text that stands in one of {words}."))
    for field in FIELDS[feed]:
        if field.kind not in _UNFILTERED:
            text = f"Equal to this; `{field.name}[operator]` compares otherwise ({operators})."
            found.append(in_query(field.name, operand_schema(field.kind), text))
    return found + AWAITED


def metrics() -> type[Operation]:
    """The metrics, or sums."""
    answers = responses("MetricPage", *_READING, 413)
    answers["200"]["content"]["application/json"]["schema"] = {
        "oneOf": [reference("MetricPage"), reference("SalesSums")]
    }
    bound = {"type": "string"}
    parameters = [
        in_query("from", bound, "Sum sales from this day or time on (a whole minute)."),
        in_query("to", bound, "Sum sales before this day or time; now when left out."),
        in_query("bucket", {"enum": list(BUCKET_NAMES)}, "One sum for each of the shop's own."),
    ]
    return described("Metrics", parameters=[*parameters, *_listing("metrics")], responses=answers)


def period() -> type[Operation]:
    """The metrics of a chosen period."""
    bound = {"type": "string"}
    parameters = [
        {**in_query("from", bound, "The day or time the period begins with (a whole minute)."), "required": True},
        in_query("to", bound, "The day or time before which it ends; now when left out."),
        *AWAITED,
    ]
    return described("Metrics", parameters=parameters, responses=responses("PeriodMetrics", *_READING))


def one_order() -> type[Operation]:
    """An order."""
    parameters = [in_path("order_id", "The order's id, percent-encoded."), *AWAITED]
    return described("Orders", parameters=parameters, responses=responses("Order", *_READING, 404))


def movements() -> type[Operation]:
    """A row's movements."""
    links = {"next": link("list_movements", "The next page.", before="next")}
    answers = responses("MovementPage", *_READING, 404, links=links)
    parameters = [
        in_path("sku", "The SKU, percent-encoded."),
        in_path("location", "The location, percent-encoded."),
        in_query("limit", {**_LIMIT, "default": MOVEMENTS}, "Movements on a page."),
        in_query("before", {"type": "string"}, "The `next` of the page before."),
        *AWAITED,
    ]
    return described("Stock", parameters=parameters, responses=answers)


def sending() -> type[Operation]:
    """Events."""
    either = {"oneOf": [reference("Event"), reference("EventBatch")]}
    content = {
        ONE_OR_MANY: {"schema": either, "example": _EXAMPLE},
        ONE: {"schema": reference("Event"), "example": {"specversion": "1.0", **_EXAMPLE}},
        MANY: {"schema": reference("EventBatch"), "example": [{"specversion": "1.0", **_EXAMPLE}]},
        STREAM: {
            "schema": {"type": "string", "description": "One event a line, any number of lines."},
            "example": json.dumps(_EXAMPLE),
        },
    }
    links = {
        name: link(operation, "What is so with these events.", at_least="version")
        for name, operation in (("inventory", "list_inventory"), ("orders", "list_orders"), ("metrics", "list_metrics"))
    }
    return described(
        "Events",
        description=(
            "Answers when the events are on disk. A batch of up to "
            f"{BATCH_EVENTS:,} is taken whole or not at all; `source` and `id` name an event for good, so a repeat changes "
            "nothing. With `Content-Encoding: gzip` the body may be packed."
        ),
        request_body={"required": True, "content": content},
        responses=responses("Acknowledged", 400, 401, 403, 408, 413, 415, 429, 503, links=links),
        security=[{"key": []}],
    )


def asking() -> list[dict[str, Any]]:
    """What a GET for a stream says in its query: one view; its filter fields stand beside these."""
    pace = SCHEMA_OF_PACE
    return [
        in_query("feed", {"enum": list(_TAGS)}, "The feed to read; `views` takes several (P1.5)."),
        in_query("views", {"type": "string"}, "A JSON array of subscribe objects (P4.1), in place of `feed`."),
        in_query("order", {"type": "string"}, "At most 4 fields, joined by commas; `-` before one: descending."),
        in_query("limit", _LIMIT, "The first rows of that order alone."),
        in_query("cursor", {"type": "string"}, "Where to go on from (P3.4)."),
        *(in_query(name, schema, "The pace wished for (P6.4).") for name, schema in pace.items()),
        in_query("wait", WAITING, "Seconds that a long-poll may wait."),
    ]


def signing_in() -> type[Operation]:
    """A sign-in."""
    body = {"required": True, "content": {"application/json": {"schema": reference("SignIn")}}}
    answers = responses("SignedIn", 400, 401, 403, 408, 413, 415, 429)
    return described("Session", request_body=body, responses=answers, security=[])


def signed_in() -> type[Operation]:
    """Who is signed in."""
    return described("Session", responses=responses("SignedIn", 400, 401, 403, 429))


def signing_out() -> type[Operation]:
    """A sign-out."""
    answers = responses("SignedIn", 403)
    del answers["200"]
    return described("Session", responses={"204": {"description": "Done"}, **answers}, security=[{"session": []}, {}])


def status() -> type[Operation]:
    """The server's state."""
    return described("Server", responses=responses("Status", 400, 401, 403, 429))


def alive() -> type[Operation]:
    """Health."""
    return described("Server", responses=responses("Alive", 503), security=[])
