"""Due days, netting, delivery against payment, and what becomes of a failure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonne.clearing.failed_delivery import Failure, FailureRules, Flow, Gain, Movement, Stage, close_out, late_charge, settle_in_cash, stage, value_at
from tonne.clearing.settlement import (
    DUE,
    HOLDING,
    MONEY_MISSING,
    NET,
    UNITS_MISSING,
    SettlementError,
    due_day,
    due_days,
    dues_of,
    is_late,
    local_moment,
    net,
    net_plain,
    settle,
    settle_plain,
    through_ccp,
    transfer_pairs,
    uncovered,
)
from tonne.dates import day_number, is_business_day
from tonne.ledger import AccountFlag, Auditor, UnitType
from tonne.units import UP

MONDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 20)
UNIT, CASH = 0, 1


def weekday(day):
    return day.weekday() < 5


# when


@pytest.mark.parametrize(("clock", "due"), [("15:59", 17), ("15:59:59.999999", 17), ("16:00", 18), ("16:01", 18)])
def test_before_four_is_due_the_next_day_and_after_it_the_day_after(clock, due):
    """Worked example eex-spot-cutoff; at four sharp is late."""
    assert due_day(MONDAY, time.fromisoformat(clock), lag=1, cutoff="16:00", is_business=weekday) == date(2026, 11, due)


@pytest.mark.parametrize(("lag", "due"), [(0, 20), (1, 23), (2, 24), (3, 25)])
def test_lags_count_business_days_over_a_weekend(lag, due):
    assert due_day(FRIDAY, time(10), lag=lag, is_business=weekday) == date(2026, 11, due)


def test_lags_pass_over_holidays():
    christmas = lambda day: is_business_day(day, "DE")  # noqa: E731
    assert due_day(date(2026, 12, 23), time(17), lag=1, cutoff="16:00", is_business=christmas) == date(2026, 12, 28)


def test_a_trade_on_a_closed_day_counts_as_made_at_the_start_of_the_next():
    saturday = date(2026, 11, 21)
    assert due_day(saturday, time(18), lag=1, cutoff="16:00", is_business=weekday) == date(2026, 11, 24)
    assert due_day(saturday, time(9), lag=0, is_business=weekday) == date(2026, 11, 23)


def test_late_trades_may_have_their_own_lag():
    assert due_day(MONDAY, time(17), lag=1, late_lag=3, cutoff="16:00", is_business=weekday) == date(2026, 11, 19)
    with pytest.raises(SettlementError, match="not longer"):
        due_day(MONDAY, time(17), lag=2, late_lag=1, cutoff="16:00", is_business=weekday)
    with pytest.raises(SettlementError, match="calendar has none"):
        due_day(MONDAY, time(9), lag=1, is_business=lambda day: False)


def test_a_cut_off_that_never_comes():
    assert not is_late(time(23, 59), None) and not is_late(time(23, 59), "24:00") and is_late(time(16), time(16))


def test_columns_of_due_days_are_the_single_ones():
    days = [day_number(MONDAY) + k for k in range(14)]
    for late in (False, True):
        each = [
            day_number(due_day(date.fromordinal(719163 + day), time(17 if late else 9), lag=1, cutoff="16:00", is_business=weekday)) for day in days
        ]
        assert due_days(days, late, lag=1, is_business=weekday).tolist() == each
    assert due_days([], [], lag=1, is_business=weekday).tolist() == []


def test_the_cut_off_is_in_the_venues_clock():
    """15:30 UTC is 16:30 in winter time and 17:30 in summer time; 14:30 UTC is 15:30 and 16:30."""
    winter, summer = datetime(2026, 1, 15, 14, 30, tzinfo=UTC), datetime(2026, 7, 15, 14, 30, tzinfo=UTC)
    clocks = [local_moment(int(moment.timestamp()) * 1_000_000, "Europe/Berlin") for moment in (winter, summer)]
    assert clocks == [(date(2026, 1, 15), time(15, 30)), (date(2026, 7, 15), time(16, 30))]
    assert [is_late(clock, "16:00") for _, clock in clocks] == [False, True]
    assert local_moment(int(winter.timestamp()) * 1_000_000, "Pacific/Auckland")[0] == date(2026, 1, 16)


# what


accounts, small = st.integers(1, 6), st.integers(0, 40)
pairs = st.tuples(st.integers(1, 40), small, accounts, accounts, st.integers(0, 1), st.integers(2, 3), st.integers(100, 103)).filter(
    lambda r: r[2] != r[3]
)


@st.composite
def tables(draw, largest=20):
    rows = draw(st.lists(pairs, max_size=largest))
    numbers = draw(st.permutations(range(1, len(rows) + 1)))
    return dues_of([(number, *row) for number, row in zip(numbers, rows, strict=True)])


@st.composite
def holdings(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, 90), accounts, st.integers(0, 3)), max_size=24))
    return np.array(rows, dtype=HOLDING)


def test_netting_by_hand():
    """1 sells 2 ten for 800, 2 sells 3 ten for 820, 3 sells 1 four for 330: all but one unit flow cancels out."""
    dues = dues_of([(1, 10, 800, 1, 2, UNIT, CASH, 5), (2, 10, 820, 2, 3, UNIT, CASH, 5), (3, 4, 330, 3, 1, UNIT, CASH, 5)])
    got = {(int(r["account"]), int(r["unit"])): int(r["quantity"]) for r in net(dues)}
    assert got == {(1, UNIT): -6, (3, UNIT): 6, (1, CASH): 470, (2, CASH): 20, (3, CASH): -490}
    assert through_ccp(net(dues), ccp=99) == [
        (5, 1, 99, UNIT, 6), (5, 3, 99, CASH, 490), (5, 99, 3, UNIT, 6), (5, 99, 1, CASH, 470), (5, 99, 2, CASH, 20),
    ]  # fmt: skip


@given(tables())
def test_netting_sums_to_zero_and_is_the_plain_one(dues):
    rows = net(dues)
    assert rows.dtype == NET and np.all(rows["quantity"] != 0)
    assert {(int(r["due"]), int(r["account"]), int(r["unit"])): int(r["quantity"]) for r in rows} == net_plain(dues)
    for due in np.unique(rows["due"]):
        for unit in range(4):
            chosen = (rows["due"] == due) & (rows["unit"] == unit)
            assert rows["quantity"][chosen].sum() == 0
            assert np.abs(rows["quantity"][chosen]).sum() <= 2 * sum(int(d["units"] if unit < 2 else d["money"]) for d in dues)


@given(tables(), st.randoms(use_true_random=False))
def test_netting_does_not_depend_on_the_order_of_rows(dues, shuffle):
    order = list(range(len(dues)))
    shuffle.shuffle(order)
    assert np.array_equal(net(dues[order]), net(dues))


def test_what_is_owed_net_and_not_there():
    dues = dues_of([(1, 10, 800, 1, 2, UNIT, CASH, 5), (2, 10, 800, 2, 3, UNIT, CASH, 6)])
    have = np.array([(7, 1, UNIT), (800, 2, CASH), (900, 3, CASH)], dtype=HOLDING)
    assert [tuple(row)[:4] for row in uncovered(net(dues), have).tolist()] == [(3, 5, 1, UNIT)]
    assert len(uncovered(net(dues), have[:0])) == 3, "2 is paid on the day before it would pay, and gets its units the day before it gives them"


def test_what_is_missing_on_one_day_is_not_missing_again_on_the_next():
    dues = dues_of([(1, 10, 0, 1, 2, UNIT, CASH, 5), (2, 4, 0, 1, 2, UNIT, CASH, 6)])
    have = np.array([(3, 1, UNIT), (4, 1, UNIT)], dtype=HOLDING)
    assert uncovered(net(dues), have)["quantity"].tolist() == [3, 4]


def test_days_are_netted_apart():
    """The last row of one day and the first of the next are of the same account and unit type."""
    dues = dues_of([(1, 10, 800, 1, 2, 5, 0, 5), (2, 4, 300, 2, 3, 5, 9, 6)])
    assert {(int(r["due"]), int(r["account"]), int(r["unit"])): int(r["quantity"]) for r in net(dues)} == net_plain(dues)
    assert net_plain(dues)[5, 2, 5] == 10 and net_plain(dues)[6, 2, 5] == -4


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((1, 0, 5, 1, 2, 0, 1, 5), "delivers no units"), ((1, 5, -1, 1, 2, 0, 1, 5), "less than nothing"),
        ((1, 5, 5, 2, 2, 0, 1, 5), "both sides"), ((1, 5, 5, 1, 2, 1, 1, 5), "pays with the units"),
    ],
)  # fmt: skip
def test_rows_that_are_no_delivery_are_named(row, said):
    with pytest.raises(SettlementError, match=rf"row 1: trade 1 .*{said}"):
        dues_of([(7, 1, 1, 1, 2, 0, 1, 5), row])
    with pytest.raises(SettlementError, match="trade 7 stands in several rows"):
        dues_of([(7, 1, 1, 1, 2, 0, 1, 5)] * 2)


# both legs or neither


def state_after(dues, holding, settled):
    have: dict[tuple[int, int], int] = {}
    for quantity, account, unit in holding.tolist():
        have[account, unit] = have.get((account, unit), 0) + quantity
    for k in np.argsort(settled.number):
        if settled.number[k] < 0:
            continue
        _, units, money, seller, buyer, unit, currency, _, _ = dues[k].item()
        for giver, taker, what, quantity in ((seller, buyer, unit, units), (buyer, seller, currency, money)):
            have[giver, what] = have.get((giver, what), 0) - quantity
            have[taker, what] = have.get((taker, what), 0) + quantity
            assert have[giver, what] >= 0, "an account gave what it did not have"
    return have


@settings(max_examples=200)
@given(tables(), holdings())
def test_settling_is_the_plain_one_conserves_and_leaves_nothing_that_could_settle(dues, holding):
    fast, plain = settle(dues, holding), settle_plain(dues, holding)
    assert fast.settled.tolist() == plain.settled.tolist() and fast.number.tolist() == plain.number.tolist()
    assert fast.missing.tolist() == plain.missing.tolist() and fast.passes == plain.passes
    have = state_after(dues, holding, fast)
    for unit in range(4):
        assert sum(q for (_, what), q in have.items() if what == unit) == int(holding["quantity"][holding["unit"] == unit].sum())
    for k in np.flatnonzero(~fast.settled):
        _, units, money, seller, buyer, unit, currency, _, _ = dues[k].item()
        lacks = (have.get((seller, unit), 0) < units) * UNITS_MISSING + (have.get((buyer, currency), 0) < money) * MONEY_MISSING
        assert fast.missing[k] == lacks != 0


@given(tables(), holdings(), st.randoms(use_true_random=False))
def test_settling_does_not_depend_on_the_order_of_rows(dues, holding, shuffle):
    order, mixed = list(range(len(dues))), list(range(len(holding)))
    shuffle.shuffle(order)
    shuffle.shuffle(mixed)
    one, other = settle(dues, holding), settle(dues[order], holding[mixed])
    assert other.number.tolist() == one.number[order].tolist() and other.missing.tolist() == one.missing[order].tolist()


@given(tables(), st.randoms(use_true_random=False))
def test_where_everybody_has_enough_for_all_everything_settles_at_once_in_the_documented_order(dues, shuffle):
    plenty = np.array([(10_000, account, unit) for account in range(1, 7) for unit in range(4)], dtype=HOLDING)
    result = settle(dues, plenty)
    assert result.settled.all() and result.passes == min(1, len(dues))
    assert [int(t) for t in dues["trade"][np.argsort(result.number)]] == [int(d["trade"]) for d in np.sort(dues, order=["due", "trade"])]


def test_a_chain_settles_although_its_last_link_was_agreed_first():
    """3 sells to 4 what it buys of 2, who buys it of 1; the money runs the other way through hands that begin empty."""
    chain = dues_of([(1, 10, 900, 3, 4, UNIT, CASH, 5), (2, 10, 850, 2, 3, UNIT, CASH, 5), (3, 10, 800, 1, 2, UNIT, CASH, 5)])
    rich = np.array([(10, 1, UNIT), (800, 2, CASH), (850, 3, CASH), (900, 4, CASH)], dtype=HOLDING)
    result = settle(chain, rich)
    assert result.settled.all() and result.passes == 3 and result.number.tolist() == [2, 1, 0]
    poor = settle(chain, np.array([(10, 1, UNIT), (900, 4, CASH)], dtype=HOLDING))
    assert not poor.settled.any(), "nobody can begin"
    assert poor.missing.tolist() == [UNITS_MISSING, UNITS_MISSING | MONEY_MISSING, MONEY_MISSING]
    assert uncovered(net(chain), np.array([(10, 1, UNIT), (900, 4, CASH)], dtype=HOLDING)).size == 0, "netted, the same chain is covered"


def test_one_failure_fails_its_pair_only_and_earlier_trades_come_first():
    dues = dues_of([(3, 6, 60, 1, 2, UNIT, CASH, 5), (2, 6, 60, 1, 3, UNIT, CASH, 6), (4, 4, 40, 1, 3, UNIT, CASH, 7)])
    result = settle(dues, np.array([(10, 1, UNIT), (100, 2, CASH), (100, 3, CASH)], dtype=HOLDING))
    assert result.settled.tolist() == [True, False, True], "the day comes before the number, and trade 2 does not stand in the way of trade 4"
    assert result.missing.tolist() == [0, UNITS_MISSING, 0]


def test_accounts_that_may_overdraw():
    dues = dues_of([(1, 6, 60, 1, 2, UNIT, CASH, 5)])
    have = np.array([(60, 2, CASH)], dtype=HOLDING)
    for way in (settle, settle_plain):
        assert not way(dues, have).settled.any() and way(dues, have, may_overdraw=[1]).settled.all()
        assert way(dues, have, may_overdraw=[2]).missing.tolist() == [UNITS_MISSING]
    assert settle(dues[:0], have[:0]).passes == 0


@settings(max_examples=40, deadline=None)
@given(tables(10), holdings())
def test_the_ledger_takes_the_plan_whole(dues, holding):
    """What settles here, in its order, is accepted by the ledger; a pair that does not is refused there too and leaves nothing."""
    books = Auditor()
    books.open_accounts([0] + [AccountFlag.MUST_NOT_OVERDRAW] * 6)
    for k in range(4):
        books.add_unit_type(UnitType(f"u{k}", "", "units", None, "lot"))
    begin = np.zeros(len(holding), dtype=transfer_pairs(dues[:0], 1, 1, 0, 0).dtype)
    begin["id"], begin["quantity"], begin["to_account"], begin["unit"] = (
        np.arange(len(holding)) + 1,
        holding["quantity"],
        holding["account"],
        holding["unit"],
    )
    begin["day"] = 1
    books.apply(begin[begin["quantity"] > 0])
    result = settle(dues, holding)
    order = np.argsort(result.number)
    plan = transfer_pairs(dues[order[result.number[order] >= 0]], first_id=1000, day=200, units_kind=7, money_kind=8)
    assert not np.any(books.apply(plan)), "every leg is accepted"
    failed = transfer_pairs(dues[~result.settled], first_id=5000, day=200, units_kind=7, money_kind=8)
    before = books.holdings()
    for k in np.flatnonzero(~result.settled):
        one = transfer_pairs(dues[k : k + 1], first_id=9000 + 2 * int(k), day=200, units_kind=7, money_kind=8)
        assert np.any(books.apply(one))
    assert all(np.array_equal(a, b) for a, b in zip(before, books.holdings(), strict=True))
    assert len(failed) >= int((~result.settled).sum())


def test_a_gift_is_one_transfer_and_a_sale_two_linked_ones():
    batch = transfer_pairs(dues_of([(1, 5, 0, 1, 2, UNIT, CASH, 5), (2, 5, 40, 1, 2, UNIT, CASH, 5)]), first_id=10, day=9, units_kind=7, money_kind=8)
    assert [(int(t["id"]), int(t["from_account"]), int(t["unit"]), int(t["quantity"]), int(t["kind"]), int(t["flags"])) for t in batch] == [
        (10, 1, UNIT, 5, 7, 0), (11, 1, UNIT, 5, 7, 1), (12, 2, CASH, 40, 8, 0),
    ]  # fmt: skip
    assert set(batch["day"].tolist()) == {9}


# failures


RULES = FailureRules(extension_days=1, buy_in_days=4, fee_minor=25_000)
FAILED = Failure(trade=1, units=10_000, money=80_000_000, seller=1, buyer=2, failing=1)
VENUE, MARKET = 8, 9


@pytest.mark.parametrize(
    ("day", "where"),
    [("11-19", Stage.NOT_DUE), ("11-20", Stage.DUE), ("11-21", Stage.EXTENDED), ("11-23", Stage.EXTENDED), ("11-24", Stage.BUY_IN),
     ("11-27", Stage.BUY_IN), ("11-28", Stage.CASH), ("11-30", Stage.CASH)],
)  # fmt: skip
def test_stages_of_a_failure(day, where):
    assert stage(RULES, FRIDAY, date.fromisoformat(f"2026-{day}"), weekday) is where


def test_without_extension_and_buy_in_it_is_cash_the_next_day():
    assert stage(FailureRules(), MONDAY, date(2026, 11, 17), weekday) is Stage.CASH


def test_buy_in_by_hand():
    """Agreed at 80.00, bought in at 84.00: the failing seller bears 40,000.00 and the fee; the buyer pays what it agreed."""
    moves = close_out(RULES, FAILED, other=MARKET, value=value_at(10_000, "84.00", "EUR"), venue=VENUE)
    assert moves == (
        Movement(MARKET, 2, 10_000, Flow.DELIVERY), Movement(2, MARKET, 80_000_000, Flow.PRICE),
        Movement(1, MARKET, 4_000_000, Flow.DIFFERENCE), Movement(1, VENUE, 25_000, Flow.FEE),
    )  # fmt: skip


def test_sell_out_by_hand():
    """The buyer did not pay; sold at 78.00: it bears 20,000.00."""
    moves = close_out(RULES, Failure(1, 10_000, 80_000_000, 1, 2, failing=2), other=MARKET, value=78_000_000, venue=VENUE)
    assert moves == (
        Movement(1, MARKET, 10_000, Flow.DELIVERY), Movement(MARKET, 1, 78_000_000, Flow.PRICE),
        Movement(2, 1, 2_000_000, Flow.DIFFERENCE), Movement(2, VENUE, 25_000, Flow.FEE),
    )  # fmt: skip


def test_cash_settlement_by_hand():
    assert settle_in_cash(RULES, FAILED, 83_000_000, VENUE) == (Movement(1, 2, 3_000_000, Flow.DIFFERENCE), Movement(1, VENUE, 25_000, Flow.FEE))
    assert settle_in_cash(RULES, FAILED, 79_000_000, VENUE) == (Movement(1, VENUE, 25_000, Flow.FEE),)


def test_amounts_are_rounded_once_by_name():
    assert value_at(1_001, "83.605", "EUR") == 8_368_861
    assert value_at(3, "1_000.5".replace("_", ""), "KRW") == 3_002, "no minor unit below the won; half away from zero"
    rules = FailureRules(fee_minor=100, fee_share=Decimal("0.0001"), late_share_per_day=Decimal("0.0005"), rounding=UP)
    odd = Failure(1, 7, 10_001, 1, 2, failing=1)
    assert rules.fee(odd.money) == 102, "1.0001 rounded up, and 100"
    assert late_charge(rules, odd, 3) == (Movement(1, 2, 16, Flow.LATE_CHARGE),), "15.0015 rounded up"
    assert late_charge(FailureRules(), odd, 3) == ()


def totals(moves):
    money: dict[int, int] = {}
    for m in moves:
        if not m.is_units:
            money[m.giver] = money.get(m.giver, 0) - m.quantity
            money[m.taker] = money.get(m.taker, 0) + m.quantity
    return money


@given(
    st.integers(1, 10**6), st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from([1, 2]), st.sampled_from(list(Gain)), st.integers(0, 500)
)
def test_whoever_did_its_part_never_ends_worse_than_agreed(units, money, value, failing, gain, fee):
    rules, failed = FailureRules(gain=gain, fee_minor=fee), Failure(1, units, money, 1, 2, failing)
    bought = totals(close_out(rules, failed, MARKET, value, VENUE))
    agreed = money if failing == 2 else -money
    injured = failed.injured
    assert sum(bought.values()) == 0
    better = bought.get(injured, 0) - agreed
    assert better == 0 if gain is not Gain.INJURED else better == max(0, (money - value) * (1 if failing == 1 else -1))
    assert bought.get(MARKET, 0) == (value if failing == 1 else -value)
    cash = totals(settle_in_cash(rules, failed, value, VENUE))
    worth = value if failing == 1 else -value
    assert sum(cash.values()) == 0
    kept = cash.get(injured, 0) - (worth + agreed)
    assert kept == 0 if gain is not Gain.INJURED else kept == max(0, -(worth + agreed))
    assert cash.get(VENUE, 0) == fee + (max(0, -(worth + agreed)) if gain is Gain.VENUE else 0)


@given(st.integers(2, 10**6), st.integers(0, 10**12), st.data())
def test_the_parts_of_a_failure_add_up(units, money, data):
    part, rest = Failure(1, units, money, 1, 2, 1).split(data.draw(st.integers(1, units - 1)))
    assert part.units + rest.units == units and part.money + rest.money == money and min(part.money, rest.money) >= 0
    assert abs(part.money * units - money * part.units) < units


def test_failures_that_cannot_be():
    with pytest.raises(SettlementError, match="cannot have failed"):
        Failure(1, 5, 5, 1, 2, failing=3)
    with pytest.raises(SettlementError, match="is no delivery"):
        Failure(1, 0, 5, 1, 2, failing=1)
    with pytest.raises(SettlementError, match="some of them and not all"):
        FAILED.split(10_000)
    with pytest.raises(SettlementError, match="somebody else"):
        close_out(RULES, FAILED, other=2, value=1, venue=VENUE)
    with pytest.raises(SettlementError, match="nothing or more"):
        settle_in_cash(RULES, FAILED, -1, VENUE)


def test_the_rows_are_of_whole_words():
    assert DUE.itemsize == 48 and HOLDING.itemsize == 16 and NET.itemsize == 24
