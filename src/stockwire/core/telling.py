"""Telling: what a notification says outside the page, in English and German. Text alone, in plain sentences.

A subject is one sentence that stands by itself on a locked screen; the text says the same with its figures, since when, and
the address of the page where something can be done about it. Two tables hold the words, one a language, with a sentence
for each kind as it begins (`fired`), is over (`resolved`) and concerns several (`many`); a test holds them to the same keys.

Names and values come from whoever sent the events: they are put into the sentences as they are, on one line, and never
read as a format or as markup.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec

from stockwire.core.metric_names import METRIC_NAMES
from stockwire.core.rows import Happened, NotificationRow
from stockwire.core.values import moment_datetime

Language = Literal["en", "de"]
Said = Happened | Literal["digest", "test"]

NAMED: Final = 20
"""Members of a group, or notifications of a digest, that are named; the rest is counted."""
NAME_LENGTH: Final = 120

_STANDINGS: Final = ("order_stuck", "order_status")
"""Kinds whose value is how an order stands: a word of the sentence."""
_FACTS: Final = ("back_in_stock", "large_movement", "order_status", "large_order")

_EN: Final[Mapping[str, str]] = {
    "out_of_stock.fired": "{what} is out of stock{at}",
    "out_of_stock.many": "{count} products are out of stock{at}",
    "out_of_stock.resolved": "{what} is in stock again{at}",
    "low_stock.fired": "{what} is running low{at}",
    "low_stock.many": "{count} products are running low{at}",
    "low_stock.resolved": "There is enough of {what} again{at}",
    "oversold.fired": "{what} is oversold{at}",
    "oversold.many": "{count} products are oversold{at}",
    "oversold.resolved": "{what} is no longer oversold{at}",
    "back_in_stock.fired": "{what} is back in stock{at}",
    "back_in_stock.many": "{count} products are back in stock{at}",
    "back_in_stock.resolved": "{what} is back in stock{at}",
    "large_movement.fired": "A large movement of {what}{at}",
    "large_movement.many": "{count} large movements{at}",
    "large_movement.resolved": "A large movement of {what}{at}",
    "order_stuck.fired": "Order {what} is {value}",
    "order_stuck.many": "{count} orders are stuck",
    "order_stuck.resolved": "Order {what} goes on",
    "order_status.fired": "Order {what} is {value}",
    "order_status.many": "{count} orders have moved on",
    "order_status.resolved": "Order {what} is {value}",
    "large_order.fired": "A large order came in: {what}",
    "large_order.many": "{count} large orders came in",
    "large_order.resolved": "A large order came in: {what}",
    "rate_spike.fired": "{what}: far more than usual",
    "rate_spike.many": "{count} numbers are far higher than usual",
    "rate_spike.resolved": "{what}: as usual again",
    "metric.fired": "{what} needs a look",
    "metric.many": "{count} numbers need a look",
    "metric.resolved": "{what} is fine again",
    "source_silent.fired": "Nothing comes from {what} any more",
    "source_silent.many": "Nothing comes from {count} sources any more",
    "source_silent.resolved": "{what} sends again",
    "drift.fired": "The numbers differ from the log",
    "drift.many": "The numbers differ from the log",
    "drift.resolved": "The numbers agree with the log again",
    "all.resolved": "Over: {sentence}",
    "at": " at {place}",
    "value": "Now: {value}.",
    "value.large_movement": "Moved: {value}.",
    "value.large_order": "Total: {value}.",
    "value.drift": "Differences: {value}.",
    "is.draft": "a draft",
    "is.placed": "placed",
    "is.confirmed": "confirmed",
    "is.allocated": "allocated",
    "is.picking": "being picked",
    "is.packed": "packed",
    "is.shipped": "shipped",
    "is.delivered": "delivered",
    "is.completed": "completed",
    "is.cancelled": "cancelled",
    "is.returned": "returned",
    "is.expired": "expired",
    "is.late": "late",
    "is.at_risk": "about to be late",
    "limit": "Limit: {threshold}.",
    "since": "Since {when}.",
    "until": "It lasted from {when} to {end}.",
    "happened": "It happened on {when}.",
    "among": "Among them: {names}.",
    "more": "{count} more",
    "again": "You asked to be told again: it still goes on.",
    "occurred": "It has come up {count} times.",
    "severity.info": "For your information",
    "severity.warning": "Warning",
    "severity.critical": "Critical",
    "digest.subject": "What came while it was quiet",
    "digest.one": "While it was quiet: one notification",
    "digest.many": "While it was quiet: {count} notifications",
    "digest.goes_on": "still goes on",
    "digest.over": "over",
    "test.subject": "A test by Stockwire",
    "test.text": "This channel works. Notifications of the shop will look like this one.",
}
_DE: Final[Mapping[str, str]] = {
    "out_of_stock.fired": "{what} ist ausverkauft{at}",
    "out_of_stock.many": "{count} Produkte sind ausverkauft{at}",
    "out_of_stock.resolved": "{what} ist wieder vorrätig{at}",
    "low_stock.fired": "{what} wird knapp{at}",
    "low_stock.many": "{count} Produkte werden knapp{at}",
    "low_stock.resolved": "{what} ist wieder ausreichend da{at}",
    "oversold.fired": "{what} ist überverkauft{at}",
    "oversold.many": "{count} Produkte sind überverkauft{at}",
    "oversold.resolved": "{what} ist nicht mehr überverkauft{at}",
    "back_in_stock.fired": "{what} ist wieder da{at}",
    "back_in_stock.many": "{count} Produkte sind wieder da{at}",
    "back_in_stock.resolved": "{what} ist wieder da{at}",
    "large_movement.fired": "Große Bewegung von {what}{at}",
    "large_movement.many": "{count} große Bewegungen{at}",
    "large_movement.resolved": "Große Bewegung von {what}{at}",
    "order_stuck.fired": "Bestellung {what} ist {value}",
    "order_stuck.many": "{count} Bestellungen stecken fest",
    "order_stuck.resolved": "Bestellung {what} geht weiter",
    "order_status.fired": "Bestellung {what} ist {value}",
    "order_status.many": "{count} Bestellungen sind weiter",
    "order_status.resolved": "Bestellung {what} ist {value}",
    "large_order.fired": "Große Bestellung eingegangen: {what}",
    "large_order.many": "{count} große Bestellungen eingegangen",
    "large_order.resolved": "Große Bestellung eingegangen: {what}",
    "rate_spike.fired": "{what}: weit mehr als üblich",
    "rate_spike.many": "{count} Werte sind weit höher als üblich",
    "rate_spike.resolved": "{what}: wieder wie üblich",
    "metric.fired": "{what}: bitte ansehen",
    "metric.many": "{count} Werte: bitte ansehen",
    "metric.resolved": "{what}: wieder in Ordnung",
    "source_silent.fired": "Von {what} kommt nichts mehr",
    "source_silent.many": "Von {count} Quellen kommt nichts mehr",
    "source_silent.resolved": "{what} sendet wieder",
    "drift.fired": "Die Zahlen weichen vom Protokoll ab",
    "drift.many": "Die Zahlen weichen vom Protokoll ab",
    "drift.resolved": "Die Zahlen stimmen wieder mit dem Protokoll überein",
    "all.resolved": "Vorbei: {sentence}",
    "at": " ({place})",
    "value": "Jetzt: {value}.",
    "value.large_movement": "Bewegt: {value}.",
    "value.large_order": "Summe: {value}.",
    "value.drift": "Abweichungen: {value}.",
    "is.draft": "ein Entwurf",
    "is.placed": "aufgegeben",
    "is.confirmed": "bestätigt",
    "is.allocated": "zugeteilt",
    "is.picking": "in der Kommissionierung",
    "is.packed": "verpackt",
    "is.shipped": "versandt",
    "is.delivered": "zugestellt",
    "is.completed": "abgeschlossen",
    "is.cancelled": "storniert",
    "is.returned": "zurückgekommen",
    "is.expired": "verfallen",
    "is.late": "überfällig",
    "is.at_risk": "bald überfällig",
    "limit": "Grenze: {threshold}.",
    "since": "Seit {when}.",
    "until": "Es dauerte vom {when} bis zum {end}.",
    "happened": "Es geschah am {when}.",
    "among": "Darunter: {names}.",
    "more": "{count} weitere",
    "again": "Sie wollten wieder daran erinnert werden: Es dauert noch an.",
    "occurred": "Es kam {count}-mal vor.",
    "severity.info": "Zur Kenntnis",
    "severity.warning": "Warnung",
    "severity.critical": "Dringend",
    "digest.subject": "Was in der Ruhezeit kam",
    "digest.one": "In der Ruhezeit: eine Benachrichtigung",
    "digest.many": "In der Ruhezeit: {count} Benachrichtigungen",
    "digest.goes_on": "dauert an",
    "digest.over": "vorbei",
    "test.subject": "Ein Test von Stockwire",
    "test.text": "Dieser Kanal funktioniert. So sehen Benachrichtigungen des Ladens aus.",
}
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {"en": _EN, "de": _DE}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. `id` is the same over all tries of one delivery, `tag` over all deliveries of one fact.

    `notifications` are the rows as the API shows them: none in a test, several in a digest.
    """

    id: str
    tag: str
    happened: Said
    severity: str
    subject: str
    text: str
    url: str
    language: Language
    at: int
    notifications: tuple[dict[str, Any], ...] = ()


