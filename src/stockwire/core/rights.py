"""Rights: which rows a reader may see. Part of a view's identity, so that no frame is ever shared across rights.

A reader's rights are decided by a row's feed and key alone: whether a row may be seen never depends on what the row says
today, so a key outside the rights is never named, not even in a remove. What is a person's own only that person sees;
of everything else everybody sees the same, so there rights are named alike (`over`) and frames shared.
"""

from __future__ import annotations

from typing import Final

import msgspec

from stockwire.core.rows import FeedName, Key


class Rights(msgspec.Struct, frozen=True):
    """What a reader may see. `name` tells two rights apart; equal names mean equal rights. `person`: whose own rows."""

    name: str
    person: str = ""

    def allow(self, feed: FeedName, key: Key) -> bool:
        """Whether the row of that key may be seen."""
        return feed != OWN or key[0] == self.person

    def over(self, feed: str) -> Rights:
        """These rights as far as that feed is concerned: the same for all who see the same of it."""
        if not self.person:
            return self
        if feed == OWN:
            return msgspec.structs.replace(self, name=f"{self.name} of {self.person}")
        return msgspec.structs.replace(self, person="")


OWN: Final[FeedName] = "people"
"""The feed whose rows are each a person's own; the first part of the key says whose."""
EVERYTHING: Final = Rights("everything")
