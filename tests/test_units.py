"""Exact arithmetic: a row alone, a column and plain fractions agree to the unit; what does not fit is refused, never bent."""

from __future__ import annotations

import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tonne.units import (
    DOWN,
    EXACT,
    HALF_EVEN,
    INT64_MAX,
    NEAREST,
    UP,
    Money,
    PriceScale,
    Rounding,
    UnitsError,
    convert,
    fraction,
    measure,
    multiply,
    round_decimal,
    round_fraction,
)

INT64 = st.integers(-INT64_MAX - 1, INT64_MAX)
RATES = st.one_of(
    st.integers(-(10**20), 10**20),
    st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=6),
    st.fractions(max_denominator=10**12),
    st.sampled_from([Fraction(1, 2), Fraction(-1, 2), Fraction(1, 2**62 + 1), Fraction(2**62 + 1, 2**63 - 25), Decimal("0.24"), Decimal("1e-18"), 0]),
)
ROUNDINGS = [DOWN, UP, NEAREST, HALF_EVEN]


def by_hand(value: Fraction, rounding: Rounding) -> int:
    """The roundings once more, from their definitions instead of remainders."""
    floor = value.numerator // value.denominator
    if value == floor:
        return floor
    below, above = value - floor, floor + 1 - value
    if rounding is DOWN:
        return floor
    if rounding is UP:
        return floor + 1
    if below != above:
        return floor if below < above else floor + 1
    if rounding is HALF_EVEN:
        return floor if floor % 2 == 0 else floor + 1
    return floor + 1 if value > 0 else floor


@pytest.mark.parametrize("rounding", ROUNDINGS)
@settings(max_examples=300, deadline=None)
@given(quantities=st.lists(INT64, max_size=6), rates=st.lists(RATES, min_size=1, max_size=3))
@example(quantities=[-1], rates=[Fraction(1, 2**62 + 1)])
@example(quantities=[0], rates=[10**20])
@example(quantities=[], rates=[10**20])
@example(quantities=[INT64_MAX, -INT64_MAX - 1], rates=[1])
@example(quantities=[INT64_MAX], rates=[2, Fraction(1, 2)])
@example(quantities=[-3, 3, -5, 5], rates=[Fraction(1, 2)])
def test_a_row_a_column_and_fractions_agree(rounding: Rounding, quantities: list[int], rates: list[int | Decimal | Fraction]) -> None:
    factor = Fraction(1)
    for rate in rates:
        factor *= Fraction(rate)
    expected = [by_hand(q * factor, rounding) for q in quantities]
    columns = [np.array(quantities, dtype=np.int64), np.array(quantities, dtype=object)]
    if all(-INT64_MAX - 1 <= value <= INT64_MAX for value in expected):
        assert [multiply(q, *rates, rounding=rounding) for q in quantities] == expected
        for column in columns:
            got = multiply(column, *rates, rounding=rounding)
            assert got.dtype == np.int64
            assert got.tolist() == expected
    else:
        for column in columns:
            with pytest.raises(OverflowError):
                multiply(column, *rates, rounding=rounding)
        with pytest.raises(OverflowError, match="does not fit 64 bits"):
            for q in quantities:
                multiply(q, *rates, rounding=rounding)


def test_a_table_keeps_its_shape_and_no_rows_are_no_rows() -> None:
    table = np.arange(6).reshape(2, 3)
    assert multiply(table, Decimal("0.5"), rounding=UP).tolist() == [[0, 1, 1], [2, 2, 3]]
    assert multiply(np.zeros(0, dtype=np.int64), Decimal("0.5"), rounding=UP).shape == (0,)
    assert multiply(np.zeros((0, 3), dtype=object), 2, rounding=UP).shape == (0, 3)


def test_small_integer_columns_do_not_overflow_in_their_own_width() -> None:
    assert multiply(np.array([200, 100], dtype=np.uint8), 1000, rounding=EXACT).tolist() == [200_000, 100_000]
    assert multiply(np.array([-128], dtype=np.int8), -(2**40), rounding=EXACT).tolist() == [2**47]


def test_an_unsigned_column_beyond_64_bits_is_refused_and_does_not_turn_negative() -> None:
    with pytest.raises(OverflowError):
        multiply(np.array([2**63], dtype=np.uint64), 1, rounding=DOWN)
    with pytest.raises(OverflowError):
        multiply([2**63], 1, rounding=DOWN)  # type: ignore[call-overload]


