"""Numbers are exact and times unambiguous, or they are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stockwire.core.values import (
    MONEY_LIMIT,
    QUANTITY_LIMIT,
    amount_of_money,
    amount_text,
    moment,
    moment_datetime,
    moment_text,
    money,
    money_text,
    quantity,
    quantity_json,
)


@pytest.mark.parametrize(
    ("told", "thousandths"),
    [
        (12, 12_000),
        (Decimal("0.25"), 250),
        ("0.25", 250),
        ("-0.001", -1),
        (Decimal("1.2300"), 1_230),
        ("1e3", 1_000_000),
    ],
)
def test_a_quantity_counts_thousandths(told: Any, thousandths: int) -> None:
    assert quantity(told) == thousandths


@pytest.mark.parametrize(("told", "parts"), [("6.95", 69_500), (Decimal("0.0001"), 1), (-3, -30_000), (".5", 5_000)])
def test_money_counts_ten_thousandths(told: Any, parts: int) -> None:
    assert money(told) == parts


@pytest.mark.parametrize(
    "told",
    [
        True, None, 1.5, [], "", "1_000", " 1", "1,5", "NaN", "Infinity", "0x10", "١", "1" * 101,
        Decimal("NaN"), Decimal("-Infinity"), "0.0001", "1.00000000000000000000000000001", "1e-999999999",
        "1e999999999", 10**12 + 1, -(10**12) - 1, "1000000000000.001",
    ],
)  # fmt: skip
def test_what_is_no_exact_quantity_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match="quantity"):
        quantity(told)


def test_the_largest_numbers_are_taken() -> None:
    assert quantity(10**12) == QUANTITY_LIMIT
    assert money("-1000000000000") == -MONEY_LIMIT


@pytest.mark.parametrize(
    ("parts", "text"), [(0, "0"), (69_500, "6.95"), (-1, "-0.0001"), (10_000, "1"), (-125_000, "-12.5")]
)
def test_money_is_written_without_trailing_zeros(parts: int, text: str) -> None:
    assert money_text(parts) == text


def test_an_amount_is_quantity_times_money() -> None:
    assert amount_text(quantity(12) * money("6.95")) == "83.4"
    assert amount_of_money(money("83.4")) == quantity(12) * money("6.95")


@pytest.mark.parametrize(("parts", "number"), [(12_000, 12), (250, 0.25), (-1, -0.001), (0, 0)])
def test_a_quantity_is_a_json_number(parts: int, number: int | float) -> None:
    told = quantity_json(parts)
    assert told == number and type(told) is type(number)


@given(st.integers(-MONEY_LIMIT, MONEY_LIMIT))
def test_money_survives_being_written_and_read(parts: int) -> None:
    assert money(money_text(parts)) == parts


@given(st.integers(-QUANTITY_LIMIT, QUANTITY_LIMIT))
def test_a_quantity_survives_a_reader_that_knows_only_doubles(parts: int) -> None:
    assert quantity(Decimal(repr(quantity_json(parts)))) == parts


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-02T14:02:11Z", "2026-03-02T14:02:11Z"),
        ("2026-03-02t14:02:11z", "2026-03-02T14:02:11Z"),
        ("2026-03-02T14:02:11+02:00", "2026-03-02T12:02:11Z"),
        ("2026-03-02T14:02:11.5-00:30", "2026-03-02T14:32:11.500Z"),
    ],
)
def test_a_moment_is_written_in_utc(text: str, utc: str) -> None:
    assert moment_text(moment(text)) == utc


def test_a_moment_counts_microseconds() -> None:
    assert moment("1970-01-01T00:00:01.000002Z") == 1_000_002
    assert moment_datetime(1_000_002).isoformat() == "1970-01-01T00:00:01.000002+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-03-02", "2026-03-02T14:02:11", "2026-03-02 14:02:11Z", "2026-03-02T14:02Z", "2026-02-30T14:02:11Z",
        "2026-W10-1T14:02:11Z", "20260302T140211Z", "2026-03-02T24:00:00Z", "2026-03-02T14:02:11,5Z",
        "2026-03-02T14:02:11+0200", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "２026-03-02T14:02:11Z",
        "2026-03-02T14:02:11Z\n",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        moment(text)
