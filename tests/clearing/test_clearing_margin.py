"""Initial margin: figures worked out by hand, the fast one against its plain twin, and what must hold whatever the positions are."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonne.clearing.call import calls, collateral_value, default_fund, intraday_calls
from tonne.clearing.margin import SCENARIOS, Book, Credit, Family, Held, Margin, MarginError, Scenario, initial_margin, losses
from tonne.clearing.option import Option
from tonne.clearing.plain_margin import PlainMargin
from tonne.market.contract import Contract, Instrument

FAMILY = Family(
    name="near",
    currency="EUR",
    lot=1_000,
    price_scan=Decimal("6.00"),
    volatility_scan=Decimal("0.10"),
    spread_charge=150,
    short_option_minimum=50,
    delivery_charge=800,
    extreme_multiple=3,
    extreme_share=Decimal("0.33"),
)
OTHER = Family(name="other", currency="EUR", lot=500, price_scan=Decimal("5.01"), spread_charge=Decimal("99.99"), extreme_share=Decimal("0.35"))
FAR = Family(name="far", currency="GBP", lot=1_000, price_scan=4)


def future(code: str, family: str, price: str, month: str, delivering: bool = False) -> Held:
    return Held(code=code, family=family, price=Decimal(price), month=month, delivering=delivering)


def option(code: str, right: str, strike: int, premium: str = "paid", price: str = "2.50") -> Held:
    terms = Option(right, strike, Decimal("0.38"), 24, Decimal("0.02"), premium)
    return Held(code=code, family="near", price=Decimal(price), month="2026-12", option=terms, future=Decimal("83.60"))


FUTURES = (future("n1", "near", "83.60", "2026-12", True), future("n2", "near", "85.75", "2027-12"), future("n3", "near", "88.00", "2028-12"))
OPTIONS = (
    option("c90", "call", 90),
    option("p75", "put", 75),
    option("fc84", "call", 84, "futures_style"),
    option("fp84", "put", 84, "futures_style"),
)
OTHERS = (future("o1", "other", "50.10", "2026-12"), future("o2", "other", "52.00", "2027-12"), future("g1", "far", "41.00", "2026-12"))
BOOK = Book((FAMILY, OTHER, FAR), (*FUTURES, *OPTIONS, *OTHERS), (Credit(families=("near", "other"), share=Decimal("0.55"), lots=(1, 2)),))
LOSSES = losses(BOOK)
PLAIN = PlainMargin(BOOK, LOSSES.scale)
LOTS = st.lists(st.integers(-5_000, 5_000) | st.just(0), min_size=len(BOOK.instruments), max_size=len(BOOK.instruments))


def margin(**lots: int) -> Margin:
    return initial_margin(np.array([[lots.get(one.code, 0) for one in BOOK.instruments]]), BOOK, LOSSES)


def part(found: Margin, name: str, family: str) -> int:
    return int(getattr(found, name)[0, found.families.index(family)])


def test_sixteen_scenarios_two_of_them_extreme() -> None:
    assert len(SCENARIOS) == len(set(SCENARIOS)) == 16
    assert [number for number, one in enumerate(SCENARIOS, 1) if one.extreme] == [15, 16]
    moves = {one.price for one in SCENARIOS if not one.extreme}
    assert moves == {Fraction(n, 3) for n in range(-3, 4)} and all(one.volatility in (1, -1) for one in SCENARIOS[:14])


def test_a_future_by_hand() -> None:
    long = margin(n2=10)  # 10 x 6.00 x 1,000
    assert part(long, "scan", "near") == 6_000_000 and SCENARIOS[part(long, "worst", "near") - 1].price == -1
    short = margin(n2=-10)
    assert part(short, "scan", "near") == 6_000_000 and SCENARIOS[part(short, "worst", "near") - 1].price == 1
    assert margin(n1=10).required.tolist() == [[6_000_000 + 10 * 80_000, 0]]  # and 800 a lot in delivery
    # 0.35 x 3 x 5.01 x 500 = 2,630.25: here the extreme scenario is the worst
    assert part(margin(o1=1), "scan", "other") == 263_025 and part(margin(o1=1), "worst", "other") == 16


def test_a_spread_by_hand() -> None:
    found = margin(n2=10, n3=-4)
    assert part(found, "scan", "near") == 6 * 600_000 and part(found, "spread", "near") == 4 * 15_000 and found.required[0, 0] == 3_660_000


def test_a_credit_between_families_by_hand() -> None:
    found = margin(n2=10, o1=-30)
    # 10 spreads of 1 against 2: 0.55 x 10 x 6.00 x 1,000 and 0.55 x 20 x 5.01 x 500
    assert part(found, "credit", "near") == 3_300_000 and part(found, "credit", "other") == 2_755_500
    assert found.required[0, 0] == 6_000_000 - 3_300_000 + 30 * 263_025 - 2_755_500
    assert not margin(n2=10, o1=30).credit.any()


def test_a_credit_is_no_more_than_the_scan_and_a_lot_counts_once() -> None:
    third = dataclasses.replace(OTHER, name="third")
    held = (*FUTURES, *OPTIONS, *OTHERS, future("t1", "third", "50", "2026-12"))
    whole = Credit(families=("near", "other"), share=1, lots=(1, 2))
    book = Book((FAMILY, OTHER, FAR, third), held, (whole, Credit(families=("near", "third"), share=1)))
    lots = {one.code: 0 for one in held}
    kept = initial_margin(np.array([list((lots | {"n2": 10, "fp84": 10, "o1": -30}).values())]), book)
    # a put under each future: the delta of some five lots could save 30,000, but the scan is less
    assert 0 < part(kept, "scan", "near") == part(kept, "credit", "near") < 3_000_000
    once = initial_margin(np.array([list((lots | {"n2": 10, "o1": -20, "t1": -10}).values())]), book)
    assert part(once, "credit", "near") == 6_000_000 and part(once, "credit", "third") == 0
    some = initial_margin(np.array([list((lots | {"n2": 10, "o1": -8, "t1": -10}).values())]), book)
    assert part(some, "credit", "near") == 6_000_000 and part(some, "credit", "third") == 6 * 250_500


def test_the_future_under_an_option_never_falls_to_nothing() -> None:
    terms = Option("put", 10, Decimal("0.38"), 24, 0, "futures_style")
    low = Held(code="p10", family="near", price=1, option=terms, future=10)
    extreme = losses(Book((FAMILY,), (low,)))
    gain = (terms.price(Decimal("0.10")) - terms.price(10)) * 100_000 * Fraction(33, 100)
    assert abs(Fraction(-int(extreme.loss[0, 15]), extreme.scale) - gain) <= Fraction(1, extreme.scale)


def test_a_written_option_costs_at_least_the_minimum() -> None:
    far = dataclasses.replace(option("c300", "call", 300, price="0.01"))
    found = initial_margin(np.array([[-7], [7]]), Book((FAMILY,), (far,)))
    assert found.minimum[:, 0].tolist() == [35_000, 0] and found.risk[0, 0] == 35_000
    assert found.option_value[:, 0].tolist() == [-7_000, 7_000] and found.required[:, 0].tolist() == [42_000, 0]


def test_the_value_of_a_paid_option_is_a_credit_and_of_a_futures_style_one_is_not() -> None:
    bought = margin(c90=10)
    assert bought.option_value[0, 0] == 2_500_000 and bought.required[0, 0] == max(bought.risk[0, 0] - 2_500_000, 0)
    assert margin(fc84=10).option_value[0, 0] == 0 and margin(fc84=10).required[0, 0] == margin(fc84=10).risk[0, 0] > 0
    both = margin(c90=10, n2=-10)
    assert both.required[0, 0] == both.risk[0, 0] - 2_500_000


def test_a_covered_writer_needs_less_than_a_bare_one() -> None:
    assert part(margin(c90=-10, n1=10), "scan", "near") < part(margin(c90=-10), "scan", "near") + part(margin(n1=10), "scan", "near")


@settings(max_examples=60)
@given(st.lists(LOTS, min_size=0, max_size=4))
def test_the_plain_twin_agrees_to_the_cent(rows: list[list[int]]) -> None:
    found = initial_margin(np.array(rows, dtype=np.int64).reshape(len(rows), len(BOOK.instruments)), BOOK, LOSSES)
    for account, lots in enumerate(rows):
        plain = PLAIN.of({one.code: amount for one, amount in zip(BOOK.instruments, lots, strict=True)})
        for place, family in enumerate(found.families):
            mine = {name: int(getattr(found, name)[account, place]) for name in plain["families"][family]}
            assert mine == plain["families"][family]
        assert dict(zip(found.currencies, found.required[account].tolist(), strict=True)) == plain["required"]


@given(LOTS)
def test_margin_is_never_negative(lots: list[int]) -> None:
    found = initial_margin(np.array([lots]), BOOK, LOSSES)
    for name in ("scan", "spread", "delivery", "credit", "minimum", "risk", "required"):
        assert not (getattr(found, name) < 0).any(), name
    assert (found.credit <= found.scan).all() and ((found.worst == 0) == (found.scan == 0)).all()


@given(st.integers(-9_000, 9_000), st.integers(-9_000, 9_000), st.sampled_from(["n1", "n2", "o1", "g1"]))
def test_netting_never_raises_the_margin_of_one_future(first: int, second: int, code: str) -> None:
    apart = margin(**{code: first}).required + margin(**{code: second}).required
    together = margin(**{code: first + second}).required
    assert (together <= apart).all()
    if first * second >= 0 and code != "o1":
        assert (together == apart).all()  # nothing to net, and no cent lost to rounding


@given(LOTS, LOTS)
def test_the_scan_of_two_portfolios_is_no_more_than_that_of_each(first: list[int], second: list[int]) -> None:
    one, two, both = (initial_margin(np.array([lots]), BOOK, LOSSES).scan for lots in (first, second, np.add(first, second).tolist()))
    assert (both <= one + two).all()


def test_a_part_of_a_cent_goes_against_the_account() -> None:
    third = Family(name="third", currency="EUR", lot=1, price_scan=Decimal("0.01"), extreme_multiple=0)
    book = Book((third,), (future("x", "third", "1.00", "m"),), (), (Scenario(Fraction(1, 3)), Scenario(Fraction(-1, 3))))
    assert initial_margin(np.array([[1], [3], [4], [-1]]), book).scan[:, 0].tolist() == [1, 1, 2, 1]


def test_what_does_not_fit_is_refused() -> None:
    one = future("x", "near", "80", "m")
    for told, make in (
        ("comes twice", lambda: Book((FAMILY,), (one, one))),
        ("there is no family 'nowhere'", lambda: Book((FAMILY,), (future("x", "nowhere", "80", "m"),))),
        ("two families in one currency", lambda: Book((FAMILY, FAR), (one,), (Credit(families=("near", "far"), share=1),))),
        ("a share from 0 to 1", lambda: Book((FAMILY, OTHER), (one,), (Credit(families=("near", "other"), share=2),))),
        ("no whole number of the smallest coin", lambda: dataclasses.replace(FAMILY, spread_charge=Decimal("0.001"))),
        ("may not be negative", lambda: dataclasses.replace(FAMILY, price_scan=-1)),
        ("rows are accounts", lambda: initial_margin(np.zeros((2, 3), dtype=np.int64), BOOK)),
        ("fewer digits", lambda: losses(Book((dataclasses.replace(FAMILY, lot=1, price_scan=Decimal("0.123456789")),), (one,)))),
    ):
        with pytest.raises(MarginError, match=told):
            make()
    with pytest.raises(OverflowError, match="do not fit 64 bits"):
        initial_margin(np.full((1, len(BOOK.instruments)), 2**50), BOOK, LOSSES)


def test_listed_instruments_come_into_the_book() -> None:
    terms = {"lot": 1_000, "unit": "allowance", "tick": Decimal("0.01"), "currency": "EUR"}
    contract = Contract.of("f", "v", "future", terms)
    written = Contract.of("o", "v", "option", terms | {"premium": "paid", "style": "european", "underlying": "f"})
    december = Instrument("f:2026-12", contract, expiry=date(2026, 12, 14), delivery=date(2026, 12, 16))
    call = Instrument("o:2026-12:call:90.00", written, expiry=date(2026, 12, 9), strike_ticks=9_000, right="call")
    on = date(2026, 11, 20)
    assert Held.of(december, "near", 8_360, on) == future("f:2026-12", "near", "83.60", "2026-12")
    held = Held.of(call, "near", 109, on, underlying=december, underlying_ticks=8_360, volatility=Decimal("0.38"))
    assert held.option == Option("call", Decimal("90.00"), Decimal("0.38"), 19) and held.month == "2026-12" and held.future == Decimal("83.60")
    with pytest.raises(MarginError, match="needs its future"):
        Held.of(call, "near", 109, on)
    with pytest.raises(MarginError, match="not expired"):
        Held.of(call, "near", 109, date(2026, 12, 10), underlying=december, underlying_ticks=8_360, volatility=1)


# -- calls and the default fund


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1), st.integers(0, 10**6), st.integers(1, 10**6))
def test_after_its_call_an_account_is_covered_or_below_the_threshold(rows: list[tuple[int, int]], threshold: int, step: int) -> None:
    needed, held = np.array(rows).T
    found = calls(needed, held, threshold=threshold, step=step)
    assert np.all((held + found.call >= needed) | ((needed - held <= threshold) & (found.call == 0)))
    assert np.all(found.call % step == 0) and np.all(found.call * found.excess == 0) and np.all(found.call < np.maximum(needed - held, 0) + step)
    assert found.excess.tolist() == np.maximum(held - needed, 0).tolist()


def test_calls_by_hand() -> None:
    found = calls([1_234_567, 500, 500], [1_000_000, 500, 900], step=10_000)
    assert found.call.tolist() == [240_000, 0, 0] and found.excess.tolist() == [0, 0, 400] and found.called.tolist() == [0]
    assert calls([1_000, 1_001], [900, 900], threshold=100).call.tolist() == [0, 101]
    assert intraday_calls([1_000], [900], [500]).call.tolist() == [500]  # nor does it pay for what is lacking
    during = intraday_calls([1_000, 1_000, 1_000], [-400, 900, -50], [1_000, 1_000, 1_000], trigger=Decimal("0.10"))
    assert during.call.tolist() == [400, 0, 0]  # 50 is under a tenth of 1,000; a gain of the day frees nothing
    assert collateral_value({"cash": [100_000, 0], "bonds": [200_001, 3]}, {"cash": 0, "bonds": Decimal("0.05")}).tolist() == [290_000, 2]
    with pytest.raises(ValueError, match="no haircut for 'gold'"):
        collateral_value({"gold": [1]}, {"cash": 0})


def test_the_default_fund_by_hand() -> None:
    assert default_fund([50, 450, 500], 1_000, 100).tolist() == [100, 426, 474]
    assert default_fund([99, 901], 1_000, 100).tolist() == [100, 900]
    assert default_fund([1, 1, 1], 100).tolist() == [34, 33, 33]
    assert default_fund([5, 5], 100, 60).tolist() == [60, 60]  # floors alone pass the size


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any), st.integers(0, 10**10), st.integers(0, 10**9))
def test_the_default_fund_adds_up_and_keeps_its_floor(margins: list[int], size: int, floor: int) -> None:
    found = default_fund(margins, size, floor).tolist()
    assert sum(found) == max(size, floor * len(margins)) and min(found) >= floor
    above = [(m, c) for m, c in zip(margins, found, strict=True) if c > floor + 1]
    assert all(a[1] <= b[1] + 1 for a in above for b in above if a[0] <= b[0])