class Shop(NamedTuple):
    """What sentences need to know of the shop: its name, its time zone, and where its page is."""

    name: str
    timezone: str
    url: str


def subject(notification: NotificationRow, happened: Happened, language: Language) -> str:
    """One sentence, without its full stop."""
    words = WORDS[language]
    at = words["at"].format(place=_line(notification.location)) if notification.location else ""
    over = happened == "resolved" and notification.kind not in _FACTS
    if len(notification.members) > 1:
        count = max(notification.count, len(notification.members))
        sentence = words[f"{notification.kind}.many"].format(count=count, at=at)
        return words["all.resolved"].format(sentence=sentence) if over else sentence
    which = "resolved" if over else "fired"
    value = notification.value or ""
    standing = words.get(f"is.{value}", _line(value))
    return words[f"{notification.kind}.{which}"].format(what=what(notification, language), at=at, value=standing)


def text(notification: NotificationRow, happened: Happened, language: Language, shop: Shop) -> str:
    """The whole message, several lines, the address last."""
    words = WORDS[language]
    lines = [f"{words[f'severity.{notification.severity}']}: {subject(notification, happened, language)}."]
    figures = []
    if notification.value is not None and notification.kind not in _STANDINGS:
        said = words.get(f"value.{notification.kind}", words["value"])
        figures.append(said.format(value=_line(notification.value)))
    if notification.threshold is not None:
        figures.append(words["limit"].format(threshold=_line(notification.threshold)))
    if figures:
        lines.append(" ".join(figures))
    if len(notification.members) > 1:
        lines.append(words["among"].format(names=_listed(notification, words)))
    lines.append(_time(notification, happened, language, shop))
    if happened == "unsnoozed":
        lines.append(words["again"])
    if notification.occurrences > 1:
        lines.append(words["occurred"].format(count=notification.occurrences))
    return "\n".join([*lines, "", address(notification, shop), _line(shop.name)])


