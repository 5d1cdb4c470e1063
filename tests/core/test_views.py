"""Equal questions are one view; questions that only look alike are not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stockwire.core.errors import Invalid
from stockwire.core.rights import EVERYTHING, Rights
from stockwire.core.views import parse_view


def test_what_many_ask_for_is_understood_once() -> None:
    asked = {"feed": "inventory", "filter": {"location": "main"}, "limit": 20, "cursor": "v1.a.1.b", "id": "mine"}
    assert parse_view(asked) is parse_view({**asked, "cursor": "v1.a.2.b", "id": "yours"})


def test_a_number_and_its_text_are_not_the_same_question() -> None:
    asked = {"feed": "inventory", "limit": 1}
    assert parse_view(asked).limit == 1
    for like in (True, "1", Decimal(1)):
        with pytest.raises(Invalid):
            parse_view({**asked, "limit": like})


def test_other_rights_make_another_view() -> None:
    asked = {"feed": "inventory"}
    assert parse_view(asked, EVERYTHING) != parse_view(asked, Rights("some"))


def test_only_a_view_of_ones_own_rows_is_another_for_each_person() -> None:
    ann, ben = Rights("everything", "ann"), Rights("everything", "ben")
    assert parse_view({"feed": "inventory"}, ann) is parse_view({"feed": "inventory"}, ben)
    assert parse_view({"feed": "people"}, ann) != parse_view({"feed": "people"}, ben)


def test_nobody_sees_a_row_that_is_another_persons() -> None:
    asked = {"feed": "people", "filter": {"person": "ben"}}
    assert not parse_view(asked, Rights("everything", "ann")).allows(("ben",))
    assert not parse_view({"feed": "people"}).allows(("ben",))
