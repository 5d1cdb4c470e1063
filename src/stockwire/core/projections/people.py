"""People: what each has read, wants, watches and keeps, a pure step at a time.

Lists are bounded, and drop their oldest: who reads so many one by one, or watches so many orders, loses nothing but that.
"""

from __future__ import annotations

from typing import Final

import msgspec

from stockwire.core.events import (
    NotificationRead,
    OrderUnwatched,
    OrderWatched,
    PersonData,
    PersonPreferred,
    ViewKept,
)
from stockwire.core.rows import PersonRow

replace = msgspec.structs.replace

READ_MOST: Final = 500
WATCHED_MOST: Final = 200
VIEWS_MOST: Final = 50
"""Views that a person keeps of one screen."""
SCREENS_MOST: Final = 20


def fold_person(before: PersonRow | None, data: PersonData, version: int) -> PersonRow:
    """The person's row after something they did."""
    row = before or PersonRow(version=version, person=data.person)
    return replace(_after(row, data), version=version)


def _after(row: PersonRow, data: PersonData) -> PersonRow:
    match data:
        case NotificationRead():
            return _read(row, data)
        case PersonPreferred():
            return replace(row, preferences=data.preferences)
        case OrderWatched():
            others = tuple(each for each in row.watched if each != data.order_id)
            return replace(row, watched=(*others, data.order_id)[-WATCHED_MOST:])
        case OrderUnwatched():
            return replace(row, watched=tuple(each for each in row.watched if each != data.order_id))
        case ViewKept():
            return replace(row, views=_views(row.views, data))
        case _:
            return row


def _read(row: PersonRow, data: NotificationRead) -> PersonRow:
    through = max(row.read_through, data.through or 0)
    read = dict.fromkeys((*row.read, *data.ids)) if through == row.read_through else dict.fromkeys(data.ids)
    return replace(row, read_through=through, read=tuple(read)[-READ_MOST:])


def _views(views: dict[str, dict[str, str]], data: ViewKept) -> dict[str, dict[str, str]]:
    kept = {name: query for name, query in views.get(data.screen, {}).items() if name != data.name}
    if data.query is not None:
        kept[data.name] = data.query
    screens = {screen: named for screen, named in views.items() if screen != data.screen}
    if kept:
        screens[data.screen] = dict(list(kept.items())[-VIEWS_MOST:])
    return dict(list(screens.items())[-SCREENS_MOST:])