def _listed(notification: NotificationRow, words: Mapping[str, str]) -> str:
    names = [_line(_of_member(member, notification.location)) for member in notification.members[:NAMED]]
    rest = max(notification.count, len(notification.members)) - len(names)
    return ", ".join([*names, *([words["more"].format(count=rest)] if rest > 0 else [])])


def _time(notification: NotificationRow, happened: Happened, language: Language, shop: Shop) -> str:
    words = WORDS[language]
    when = moment_words(notification.began_at, language, shop.timezone)
    if notification.kind in _FACTS:
        return words["happened"].format(when=when)
    if happened == "resolved":
        end = moment_words(notification.ended_at or notification.updated_at, language, shop.timezone)
        return words["until"].format(when=when, end=end)
    return words["since"].format(when=when)


def told(id_: str, notification: NotificationRow, row: dict[str, Any], happened: Happened, at: int,
         language: Language, shop: Shop) -> Message:  # fmt: skip
    """The message of one notification; `row` is it as the API shows it."""
    return Message(
        id=id_,
        tag=notification.dedupe_key,
        happened=happened,
        severity=notification.severity,
        subject=subject(notification, happened, language),
        text=text(notification, happened, language, shop),
        url=address(notification, shop),
        language=language,
        at=at,
        notifications=(row,),
    )


