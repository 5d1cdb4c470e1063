"""Views: a feed with filter, order, limit and the reader's rights (spec/protocol.md P3.2, P4).

A view is a frozen value; equal views have equal names and share every frame. It decides three things about a row:
whether it belongs (`matches`), where it stands (`sort_key`) and nothing else: which rows changed is the feed's
business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from stockwire.core.errors import Invalid
from stockwire.core.rights import EVERYTHING, OWN, Rights
from stockwire.core.rows import FEEDS, KEYS, FeedName, Key
from stockwire.core.wire import FIELD, FIELDS, Field, parse_operand

LIMIT_MOST: Final = 1_000
CONDITIONS_MOST: Final = 16
CHOICES_MOST: Final = 100
OPERATORS: Final = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "prefix")
SEARCH: Final = "search"
_UNORDERED: Final = frozenset({"names", "figure", "object", "value"})

RESERVED: Final = frozenset(
    {"feed", "views", "order", "limit", "cursor", "page", "interval", "paused", "reason", "wait", "at_least", "id"}
)
"""Query names that are never a filter's field."""

Test = Callable[[Any], bool]


class _Descending:
    """A value that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]


class Ordering(NamedTuple):
    """One field of an order."""

    field: Field
    descending: bool


class Pin(NamedTuple):
    """A field that a filter holds to one value: only rows that have it can belong."""

    field: Field
    value: Any


class View:
    """One view. Make it with `parse_view` or `parse_query`; compare and hash it by `name`."""

    __slots__ = ("_tests", "feed", "filter", "limit", "name", "order", "pin", "rights")

    def __init__(
        self,
        feed: FeedName,
        filter_: Mapping[str, Mapping[str, Any]],
        tests: Iterable[Test],
        order: tuple[Ordering, ...],
        limit: int | None,
        rights: Rights,
        pins: Sequence[Pin] = (),
    ) -> None:
        self.feed: FeedName = feed
        self.filter = filter_
        self.order = order
        self.limit = limit
        self.rights = rights
        self._tests = tuple(tests)
        self.pin = min(pins, key=lambda pin: pin.field.name not in KEYS[feed], default=None)
        """What the view can be looked up by: a field of the key when it pins one."""
        canonical = [feed, filter_, self.order_names, limit, rights.name]
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        self.name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def order_names(self) -> list[str]:
        """The order as the wire writes it."""
        return [f"-{field.name}" if descending else field.name for field, descending in self.order]

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that make up a row's key."""
        return KEYS[self.feed]

    @property
    def plain(self) -> bool:
        """Whether every row of the feed belongs: no filter, no limit, all rights."""
        return not self._tests and self.limit is None and self.rights == EVERYTHING

    def allows(self, key: Key) -> bool:
        """Whether the reader may know of that key at all."""
        return self.rights.allow(self.feed, key)

    def matches(self, row: Any) -> bool:
        """Whether the row passes the filter (not whether a limit keeps it)."""
        return all(test(row) for test in self._tests)

    def sort_key(self, key: Key, row: Any) -> tuple[Any, ...]:
        """What the view's rows sort by, ascending: null last, ties broken by the key (P4.3)."""
        return self.rank([field.get(row) for field, _ in self.order], key)

    def rank(self, values: Sequence[Any], key: Key) -> tuple[Any, ...]:
        """Where a row with those values of the ordered fields and that key stands: its `sort_key` without the row."""
        parts: list[Any] = []
        for (_, descending), value in zip(self.order, values, strict=True):
            if value is None:
                parts.append((True, 0))
            else:
                parts.append((False, _Descending(value) if descending else value))
        parts.append(key)
        return tuple(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"View({self.feed}, {dict(self.filter)}, {self.order_names}, {self.limit})"


def _compare(field: Field, operator: str, operand: Any) -> Test:
    get = field.get
    value = parse_operand(field, operand)
    if value is None and operator not in ("eq", "ne"):
        raise Invalid(f"`{operator}` needs a value")
    match operator:
        case "eq":
            return lambda row: get(row) == value
        case "ne":
            return lambda row: get(row) != value
        case "lt":
            return lambda row: (have := get(row)) is not None and have < value
        case "lte":
            return lambda row: (have := get(row)) is not None and have <= value
        case "gt":
            return lambda row: (have := get(row)) is not None and have > value
        case _:
            return lambda row: (have := get(row)) is not None and have >= value


def _texts(field: Field, operator: str, operand: Any) -> Test:
    if field.kind != "text" or not isinstance(operand, str):
        raise Invalid(f"`{operator}` compares a text field with a text")
    get, value = field.get, operand.casefold()
    if operator == "prefix":
        return lambda row: (have := get(row)) is not None and have.casefold().startswith(value)
    return lambda row: (have := get(row)) is not None and value in have.casefold()


def _condition(field: Field, operator: str, operand: Any) -> Test:
    if field.kind in _UNORDERED:
        raise Invalid(f"`{field.name}` cannot be filtered by")
    match operator:
        case "eq" | "ne":
            return _compare(field, operator, operand)
        case "lt" | "lte" | "gt" | "gte":
            if field.kind == "flag":
                raise Invalid(f"`{operator}` does not fit `{field.name}`")
            return _compare(field, operator, operand)
        case "in":
            if not isinstance(operand, list) or not 1 <= len(operand) <= CHOICES_MOST:
                raise Invalid(f"`in` needs a list of 1 to {CHOICES_MOST} values")
            choices = frozenset(parse_operand(field, each) for each in operand)
            get = field.get
            return lambda row: get(row) in choices
        case "contains" | "prefix":
            return _texts(field, operator, operand)
        case _:
            raise Invalid(f"unknown operator `{operator[:40]}`; there are {' '.join(OPERATORS)}")


def _search(feed: FeedName, operand: Any) -> Test:
    if not isinstance(operand, str):
        raise Invalid("`search` needs a text")
    getters = tuple(field.get for field in FIELDS[feed] if field.searched)
    if not getters:
        raise Invalid(f"`{feed}` cannot be searched")
    value = operand.casefold()
    return lambda row: any((have := get(row)) is not None and value in have.casefold() for get in getters)


def _field(feed: FeedName, name: str) -> Field:
    field = FIELD[feed].get(name)
    if field is None:
        raise Invalid(f"`{feed}` has no field `{name[:60]}`")
    return field


def _plain(value: Any) -> Any:
    """An operand as canonical JSON writes it, so that 5, 5.0 and "5" of one field do not make three views by chance."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else str(value.normalize())
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _parse_filter(feed: FeedName, raw: Any) -> tuple[dict[str, dict[str, Any]], list[Test], list[Pin]]:
    if raw is None:
        return {}, [], []
    if not isinstance(raw, dict):
        raise Invalid("`filter` must be a JSON object of fields")
    filter_: dict[str, dict[str, Any]] = {}
    tests: list[Test] = []
    pins: list[Pin] = []
    for name, condition in raw.items():
        if name == SEARCH:
            tests.append(_search(feed, condition))
            filter_[name] = {"contains": condition}
            continue
        field = _field(feed, name)
        operators = condition if isinstance(condition, dict) else {"eq": condition}
        if not operators:
            raise Invalid(f"`filter.{name}` names no operator")
        for operator, operand in operators.items():
            tests.append(_condition(field, operator, operand))
            if operator == "eq":
                pins.append(Pin(field, parse_operand(field, operand)))
        filter_[name] = {operator: _plain(operand) for operator, operand in operators.items()}
    if len(tests) > CONDITIONS_MOST:
        raise Invalid(f"a filter has at most {CONDITIONS_MOST} conditions")
    return filter_, tests, pins


def _parse_order(feed: FeedName, raw: Any) -> tuple[Ordering, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > 4:
        raise Invalid("`order` must be a list of at most 4 fields")
    orderings: list[Ordering] = []
    for name in raw:
        if not isinstance(name, str):
            raise Invalid("`order` must be a list of field names")
        field = _field(feed, name.removeprefix("-"))
        if field.kind in _UNORDERED:
            raise Invalid(f"`{field.name}` cannot be ordered by")
        orderings.append(Ordering(field, name.startswith("-")))
    return tuple(orderings)


class _Asked:
    """What a subscribe frame asks for, as something that can be looked up."""

    __slots__ = ("feed", "filter", "limit", "order", "text")

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.feed = raw.get("feed")
        self.filter = raw.get("filter")
        self.order = raw.get("order")
        self.limit = raw.get("limit")
        self.text = repr((self.feed, self.filter, self.order, self.limit))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def parse_view(raw: Mapping[str, Any], rights: Rights = EVERYTHING) -> View:
    """The view that a subscribe frame's `feed`, `filter`, `order` and `limit` ask for. Raises Invalid. What many ask for
    is understood once, unless it is long.
    """
    asked = _Asked(raw)
    understand = _short_view if len(asked.text) <= _SHORT else _view
    return understand(asked, rights.over(OWN if asked.feed == OWN else ""))


def _view(asked: _Asked, rights: Rights) -> View:
    feed, limit = asked.feed, asked.limit
    if feed not in FEEDS:
        raise Invalid(f"unknown feed; there are {' '.join(FEEDS)}")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LIMIT_MOST):
        raise Invalid(f"`limit` must be 1 to {LIMIT_MOST}")
    filter_, tests, pins = _parse_filter(feed, asked.filter)
    if feed == OWN:
        pins.append(Pin(FIELD[feed][KEYS[feed][0]], rights.person))
    return View(feed, filter_, tests, _parse_order(feed, asked.order), limit, rights, pins)


_SHORT: Final = 2_048
_short_view = lru_cache(maxsize=1_024)(_view)


def query_view(params: Iterable[tuple[str, str]], feed: str | None = None) -> dict[str, Any]:
    """A query's `feed`, filter fields, `order`, `limit` and `cursor` as the members of a subscribe frame (P1.5).

    `location=main`, `stock_status=low,oversold` (in), `available[lt]=5`, `search=lamp`, `order=-available,sku`.
    Values stay texts; `parse_view` understands them by the field's kind. Raises Invalid.
    """
    asked: dict[str, Any] = {"feed": feed}
    filter_: dict[str, Any] = {}
    for name, value in params:
        if name in RESERVED:
            if name == "order":
                asked["order"] = [each for each in value.split(",") if each]
            elif name == "limit":
                asked["limit"] = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else -1
            elif name in ("feed", "cursor", "interval", "id"):
                asked[name] = value
            continue
        bare, bracket, operator = name.partition("[")
        if bracket and not operator.endswith("]"):
            raise Invalid(f"`{name[:60]}` is not a filter; write `field[operator]=value`")
        operator = operator.removesuffix("]")
        if bare == SEARCH:
            filter_[SEARCH] = value
            continue
        operators = filter_.setdefault(bare, {})
        if operator == "in" or (not operator and "," in value):
            operators["in"] = value.split(",")
        else:
            operators[operator or "eq"] = None if value == "null" else value
    if filter_:
        asked["filter"] = filter_
    return asked


def parse_query(feed: FeedName, params: Iterable[tuple[str, str]], rights: Rights = EVERYTHING) -> View:
    """The view a query asks for. Raises Invalid."""
    return parse_view(query_view(params, feed), rights)
