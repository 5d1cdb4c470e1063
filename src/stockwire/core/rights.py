"""Rights: which rows a reader may see. Part of a view's identity, so that no frame is ever shared across rights.

A reader's rights are decided by a row's feed and key alone: whether a row may be seen never depends on what the row
says
today, so a key outside the rights is never named, not even in a remove. Today there is one value; people with
roles and locations bring more.
"""

from __future__ import annotations

from typing import Final

import msgspec

from stockwire.core.rows import FeedName, Key


class Rights(msgspec.Struct, frozen=True):
    """What a reader may see. `name` tells two rights apart; equal names mean equal rights."""

    name: str

    def allow(self, feed: FeedName, key: Key) -> bool:
        """Whether the row of that key may be seen."""
        return True


EVERYTHING: Final = Rights("everything")
