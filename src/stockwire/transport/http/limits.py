"""Limits: every bound on what HTTP takes, by name. docs/reference/limits.md lists them, and a test compares."""

from __future__ import annotations

from typing import Final

BODY_BYTES: Final = 1024 * 1024
"""The largest body, also after inflating; of NDJSON the longest line."""
BATCH_EVENTS: Final = 1_000
"""Events in one batch; of NDJSON, in one commit."""
DEPTH: Final = 32
"""Levels of JSON, the event itself being the first."""
TEXT_LENGTH: Final = 4_096
"""Characters of a text in JSON."""
NAME_LENGTH: Final = 200
"""Characters of a name: an id, a SKU, a location."""
NOTIFICATION_ID_LENGTH: Final = 1_000
"""Characters of a notification's id."""
INTEGER_LIMIT: Final = 2**53
"""Integers in JSON are below this and above its negative."""
NUMBER_LENGTH: Final = 64
"""Characters of a number with a fraction or exponent."""
FUTURE_SECONDS: Final = 300
"""How far an event's time may be ahead of the server's clock (setting `future_tolerance_seconds`)."""
SOURCES_MOST: Final = 1_000
"""Sources that a shop may have: every screen hears of the age of each, again and again."""
PROBLEMS_NAMED: Final = 100
"""Bad events that one answer names."""
BLANK_LINES: Final = 1_000
"""Blank lines of NDJSON in a row, so that no small gzip body keeps the server reading nothing for long."""
IDLE_SECONDS: Final = 30
"""How long the next piece of a body may take."""
ASKED_BYTES: Final = 64 * 1024
"""The body of a request that changes a channel, a rule or what somebody has read."""
SIGN_IN_BYTES: Final = 4_096
"""The body of a sign-in."""
CREDENTIAL_LENGTH: Final = 512
"""Characters of a key, a one-time token or a session."""
FAILURES: Final = 10
"""Wrong credentials that one address may show within `FAILURE_SECONDS`."""
FAILURE_SECONDS: Final = 60
"""After how long an address that failed too often is heard again."""
PAGE_ROWS: Final = 1_000
"""Rows on a page."""
QUERY_LENGTH: Final = 8_192
"""Bytes of a query string."""
PARAMETERS: Final = 64
"""Names in a query string."""
WAIT_SECONDS: Final = 30
"""How long a read may wait for `at_least`."""
BUCKETS: Final = 10_000
"""Sums of sales in one answer."""
PERIOD_DAYS: Final = 3_660
"""Days of a chosen period."""
PERIOD_ORDERS: Final = 100_000
"""Orders that one answer about a chosen period reads."""
