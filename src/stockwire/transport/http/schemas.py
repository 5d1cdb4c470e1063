"""Schemas: every shape of the API as JSON Schema, made from the types and tables the code itself runs on.

Events come from the structs of core/events.py, rows from the fields of core/wire.py. Nothing is written down twice but which
fields of a row may be null, and a test holds that to spec/rows.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from stockwire.core.cadence import INTERVAL_MOST, Why
from stockwire.core.events import INTERNAL_TYPES, TYPES
from stockwire.core.greeting import VIEWS_MOST
from stockwire.core.rows import FEEDS, Against, Comparison, FeedName, GroupBy, RuleKind, Severity
from stockwire.core.values import Money, Quantity
from stockwire.core.wire import FIELDS, LINE_QUANTITIES, MOVED_QUANTITIES, Kind
from stockwire.engine.asking import WAIT_MOST
from stockwire.engine.previewing import Gap
from stockwire.transport.http.limits import BATCH_EVENTS, NAME_LENGTH, NOTIFICATION_ID_LENGTH

Schema = dict[str, Any]

PREFIX: Final = "#/components/schemas/"
ROWS: Final[Mapping[FeedName, str]] = {
    "inventory": "InventoryRow",
    "orders": "OrderRow",
    "metrics": "MetricRow",
    "hours": "HourRow",
    "sources": "SourceRow",
    "rules": "RuleRow",
    "notifications": "NotificationRow",
    "people": "PersonRow",
}
NULLABLE: Final[Mapping[FeedName, frozenset[str]]] = {
    "inventory": frozenset(
        {"reorder_point", "reorder_quantity", "unit_cost", "currency", "days_of_cover", "counted_at"}
    ),
    "orders": frozenset(
        {
            "customer_id", "customer_name", "country", "channel", "note", "closed_at", "promised_at", "at_risk_at",
            "due_at", "hold_reason", "hold_since",
        }
    ),
    "metrics": frozenset({"value", "previous", "since", "currency", "detail"}),
    "hours": frozenset(
        {
            "orders_open", "orders_late", "orders_at_risk", "out_of_stock_count", "oversold_count", "low_stock_count",
            "inventory_value",
        }
    ),
    "sources": frozenset(),
    "rules": frozenset({"threshold", "clear", "metric", "period", "comparison", "against", "updated_at"}),
    "notifications": frozenset(
        {
            "sku", "location", "order_id", "source", "metric", "value", "threshold", "fired_at", "fired_version", "ended_at",
            "acknowledged_by", "snoozed_until", "resolved_by",
        }
    ),
    "people": frozenset(),
}  # fmt: skip

BUCKET_NAMES: Final = ("total", "month", "day", "hour")
SUMS: Final = (
    "orders_placed", "units_sold", "gross_sales", "discounts", "returns", "net_sales", "shipping", "tax", "total_sales",
)  # fmt: skip
"""What sums of sales show: fields of the `hours` feed."""

DELIVERY_STATES: Final = ("waiting", "held", "sending", "sent", "dead", "digested", "dropped")

SCHEMA_OF_PACE: Final[Mapping[str, Schema]] = {
    "interval": {"type": "integer", "minimum": 0, "maximum": INTERVAL_MOST, "description": "Milliseconds."},
    "paused": {"type": "boolean"},
    "reason": {"enum": list(get_args(Why))},
}
WAITING: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": WAIT_MOST}

_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer"}
_FLAG: Final[Schema] = {"type": "boolean"}
_QUANTITY: Final[Schema] = {"type": "number", "description": "At most 3 decimals."}
_MONEY: Final[Schema] = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "A decimal in a text."}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_NAMES: Final[Schema] = {"type": "array", "items": _TEXT}
_KINDS: Final[Mapping[Kind, Schema]] = {
    "text": _TEXT,
    "quantity": _QUANTITY,
    "money": _MONEY,
    "amount": _MONEY,
    "moment": _MOMENT,
    "count": _COUNT,
    "number": {"type": "number", "description": "At most 4 decimals."},
    "flag": _FLAG,
    "names": _NAMES,
    "figure": {"type": ["string", "number"]},
    "object": {"type": "object", "additionalProperties": _COUNT},
    "value": {"description": "JSON, as spec/rows.md says."},
}
_EXACT: Final[Mapping[Any, Schema]] = {
    Quantity: {
        "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[+-]?\d+(\.\d+)?$"}],
        "description": "Exact, at most 3 decimals, below 10^12.",
    },
    Money: {
        "anyOf": [{"type": "string", "pattern": r"^[+-]?\d+(\.\d+)?$"}, {"type": "number"}],
        "description": "Exact, at most 4 decimals, below 10^12; best as a text.",
    },
}


def reference(name: str) -> Schema:
    """A reference to a named schema."""
    return {"$ref": PREFIX + name}


def record(members: Mapping[str, Schema], *, optional: frozenset[str] = frozenset(), **more: Any) -> Schema:
    """An object with those members, all of which are there but the optional ones."""
    return {
        "type": "object",
        "properties": dict(members),
        "required": [name for name in members if name not in optional],
        **more,
    }


def or_null(schema: Schema) -> Schema:
    """The schema, or null."""
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}


def schemas() -> dict[str, Schema]:
    """Every named schema."""
    return {
        **_row_schemas(),
        **_detail_schemas(),
        **_answer_schemas(),
        **_channel_schemas(),
        **_notice_schemas(),
        **_event_schemas(),
    }


# --- what comes out -----------------------------------------------------------------------------------------------


def operand_schema(kind: Kind) -> Schema:
    """What a filter compares a field of that kind with."""
    match kind:
        case "text":
            return {"type": "string", "pattern": "^[^\\u0000]*$"}
        case "quantity" | "money" | "amount" | "count" | "number":
            return {"type": ["number", "null"]}
        case _:
            return _KINDS[kind]


def _row_schemas() -> dict[str, Schema]:
    found = {}
    for feed in FEEDS:
        members = {
            field.name: or_null(_KINDS[field.kind]) if field.name in NULLABLE[feed] else _KINDS[field.kind]
            for field in FIELDS[feed]
        }
        found[ROWS[feed]] = record(members)
        found[page_name(feed)] = _page(ROWS[feed])
    return found


def page_name(feed: FeedName) -> str:
    """The name of the schema of a page of that feed."""
    return ROWS[feed].removesuffix("Row") + "Page"


def _page(row: str) -> Schema:
    return record(
        {
            "version": {**_COUNT, "description": "The version that the rows hold at least."},
            "next": {**or_null(_TEXT), "description": "The next page's `page`; null on the last."},
            "rows": {"type": "array", "items": reference(row)},
        }
    )


def _detail_schemas() -> dict[str, Schema]:
    line = {
        **dict.fromkeys(("line", "sku", "name", "location"), _TEXT),
        **dict.fromkeys(("unit_price", "discount", "tax"), _MONEY),
        "stock": _FLAG,
        **dict.fromkeys(LINE_QUANTITIES, _QUANTITY),
    }
    happened = {"version": _COUNT, "type": _TEXT, "occurred_at": _MOMENT, "recorded_at": _MOMENT, "source": _TEXT}
    timeline = {
        **happened,
        **dict.fromkeys(("from_status", "to_status"), or_null(_TEXT)),
        "irregular": _FLAG,
        **dict.fromkeys(("skipped", "derived"), _NAMES),
        **dict.fromkeys(("text", "document"), or_null(_TEXT)),
    }
    movement = {
        **happened,
        "step": _COUNT,
        **dict.fromkeys((*MOVED_QUANTITIES, "on_hand_after"), _QUANTITY),
        **dict.fromkeys(("reason", "document", "order_id", "note"), or_null(_TEXT)),
        "superseded": _FLAG,
    }
    order = {
        "order": reference("OrderRow"),
        "lines": {"type": "array", "items": reference("OrderLineState")},
        "timeline": {"type": "array", "items": reference("TimelineEntry")},
        "version": _COUNT,
    }
    return {
        "OrderLineState": record(line),
        "TimelineEntry": record(timeline),
        "Order": record(order),
        "Movement": record(movement),
        "MovementPage": _page("Movement"),
    }


def _answer_schemas() -> dict[str, Schema]:
    kinds = {field.name: _KINDS[field.kind] for field in FIELDS["hours"]}
    acknowledged = {"accepted": _COUNT, "duplicates": _COUNT, "version": _COUNT}
    sums = {"start": _MOMENT, "end": _MOMENT, **{name: kinds[name] for name in SUMS}}
    span = {"from": _MOMENT, "to": _MOMENT}
    problem = {
        "type": {"type": "string", "format": "uri-reference"},
        "title": _TEXT,
        "status": _COUNT,
        "detail": _TEXT,
        "code": {**_TEXT, "description": "Stable: what programs match on."},
        "problems": {
            "type": "array",
            "items": record(
                {"index": _COUNT, "line": _COUNT, "path": _TEXT, "detail": _TEXT},
                optional=frozenset({"index", "line", "path"}),
            ),
        },
        "committed": record({"lines": _COUNT, **acknowledged}),
    }
    source = {"source": _TEXT, "age": _COUNT, "state": {"enum": ["ok", "late", "silent"]}}
    status = {
        "epoch": _TEXT, "version": _COUNT, "time": _COUNT, "connections": _COUNT, "events_per_minute": _COUNT,
        "sources": {"type": "array", "items": record(source)},
    }  # fmt: skip
    return {
        "Acknowledged": record(acknowledged),
        "Asking": record(
            {
                "views": {"type": "array", "items": {"type": "object"}, "maxItems": VIEWS_MOST},
                **SCHEMA_OF_PACE,
                "wait": WAITING,
            },
            optional=frozenset({*SCHEMA_OF_PACE, "wait"}),
        ),
        "Problem": record(problem, optional=frozenset({"problems", "committed"})),
        "SalesSums": record(
            {
                "version": _COUNT,
                "bucket": {"enum": list(BUCKET_NAMES)},
                "timezone": _TEXT,
                "currency": _TEXT,
                "rows": {"type": "array", "items": record(sums)},
            }
        ),
        "PeriodMetrics": record(
            {
                "version": _COUNT,
                "timezone": _TEXT,
                "currency": _TEXT,
                **span,
                "twin": record(span),
                "left_out": {
                    "type": "array",
                    "items": _TEXT,
                    "description": "Metrics that would need too many orders.",
                },
                "rows": {"type": "array", "items": reference("MetricRow")},
            }
        ),
        "SignIn": record({"token": {"type": "string", "minLength": 1}}),
        "SignedIn": record({"name": _TEXT}),
        "Alive": record({"status": {"enum": ["ok", "ready"]}}),
        "Status": record(status),
    }


def _channel_schemas() -> dict[str, Schema]:
    language: Schema = {"enum": ["en", "de"]}
    kind: Schema = {"enum": ["webhook", "apprise"]}
    name: Schema = {**_TEXT, "minLength": 1, "maxLength": 80}
    address: Schema = {**_TEXT, "minLength": 1, "maxLength": 2_048}
    secret = {**or_null(_TEXT), "description": "What signs a webhook: shown here, once."}
    lasting = {"last_sent_at": or_null(_MOMENT), "last_error": or_null(_TEXT), "created_at": _MOMENT}
    channel = {
        "channel_id": _TEXT, "kind": kind, **dict.fromkeys(("service", "name", "person", "address"), _TEXT),
        "language": language, "enabled": _FLAG, "note": or_null(_TEXT), "waiting": _COUNT, "dead": _COUNT, **lasting,
    }  # fmt: skip
    browser = {
        **dict.fromkeys(("subscription_id", "person", "service", "device"), _TEXT), "language": language, **lasting,
    }  # fmt: skip
    delivery = {
        "delivery_id": _COUNT, **dict.fromkeys(("channel_id", "channel_name", "person"), _TEXT),
        "happened": {"enum": ["fired", "resolved", "unsnoozed", "digest", "test"]},
        "notification_id": or_null(_TEXT), "subject": _TEXT, "state": {"enum": list(DELIVERY_STATES)},
        "due_at": _MOMENT, "attempts": _COUNT, "error": or_null(_TEXT), "created_at": _MOMENT,
        "finished_at": or_null(_MOMENT),
    }  # fmt: skip
    changed = {
        "name": or_null(name), "address": or_null(address), "language": or_null({**_TEXT, **language}),
        "enabled": or_null(_FLAG), "new_secret": _FLAG,
    }  # fmt: skip
    keys = {
        "p256dh": {**_TEXT, "minLength": 80, "maxLength": 100}, "auth": {**_TEXT, "minLength": 20, "maxLength": 30},
    }  # fmt: skip
    subscription = {
        "endpoint": address, "keys": record(keys, additionalProperties=False), "expirationTime": {"type": ["number", "null"]},
        "language": language, "device": {**_TEXT, "maxLength": 80},
    }  # fmt: skip

    def many(schema: str) -> Schema:
        return {"type": "array", "items": reference(schema)}

    return {
        "Channel": record(channel),
        "Channels": record({"channels": many("Channel")}),
        "ChannelMade": record({"channel": reference("Channel"), "secret": secret}),
        "NewChannel": record(
            {"kind": kind, "name": name, "address": address, "language": language},
            optional=frozenset({"language"}), additionalProperties=False,
        ),
        "ChangedChannel": record(changed, optional=frozenset(changed), additionalProperties=False),
        "Delivery": record(delivery),
        "Deliveries": record({"deliveries": many("Delivery")}),
        "PushKey": record({"key": _TEXT}),
        "Subscription": record(browser),
        "Subscriptions": record({"subscriptions": many("Subscription")}),
        "SubscriptionMade": record({"subscription": reference("Subscription")}),
        "NewSubscription": record(
            subscription, optional=frozenset({"expirationTime", "language", "device"}), additionalProperties=False
        ),
    }  # fmt: skip


def _notice_schemas() -> dict[str, Schema]:
    name: Schema = {**_TEXT, "minLength": 1, "maxLength": NAME_LENGTH}
    id_: Schema = {**_TEXT, "minLength": 1, "maxLength": NOTIFICATION_ID_LENGTH}
    names: Schema = {"type": "array", "items": name}
    seconds: Schema = {"type": "integer", "minimum": 0, "maximum": 31 * 86_400}
    severity: Schema = {**_TEXT, "enum": list(get_args(Severity))}
    number = or_null({"type": "number", "description": "At most 4 decimals."})
    time: Schema = {**_TEXT, "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
    reach = {
        **dict.fromkeys(("location", "sku", "source", "channel", "currency"), or_null(_TEXT)),
        "statuses": _NAMES, "watched": _FLAG,
    }  # fmt: skip
    rule = {
        "kind": {"enum": list(get_args(RuleKind))}, "name": name, "rule_id": or_null(name), "enabled": _FLAG,
        "severity": severity, "scope": record(reach, optional=frozenset(reach), additionalProperties=False),
        "threshold": number, "clear": number, **dict.fromkeys(("metric", "period"), or_null(name)),
        "comparison": or_null({**_TEXT, "enum": [*get_args(Comparison), None]}),
        "against": or_null({**_TEXT, "enum": [*get_args(Against), None]}),
        **dict.fromkeys(("for_seconds", "keep_seconds", "cooldown_seconds"), seconds),
        "group_by": {"enum": list(get_args(GroupBy))}, "channels": {"anyOf": [{"const": "default"}, names]},
        "revises": or_null({**_COUNT, "minimum": 0, "description": "Only in the place of that revision."}),
    }  # fmt: skip
    quiet = {"from": time, "to": time, "timezone": name}
    choice = record({"channels": or_null(names)}, optional=frozenset({"channels"}), additionalProperties=False)
    preferences = {
        "quiet": or_null(record(quiet, additionalProperties=False)), "digest": _FLAG, "muted_rules": names,
        "rules": {"type": "object", "additionalProperties": choice},
        "channels": {"type": "object", "additionalProperties": _FLAG}, "toast_severity": severity,
    }  # fmt: skip
    example = {
        "at": _MOMENT, **dict.fromkeys(("subject", "name"), _TEXT), **dict.fromkeys(("value", "threshold"), or_null(_TEXT)),
        "count": _COUNT,
    }  # fmt: skip
    preview = {
        "fired": _COUNT, "since": _MOMENT, "complete": {**_FLAG, "description": "False: more may have happened than is known."},
        "gap": or_null({**_TEXT, "enum": [*get_args(Gap), None], "description": "Why it is not complete."}),
        "per_day": {"type": "array", "items": record({"day": {**_TEXT, "format": "date"}, "count": _COUNT})},
        "examples": {"type": "array", "items": record(example)},
    }  # fmt: skip
    read = {"through": or_null({**_COUNT, "minimum": 0}), "ids": {"type": "array", "items": id_, "maxItems": 500}}
    return {
        "Rule": record({"version": _COUNT, "rule": reference("RuleRow")}),
        "RuleForm": record(rule, optional=frozenset(rule) - {"kind", "name"}, additionalProperties=False),
        "RulePreview": record(preview),
        "Notification": record({"version": _COUNT, "notification": reference("NotificationRow")}),
        "Written": record({"version": _COUNT}),
        "Until": record({"until": _MOMENT}, additionalProperties=False),
        "ReadForm": record(read, optional=frozenset(read), additionalProperties=False),
        "Preferences": record(preferences, optional=frozenset(preferences), additionalProperties=False),
        "ViewForm": record({"query": {**_TEXT, "maxLength": 4_096}}, additionalProperties=False),
    }


# --- what comes in ------------------------------------------------------------------------------------------------


def _event_schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for name, kind in TYPES.items():
        if name in INTERNAL_TYPES:
            continue
        info = msgspec.inspect.type_info(kind)
        data = _schema(info, found)
        found[f"{kind.__name__}Event"] = record(
            {
                "id": {**_TEXT, "minLength": 1, "maxLength": 200},
                "source": {**_TEXT, "minLength": 1, "maxLength": 200},
                "type": {"const": name},
                "time": _MOMENT,
                "data": data,
                "specversion": {"const": "1.0"},
            },
            optional=frozenset({"specversion"}),
        )
    names = [kind.__name__ for name, kind in TYPES.items() if name not in INTERNAL_TYPES]
    found["Event"] = {"oneOf": [reference(f"{name}Event") for name in names]}
    found["EventBatch"] = {"type": "array", "items": reference("Event"), "maxItems": BATCH_EVENTS}
    return found


def _schema(info: msgspec.inspect.Type, found: dict[str, Schema]) -> Schema:
    """The schema of a type; structs it meets are named in `found`."""
    match info:
        case msgspec.inspect.StructType():
            if info.cls.__name__ not in found:
                found[info.cls.__name__] = {}
                found[info.cls.__name__] = record(
                    {field.encode_name: _schema(field.type, found) for field in info.fields},
                    optional=frozenset(field.encode_name for field in info.fields if not field.required),
                    additionalProperties=False,
                    description=(info.cls.__doc__ or "").strip(),
                )
            return reference(info.cls.__name__)
        case msgspec.inspect.CustomType():
            return dict(_EXACT[info.cls])
        case msgspec.inspect.StrType():
            limits = {"minLength": info.min_length, "maxLength": info.max_length, "pattern": info.pattern}
            return {**_TEXT, **{name: limit for name, limit in limits.items() if limit is not None}}
        case msgspec.inspect.LiteralType():
            return {"enum": list(info.values)}
        case msgspec.inspect.VarTupleType():
            limit = {} if info.max_length is None else {"maxItems": info.max_length}
            return {"type": "array", "items": _schema(info.item_type, found), **limit}
        case msgspec.inspect.UnionType():
            some = [each for each in info.types if not isinstance(each, msgspec.inspect.NoneType)]
            return or_null(_schema(some[0], found))
        case msgspec.inspect.BoolType():
            return dict(_FLAG)
        case _:
            raise TypeError(f"no schema for {info}")