def test_exact_refuses_a_remainder_in_a_row_and_in_a_column() -> None:
    assert multiply(10, Decimal("0.5"), rounding=EXACT) == 5
    with pytest.raises(UnitsError, match="not a whole number and the text orders no rounding"):
        multiply(11, Decimal("0.5"), rounding=EXACT)
    with pytest.raises(UnitsError, match="orders no rounding"):
        multiply(np.array([10, 11]), Decimal("0.5"), rounding=EXACT)


def test_binary_floats_are_refused_wherever_they_come_in() -> None:
    for rate in (0.24, np.float64(0.24), np.float32(0.24), float("nan")):
        with pytest.raises(UnitsError, match="binary float"):
            multiply(100, rate, rounding=DOWN)  # type: ignore[call-overload]
        with pytest.raises(UnitsError, match="binary float"):
            round_fraction(rate, DOWN)  # type: ignore[arg-type]
        with pytest.raises(UnitsError, match="binary float"):
            round_decimal(rate, "0.01", DOWN)  # type: ignore[arg-type]
    with pytest.raises(UnitsError, match="whole numbers, not float64"):
        multiply(np.array([1.5]), 2, rounding=DOWN)
    with pytest.raises(UnitsError, match="binary float"):
        multiply(np.array([1, 0.1], dtype=object), 2, rounding=DOWN)
    with pytest.raises(UnitsError, match="whole numbers, not bool"):
        multiply(np.array([True]), 2, rounding=DOWN)


@pytest.mark.parametrize("text", ["", "ten", "NaN", "Infinity", Decimal("NaN"), Decimal("-Infinity"), None, [1]])
def test_what_is_no_number_is_refused(text: object) -> None:
    with pytest.raises(UnitsError, match="is not a number"):
        fraction(text)  # type: ignore[arg-type]


def test_numpy_integers_as_rates_do_not_overflow_in_silence() -> None:
    rate = np.int64(2**62)
    assert multiply(1, Fraction(rate), 4, Fraction(1, 8), rounding=EXACT) == 2**61  # type: ignore[arg-type]
    assert multiply(1, rate, 4, Fraction(1, 8), rounding=EXACT) == 2**61  # type: ignore[call-overload]
    assert type(fraction(Fraction(np.int64(3), np.int64(7))).numerator) is int  # type: ignore[arg-type]


@given(value=st.fractions(max_denominator=10**6), places=st.integers(0, 6), rounding=st.sampled_from(ROUNDINGS))
def test_round_decimal_gives_the_multiple_that_the_rounding_orders(value: Fraction, places: int, rounding: Rounding) -> None:
    step = Decimal(1).scaleb(-places)
    assert Fraction(round_decimal(value, step, rounding)) == by_hand(value * 10**places, rounding) * Fraction(step)


def test_round_decimal_keeps_every_digit_of_long_numbers() -> None:
    long = "12345678901234567890123456789012.349"
    assert str(round_decimal(Decimal(long), "0.01", DOWN)) == "12345678901234567890123456789012.34"
    assert round_decimal(Decimal("13.9100"), "0.01", NEAREST) == Decimal("13.91")
    assert round_decimal(Decimal("13.93"), "0.05", NEAREST) == Decimal("13.95")
    assert round_decimal(Decimal("-13.975"), "0.05", NEAREST) == Decimal("-14.00")


@pytest.mark.parametrize("step", ["0", "-0.01"])
def test_a_step_of_nothing_is_refused(step: str) -> None:
    with pytest.raises(UnitsError, match="more than zero"):
        round_decimal(Decimal(1), step, NEAREST)


def test_short_tons_and_tonnes() -> None:
    assert convert(1_000, "short_ton", "tonne", DOWN) == 907
    assert convert(69_401_609, "short_ton", "tonne", NEAREST) == 62_960_081  # 2,000 lb of 0.45359237 kg each
    assert convert(100_000_000, "short_ton", "kilogram", EXACT) == 90_718_474_000
    assert convert(np.array([1_000, 0]), "tonne", "short_ton", DOWN).tolist() == [1_102, 0]
    assert convert(7, "tonne", "tonne", EXACT) == 7


