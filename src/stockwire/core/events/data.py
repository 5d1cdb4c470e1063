"""What every event's data is, and the kinds of fields that they share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.values import moment

DEFAULT_LOCATION: Final = "main"

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4096)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an event says. Subclasses name their event type in `type`."""

    type: ClassVar[str]

    @property
    def subject(self) -> str:
        """What the event is about, for finding it again: `order/1001`, `stock/SKU/main`."""
        return ""

    def check(self) -> None:
        """Hold to the rules between fields, and of what their kinds cannot say. Raises Invalid."""


def check_moment(field: str, text: str) -> None:
    """Raises Invalid unless it is a date-time of RFC 3339."""
    try:
        moment(text)
    except ValueError as error:
        raise Invalid(f"`data.{field}`: {error}") from None
