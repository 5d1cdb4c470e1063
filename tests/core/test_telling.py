"""What a notification says outside the page."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest

from stockwire.core import telling
from stockwire.core.lifecycle import ALLOWED
from stockwire.core.rows import NotificationRow, RuleKind
from stockwire.core.telling import WORDS, Language, Shop, address, message_id, shortened, subject, text
from stockwire.core.values import HOUR, moment
from stockwire.core.wire import show_row

NOON = moment("2026-06-10T10:00:00Z")
SHOP = Shop("Corner shop", "Europe/Berlin", "https://stock.example.com")


def notification(**more: Any) -> NotificationRow:
    row = NotificationRow(
        version=7, notification_id="low@7", rule_id="low", kind="low_stock", severity="warning", state="firing",
        dedupe_key="low/stock/MUG/main", subject="stock/MUG/main", began_at=NOON, updated_at=NOON, sku="MUG",
        location="main", name="Mug, blue", value="3", threshold="5", count=1, members=("stock/MUG/main",),
        occurrences=1,
    )  # fmt: skip
    return msgspec.structs.replace(row, **more)


def test_a_message_says_what_is_so_since_when_and_where_to_do_something() -> None:
    assert subject(notification(), "fired", "en") == "Mug, blue (MUG) is running low at main"
    assert text(notification(), "fired", "en", SHOP).splitlines() == [
        "Warning: Mug, blue (MUG) is running low at main.",
        "Now: 3. Limit: 5.",
        "Since 10 June 2026, 12:00.",
        "",
        "https://stock.example.com/inventory?sku=MUG&in=main",
        "Corner shop",
    ]


def test_the_same_in_german() -> None:
    assert subject(notification(), "fired", "de") == "Mug, blue (MUG) wird knapp (main)"
    assert text(notification(), "fired", "de", SHOP).splitlines()[:3] == [
        "Warnung: Mug, blue (MUG) wird knapp (main).", "Jetzt: 3. Grenze: 5.", "Seit 10.06.2026, 12:00.",
    ]  # fmt: skip


def test_what_is_over_says_how_long_it_lasted() -> None:
    over = notification(state="resolved", ended_at=NOON + HOUR)
    assert subject(over, "resolved", "en") == "There is enough of Mug, blue (MUG) again at main"
    assert "It lasted from 10 June 2026, 12:00 to 10 June 2026, 13:00." in text(over, "resolved", "en", SHOP)


def test_a_group_counts_its_members_and_names_the_first() -> None:
    many = notification(
        sku=None, name="", count=45, members=tuple(f"stock/SKU-{number}/main" for number in range(20)),
    )  # fmt: skip
    assert subject(many, "fired", "en") == "45 products are running low at main"
    assert "Among them: SKU-0, SKU-1," in text(many, "fired", "en", SHOP)
    assert ", 25 more." in text(many, "fired", "en", SHOP)
    assert subject(many, "resolved", "en") == "Over: 45 products are running low at main"


def test_a_group_of_one_is_named_as_that_one() -> None:
    one = notification(subject="location/main", sku=None, name="", members=("stock/BOWL/main",))
    assert subject(one, "fired", "en") == "BOWL is running low at main"
    assert address(one, SHOP) == "https://stock.example.com/inventory?sku=BOWL&in=main"
    order = notification(
        subject="log",
        sku=None,
        location=None,
        name="",
        kind="order_stuck",
        value="late",
        members=("order/1001",),
    )
    assert subject(order, "fired", "en") == "Order 1001 is late"
    assert address(order, SHOP) == "https://stock.example.com/orders/1001"


def test_how_an_order_stands_is_a_word_of_the_sentence() -> None:
    order = notification(
        subject="order/7", sku=None, location=None, name="1001", order_id="7", kind="order_status", value="picking",
        threshold=None, members=("order/7",), state="resolved",
    )  # fmt: skip
    assert subject(order, "fired", "en") == "Order 1001 is being picked"
    assert subject(order, "fired", "de") == "Bestellung 1001 ist in der Kommissionierung"
    assert "picking" not in text(order, "fired", "en", SHOP) and "Now" not in text(order, "fired", "en", SHOP)


def test_a_figure_is_called_what_it_is() -> None:
    moved = notification(kind="large_movement", value="-40", threshold="25")
    assert "Moved: -40. Limit: 25." in text(moved, "fired", "en", SHOP)
    assert "Summe: 250. Grenze: 200." in text(
        notification(kind="large_order", value="250", threshold="200"), "fired", "de", SHOP
    )


def test_every_status_of_an_order_has_its_word() -> None:
    assert {f"is.{status}" for status in (*ALLOWED, "late", "at_risk")} == {
        key for key in WORDS["en"] if key.startswith("is.")
    }


def test_a_metric_is_called_as_on_the_page() -> None:
    metric = notification(kind="metric", sku=None, location=None, name="gross_sales", metric="gross_sales", members=())
    assert subject(metric, "fired", "en") == "Gross sales needs a look"
    assert subject(metric, "fired", "de") == "Bruttoumsatz: bitte ansehen"


def test_what_was_snoozed_is_told_again_as_such() -> None:
    assert "You asked to be told again" in text(notification(), "unsnoozed", "en", SHOP)


@pytest.mark.parametrize("language", list(WORDS))
@pytest.mark.parametrize("kind", get_args(RuleKind))
def test_every_kind_has_its_sentences_in_every_language(language: Language, kind: Any) -> None:
    said = {
        subject(notification(kind=kind, members=members, order_id="1001"), happened, language)
        for members in (("stock/MUG/main",), ("stock/MUG/main", "stock/BOWL/main"))
        for happened in ("fired", "resolved")
    }
    assert len(said) >= 2 and not any("{" in each or len(each) > 120 for each in said)


def test_the_languages_say_the_same_with_the_same_figures() -> None:
    assert WORDS["de"].keys() == WORDS["en"].keys()
    for key, sentence in WORDS["en"].items():
        assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", WORDS["de"][key])), key


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (notification(sku=None, location=None, order_id="A/1"), "/orders/A%2F1"),
        (notification(sku="M & Co", location="back room"), "/inventory?sku=M+%26+Co&in=back+room"),
        (notification(sku=None, location=None, members=(), metric="gross_sales"), "/metrics"),
        (notification(sku=None, location=None, members=(), source="till"), "/notifications"),
    ],
)
def test_the_address_leads_to_the_right_page(row: NotificationRow, path: str) -> None:
    assert address(row, SHOP) == f"https://stock.example.com{path}"


def test_a_name_is_put_in_as_it_is_on_one_line() -> None:
    odd = notification(name="{what} %s\r\nBcc: x@example.com\n", sku=None)
    assert subject(odd, "fired", "en") == "{what} %s Bcc: x@example.com is running low at main"
    assert subject(notification(name="x" * 500, sku=None), "fired", "en").count("x") < 130


def test_a_digest_lists_what_came_and_how_it_stands() -> None:
    rows = [
        notification(),
        notification(state="resolved", name="Bowl", sku="BOWL"),
        notification(kind="order_status", name="1001", sku=None, value="shipped"),
    ]
    entries: list[Any] = [(row, show_row("notifications", row), "fired") for row in rows]
    message = telling.digest("msg_1", entries, 23, NOON, "en", SHOP)
    assert message.subject == "While it was quiet: 23 notifications"
    assert message.text.splitlines()[1:5] == [
        "- 10 June 2026, 12:00: Mug, blue (MUG) is running low at main (still goes on)",
        "- 10 June 2026, 12:00: Bowl (BOWL) is running low at main (over)",
        "- 10 June 2026, 12:00: Order 1001 is shipped",
        "- 20 more",
    ]
    assert message.severity == "warning" and len(message.notifications) == 3


def test_the_id_of_a_message_is_that_of_its_delivery() -> None:
    assert message_id("a/1") == message_id("a/1") != message_id("a/2")


def test_a_text_is_shortened_between_letters() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("äöüäöü", 9) == "äöü…" and len(shortened("äöüäöü", 8).encode()) <= 8