def digest(id_: str, entries: Sequence[tuple[NotificationRow, dict[str, Any], Happened]], count: int, at: int,
           language: Language, shop: Shop) -> Message:  # fmt: skip
    """The message of what came while it was quiet: `count` in all, of which `entries` are named, oldest first."""
    words = WORDS[language]
    title = words["digest.one"] if count == 1 else words["digest.many"].format(count=count)
    lines = [f"{title}."]
    for notification, _, happened in entries[:NAMED]:
        fact = notification.kind in _FACTS
        state = "" if fact else f" ({words['digest.over' if _over(notification) else 'digest.goes_on']})"
        when = moment_words(notification.fired_at or notification.began_at, language, shop.timezone)
        begun: Happened = "fired" if happened == "unsnoozed" else happened
        lines.append(f"- {when}: {subject(notification, begun, language)}{state if happened != 'resolved' else ''}")
    if (rest := count - len(entries[:NAMED])) > 0:
        lines.append(f"- {words['more'].format(count=rest)}")
    url = f"{shop.url}/notifications"
    severities = [entry[0].severity for entry in entries]
    worst = next((each for each in ("critical", "warning") if each in severities), "info")
    return Message(
        id=id_,
        tag="digest",
        happened="digest",
        severity=worst,
        subject=title,
        text="\n".join([*lines, "", url, _line(shop.name)]),
        url=url,
        language=language,
        at=at,
        notifications=tuple(row for _, row, _ in entries[:NAMED]),
    )


def trial(id_: str, at: int, language: Language, shop: Shop) -> Message:
    """The message by which somebody tries a receiver."""
    words = WORDS[language]
    url = f"{shop.url}/notifications"
    return Message(
        id=id_,
        tag="test",
        happened="test",
        severity="info",
        subject=words["test.subject"],
        text="\n".join([words["test.text"], "", url, _line(shop.name)]),
        url=url,
        language=language,
        at=at,
    )


def _over(notification: NotificationRow) -> bool:
    return notification.state == "resolved"


def what(notification: NotificationRow, language: Language) -> str:
    """What it is about, by the name that a person knows it by. Of a group with one member, that member."""
    name, sku = _line(notification.name), _line(notification.sku)
    if notification.metric:
        english, german = METRIC_NAMES.get(notification.metric, (notification.metric, notification.metric))
        return _line(german if language == "de" else english)
    if sku and name and name != sku:
        return f"{name} ({sku})"
    if name or sku:
        return name or sku
    member = notification.members[0] if notification.members else notification.subject
    return _line(notification.order_id or notification.source or _of_member(member, notification.location))


def _of_member(subject: str, location: str | None) -> str:
    """A subject without its kind, and without the place where all of them are."""
    rest = subject.partition("/")[2] or subject
    return rest.removesuffix(f"/{location}") if location else rest


def address(notification: NotificationRow, shop: Shop) -> str:
    """Where on the page something can be done about it."""
    alone = notification.members[0] if len(notification.members) == 1 else notification.subject
    order_id = notification.order_id or (alone.removeprefix("order/") if alone.startswith("order/") else None)
    if order_id and len(notification.members) <= 1:
        return f"{shop.url}/orders/{quote(order_id, safe='')}"
    sku, location = notification.sku, notification.location
    if sku is None and location and alone.startswith("stock/"):
        sku = _of_member(alone, location)
    if sku and location:
        return f"{shop.url}/inventory?{urlencode({'sku': sku, 'in': location})}"
    if notification.metric:
        return f"{shop.url}/metrics"
    return f"{shop.url}/notifications"


def moment_words(moment: int, language: Language, timezone: str) -> str:
    """A moment as a person there writes it."""
    at = moment_datetime(moment).astimezone(ZoneInfo(timezone))
    if language == "de":
        return f"{at.day:02}.{at.month:02}.{at.year}, {at.hour:02}:{at.minute:02}"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at.hour:02}:{at.minute:02}"


_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def message_id(key: str) -> str:
    """The id of the message of a delivery: the same whenever the same delivery is made."""
    return "msg_" + hashlib.sha256(key.encode()).hexdigest()[:32]


def shortened(value: str, most: int) -> str:
    """The text within so many bytes of UTF-8."""
    if len(value.encode()) <= most:
        return value
    return value.encode()[: most - 3].decode("utf-8", "ignore").rstrip() + "…"


def _line(value: str | None) -> str:
    """A name or value on one line."""
    return shortened(" ".join((value or "").split()), NAME_LENGTH)