def test_measures_that_do_not_meet() -> None:
    with pytest.raises(UnitsError, match="lot and tonne are not both masses"):
        convert(1, "lot", "tonne", DOWN)
    with pytest.raises(UnitsError, match=r"unknown measure 'ton'; there are tonne, short_ton, kilogram, toe, lot"):
        measure("ton")


def test_money_in_minor_units() -> None:
    assert Money.of("13.91", "USD") == Money(1391, "USD")
    assert Money.of(100, "JPY").minor == 100
    assert Money.of("1.234", "KWD").minor == 1234
    assert Money.of(Fraction(1, 3), "EUR", NEAREST).minor == 33
    assert Money(1391, "USD").amount == Decimal("13.91")
    assert str(Money(-123_456_789, "EUR")) == "-1,234,567.89 EUR"
    assert Money(5, "EUR") + Money(7, "EUR") == Money(12, "EUR")
    assert Money(5, "EUR") - Money(7, "EUR") == Money(-2, "EUR")
    assert Money(1000, "EUR").times(Decimal("0.0125"), UP) == Money(13, "EUR")
    assert sorted([Money(3, "EUR"), Money(1, "EUR")]) == [Money(1, "EUR"), Money(3, "EUR")]


def test_money_refuses_what_does_not_fit() -> None:
    with pytest.raises(UnitsError, match="orders no rounding"):
        Money.of("13.911", "USD")
    with pytest.raises(UnitsError, match="orders no rounding"):
        Money.of("0.5", "JPY")
    with pytest.raises(UnitsError, match="binary float"):
        Money.of(13.91, "USD")  # type: ignore[arg-type]
    with pytest.raises(UnitsError, match="whole number of its minor unit"):
        Money(13.91, "USD")  # type: ignore[arg-type]
    with pytest.raises(UnitsError, match="money meets money"):
        Money(1, "USD") + 1  # type: ignore[operator]


@pytest.mark.parametrize("combine", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
def test_two_currencies_neither_add_up_nor_compare(combine: object) -> None:
    with pytest.raises(UnitsError, match="EUR and USD neither add up nor compare"):
        combine(Money(1, "EUR"), Money(2, "USD"))  # type: ignore[operator]
    assert Money(1, "EUR") != Money(1, "USD")


def test_prices_are_whole_ticks() -> None:
    scale = PriceScale("EUR", "0.01")
    assert scale.ticks("83.60") == 8360
    assert scale.price(8360) == Decimal("83.60")
    assert scale.cost(8360, 1_000_000) == Money(8_360_000_000, "EUR")
    assert PriceScale("USD", "0.005").cost(1, 3) == Money(2, "USD")  # 0.015 USD, halves away from zero
    assert PriceScale("CNY", "0.25").ticks("-1.5") == -6


def test_prices_between_ticks_and_ticks_of_nothing_are_refused() -> None:
    with pytest.raises(UnitsError, match=r"83\.605 EUR is not a multiple of the tick 0\.01"):
        PriceScale("EUR", "0.01").ticks("83.605")
    with pytest.raises(UnitsError, match="binary float"):
        PriceScale("EUR", "0.01").ticks(83.6)  # type: ignore[arg-type]
    for tick in ("0", "-0.01"):
        with pytest.raises(UnitsError, match="more than zero"):
            PriceScale("EUR", tick)
    for tick in ("NaN", "a cent"):
        with pytest.raises(UnitsError, match="not a number"):
            PriceScale("EUR", tick)
    with pytest.raises(UnitsError, match="binary float"):
        PriceScale("EUR", 0.01)  # type: ignore[arg-type]
    with pytest.raises(UnitsError, match="binary float"):
        PriceScale("EUR", "0.01").cost(1.5, 2)  # type: ignore[arg-type]


def test_an_escalation_is_rounded_each_year() -> None:
    """13.00 USD and 7 % more each year, to the cent: 13.91, 14.88, 15.92, 17.03, 18.22."""
    price = Decimal("13.00")
    path = []
    for _ in range(5):
        price = round_decimal(price * Decimal("1.07"), "0.01", NEAREST)
        path.append(str(price))
    assert path == ["13.91", "14.88", "15.92", "17.03", "18.22"]
