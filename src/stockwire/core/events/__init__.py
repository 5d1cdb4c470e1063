"""Events: the immutable facts that sources send, and the one door they come in by.

`parse_event` takes the public JSON form (a CloudEvents 1.0 envelope, spec/events.md) already decoded with integers as `int` and
other numbers as `Decimal`, and gives an `Event` whose `data` is one of the typed structs here and whose `body` is the public
JSON of that data, byte for byte what the log keeps. The log refolds through the same door, so what is stored is always what
was understood.

What is imported here is the package's face, and stands in no second list (pyproject.toml says so to the checkers).

Two rules: a struct has exactly the field names of the wire (but for `from`, a Python keyword), and every number is exact.
`source` + `id` is the idempotency key.
"""

from stockwire.core.events.data import Data
from stockwire.core.events.envelope import INTERNAL_SOURCE, Event, Record, parse_event, stored_event
from stockwire.core.events.kinds import INTERNAL_TYPES, TYPES
from stockwire.core.events.notices import (
    NotificationAcknowledged,
    NotificationData,
    NotificationRead,
    NotificationSnoozed,
    OrderUnwatched,
    OrderWatched,
    PersonData,
    PersonPreferred,
    RuleDefined,
    RuleObserved,
    RuleRemoved,
    ViewKept,
)
from stockwire.core.events.orders import (
    CreditLine,
    LineQuantity,
    OrderCredited,
    OrderData,
    OrderHeld,
    OrderLine,
    OrderPaymentChanged,
    OrderPlaced,
    OrderReleased,
    OrderStatusChanged,
    OrderUpdated,
    Status,
)
from stockwire.core.events.shop import ClockTicked, LogVerified, ShopConfigured
from stockwire.core.events.stock import (
    LocationUpdated,
    ProductUpdated,
    StockAdjusted,
    StockCommitted,
    StockCounted,
    StockData,
    StockFulfilled,
    StockIncomingChanged,
    StockReceived,
    StockReleased,
    StockReservationExpired,
    StockReserved,
    StockReturned,
    StockSnapshot,
    StockStateMoved,
    StockTransferred,
)
