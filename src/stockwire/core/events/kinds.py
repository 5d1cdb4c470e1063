"""All kinds of events by their type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stockwire.core.events import notices, orders, shop, stock
from stockwire.core.events.data import Data

TYPES: Final[Mapping[str, type[Data]]] = {
    kind.type: kind for family in (stock, orders, shop, notices) for kind in family.KINDS
}
NOTICE_TYPES: Final = frozenset(kind.type for kind in notices.KINDS)
"""What is done about rules, notifications and a person's own."""
INTERNAL_TYPES: Final = NOTICE_TYPES | {kind.type for kind in shop.KINDS}
