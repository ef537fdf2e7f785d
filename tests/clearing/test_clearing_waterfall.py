"""Default: positions closed, the loss laid on the layers, money that comes back; every cent is somebody's."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.clearing.close_out import Bid, awards_of, close_out
from tonne.clearing.waterfall import HOUSE, LAYERS, Waterfall, recovered, waterfall

MONEY = st.integers(0, 10**9)


@st.composite
def defaults(draw: st.DrawFn) -> dict[str, object]:
    members = draw(st.integers(1, 7))
    amounts = st.lists(MONEY | st.just(0), min_size=members, max_size=members)
    losses = draw(st.dictionaries(st.integers(0, members - 1), st.integers(-(10**6), 10**10), min_size=1, max_size=members))
    return {
        "losses": losses,
        "margin": draw(amounts),
        "fund": draw(amounts),
        "house_capital": draw(MONEY | st.just(0)),
        "house_second": draw(st.just(0) | MONEY),
        "assessment_multiple": draw(st.sampled_from([0, 1, Decimal("2.75")])),
        "gains": draw(st.none() | st.lists(st.integers(-(10**9), 10**9), min_size=members, max_size=members)),
    }


def plain(case: dict[str, object]) -> tuple[dict[str, int], int]:
    """What each layer bears, by subtraction."""
    losses, margin, fund, gains = case["losses"], case["margin"], case["fund"], case["gains"]
    used = dict.fromkeys(LAYERS, 0)
    left = 0
    for member, loss in losses.items():
        loss = max(loss, 0)
        own = min(loss, margin[member])
        share = min(loss - own, fund[member])
        used["defaulter_margin"] += own
        used["defaulter_fund"] += share
        left += loss - own - share
    others = [member for member in range(len(fund)) if member not in losses]
    multiple = Decimal(case["assessment_multiple"])
    sizes = {
        "house_capital": case["house_capital"],
        "default_fund": sum(fund[m] for m in others),
        "house_second": case["house_second"],
        "assessment": sum(int(fund[m] * multiple) for m in others),
        "haircut": sum(max(gains[m], 0) for m in others) if gains else 0,
    }
    for layer, size in sizes.items():
        used[layer] = min(left, size)
        left -= used[layer]
    return used, left


@given(defaults())
def test_the_waterfall_conserves_to_the_cent(case: dict[str, object]) -> None:
    found = waterfall(**case)
    used, left = plain(case)
    assert {layer: found.used(layer) for layer in LAYERS} == used and found.uncovered == left
    assert sum(row.used for row in found.rows) + found.uncovered == found.loss == sum(max(loss, 0) for loss in case["losses"].values())
    assert all(0 <= row.used <= row.available for row in found.rows)
    places = [LAYERS.index(row.layer) for row in found.rows]
    assert places == sorted(places)
    assert found.table()["used"].sum() == found.loss


@given(defaults())
def test_a_later_layer_is_touched_only_when_the_earlier_ones_are_gone(case: dict[str, object]) -> None:
    found = waterfall(**case)
    rows = [row for row in found.rows if not row.layer.startswith("defaulter")]
    for layer in LAYERS[2:]:
        if found.used(layer):
            earlier = [row for row in rows if LAYERS.index(row.layer) < LAYERS.index(layer)]
            assert all(row.used == row.available for row in earlier)
    if found.uncovered:
        assert all(row.used == row.available for row in rows)
    for row in found.rows:
        assert (row.member in case["losses"]) == row.layer.startswith("defaulter")


@given(defaults(), st.integers(0, 2 * 10**10))
def test_a_recovery_goes_back_in_reverse(case: dict[str, object], amount: int) -> None:
    found = waterfall(**case)
    back, estate = recovered(found, amount)
    assert sum(row.amount for row in back) + estate == amount and estate == max(amount - found.loss, 0)
    bore = {(row.layer, row.member): row.used for row in found.rows} | {("uncovered", HOUSE): found.uncovered}
    assert all(0 < row.amount <= bore[row.layer, row.member] for row in back)
    order = ["uncovered", *reversed(LAYERS)]
    last = max((order.index(row.layer) for row in back), default=0)
    for layer in order[:last]:
        returned = sum(row.amount for row in back if row.layer == layer)
        assert returned == (found.uncovered if layer == "uncovered" else found.used(layer))


def day_of_default() -> Waterfall:
    """The example of docs/clearing.md."""
    fund = [300_000_00, 100_000_00, 150_000_00, 250_000_00]
    margin = [1_200_000_00, 0, 0, 0]
    return waterfall({0: 2_000_000_01}, margin=margin, fund=fund, house_capital=100_000_00, assessment_multiple=1)


def test_the_example_of_the_document() -> None:
    found = day_of_default()
    assert [tuple(row) for row in found.rows] == [
        ("defaulter_margin", 0, 1_200_000_00, 1_200_000_00),
        ("defaulter_fund", 0, 300_000_00, 300_000_00),
        ("house_capital", HOUSE, 100_000_00, 100_000_00),
        ("default_fund", 1, 100_000_00, 80_000_00),
        ("default_fund", 2, 150_000_00, 120_000_00),
        ("default_fund", 3, 250_000_00, 200_000_01),
        ("assessment", 1, 100_000_00, 0),
        ("assessment", 2, 150_000_00, 0),
        ("assessment", 3, 250_000_00, 0),
    ]
    assert found.sentence() == (
        "Of a loss of 2,000,000.01 EUR the defaulter's margin bears 1,200,000.00 EUR, its share of the default fund bears 300,000.00 EUR, "
        "the house's own capital bears 100,000.00 EUR, the other members' default fund bears 400,000.01 EUR, nothing stays uncovered."
    )
    back, estate = recovered(found, 450_000_00)
    assert [tuple(row) for row in back] == [
        ("default_fund", 1, 80_000_00), ("default_fund", 2, 120_000_00), ("default_fund", 3, 200_000_01), ("house_capital", HOUSE, 49_999_99),
    ]  # fmt: skip
    assert estate == 0


def test_what_nobody_bears_is_named() -> None:
    found = waterfall({0: 1_000}, margin=[100, 0], fund=[50, 60], house_capital=10, assessment_multiple=1, gains=[500, 70], currency="USD")
    assert found.uncovered == 1_000 - 100 - 50 - 10 - 60 - 60 - 70
    assert found.sentence().endswith("cuts of the gains owed to members bear 0.70 USD, 6.50 USD stays uncovered.")
    assert found.table(["Alpha", "Beta"]).rows()[-1] == ("uncovered", "", 0, 650)
    with pytest.raises(ValueError, match="no layer 'luck'"):
        found.used("luck")


def test_what_cannot_be_is_refused() -> None:
    for told, case in (
        ("not negative", {"losses": {0: 1}, "margin": [-1], "fund": [0]}),
        ("one each a member", {"losses": {0: 1}, "margin": [1, 2], "fund": [0]}),
        ("a member from 0 to 0", {"losses": {1: 1}, "margin": [1], "fund": [0]}),
    ):
        with pytest.raises(ValueError, match=told):
            waterfall(**case)
    with pytest.raises(ValueError, match="not negative"):
        recovered(day_of_default(), -1)


# -- closing out


BIDS = st.lists(st.builds(Bid, st.integers(1, 4), st.integers(8_000, 8_020), st.integers(1, 60)), max_size=8)


@given(st.integers(-100, 100), BIDS, st.none() | st.integers(8_000, 8_020))
def test_lots_go_to_the_best_prices(position: int, bids: list[Bid], reserve: int | None) -> None:
    found = awards_of(position, bids, reserve=reserve)
    side = 1 if position > 0 else -1
    fit = [bid for bid in bids if reserve is None or side * (bid.price - reserve) >= 0]
    assert sum(award.lots for award in found) == min(abs(position), sum(bid.lots for bid in fit))
    one_by_one = sorted(-side * bid.price for bid in fit for _ in range(bid.lots))[: abs(position)]
    assert sorted(-side * award.price for award in found for _ in range(award.lots)) == one_by_one


@given(st.integers(-100, 100), BIDS, st.none() | st.integers(7_900, 8_100))
def test_what_the_defaulter_loses_the_others_gain_and_positions_stay_balanced(position: int, bids: list[Bid], price: int | None) -> None:
    bids_by = {0: bids} if position and bids else {}
    found = close_out([position], [8_010], [1_000], 5, bids=bids_by, prices=None if price is None else {0: price}, defaulters=[0])
    gains = sum((1 if position > 0 else -1) * award.lots * (8_010 - award.price) * 1_000 for award in found.awards)
    assert found.loss == gains + int(found.given[0]) * (8_010 - (price or 0)) * 1_000
    assert int(found.change[:, 0].sum() + found.remaining[0] + found.given[0]) == position
    assert price is None or found.remaining[0] == 0


def test_an_auction_by_hand() -> None:
    bids = [Bid(1, 8_000, 30), Bid(2, 8_005, 40), Bid(3, 8_000, 50)]
    found = close_out([100, 0, -20], [8_010, 0, 500], [1_000, 1, 1_000], 4, bids={0: bids}, prices={2: 520}, defaulters=[0])
    assert [tuple(award) for award in found.awards] == [(0, 2, 8_005, 40), (0, 1, 8_000, 30), (0, 3, 8_000, 30)]
    assert found.loss == (40 * 5 + 60 * 10) * 1_000 + 20 * 20 * 1_000 and found.given.tolist() == [0, 0, -20] and not found.remaining.any()
    assert found.change[:, 0].tolist() == [0, 30, 40, 30]
    drawn = close_out([100], [8_010], [1_000], 4, bids={0: bids}, orders={0: [9, 5, 1]}, reserves={0: 8_000})
    assert [(award.member, award.lots) for award in drawn.awards] == [(2, 40), (3, 50), (1, 10)]
    short = close_out([-10], [500], [1_000], 3, bids={0: [Bid(1, 510, 4), Bid(2, 505, 4)]}, reserves={0: 508})
    assert [(a.member, a.lots) for a in short.awards] == [(2, 4)] and short.remaining.tolist() == [-6] and short.loss == 4 * 5 * 1_000
    assert short.change[:, 0].tolist() == [0, 0, -4]


def test_a_bid_that_cannot_be_is_refused() -> None:
    for told, bids, position in (
        ("in default", [Bid(0, 1, 1)], 5),
        ("no such member", [Bid(7, 1, 1)], 5),
        ("nothing to be closed", [Bid(1, 1, 1)], 0),
    ):
        with pytest.raises(ValueError, match=told):
            close_out([position], [1], [1], 3, bids={0: bids}, defaulters=[0])
    with pytest.raises(ValueError, match="at least one lot"):
        awards_of(5, [Bid(1, 1, 0)])


def test_members_positions_add_up_to_zero_after_a_default() -> None:
    positions = np.array([[100, -20], [-60, 20], [-40, 0]])
    found = close_out(positions[0], [8_010, 500], [1_000, 1_000], 3, bids={0: [Bid(1, 8_000, 70), Bid(2, 7_990, 70)], 1: [Bid(2, 505, 20)]})
    positions[0] = found.remaining + found.given
    assert (positions + found.change).sum(axis=0).tolist() == [0, 0] and (positions + found.change)[0].tolist() == [0, 0]
