"""What the law says of an auction on a day: prices in ticks, limits, reserves; for every system and on the days on which the law changes."""

from __future__ import annotations

from decimal import Decimal

import pytest

import tonne
from tonne.administration.asks import answer, asks
from tonne.administration.auction_terms import purchase_limits, switches_of, terms_of, ticks_of
from tonne.law import NotYetInForce
from tonne.market.auction import AuctionRules
from tonne.units import DOWN, UP

AUCTIONING = [name for name in tonne.systems() if "auction_format" in asks(tonne.rulebook(name))]


def test_a_law_that_does_not_say_how_bids_are_cleared_has_no_switches() -> None:
    with pytest.raises(ValueError, match="tokyo-cap-and-trade: its rulebook does not say how bids are cleared"):
        switches_of(tonne.rulebook("tokyo-cap-and-trade").at("2024-01-01"))
    with pytest.raises(NotYetInForce):
        switches_of(tonne.rulebook("germany-nehs").at("2025-01-01"))


def test_the_switches_carry_the_digits_of_the_money() -> None:
    assert switches_of(tonne.rulebook("k-ets").at("2025-02-01")).decimals == 0
    assert switches_of(tonne.rulebook("eu-ets").at("2025-02-01")).decimals == 2


def test_a_price_between_two_steps_breaks_no_law_by_rounding() -> None:
    rules = AuctionRules(price_step=Decimal("0.05"))
    assert [ticks_of(rules, price, way) for price in ("10.00", "10.01") for way in (UP, DOWN)] == [200, 200, 201, 200]


def test_floor_ceiling_limit_and_reserves_by_law() -> None:
    german = tonne.rulebook("germany-nehs").at("2026-07-07")
    terms = terms_of(german, switches_of(german), 1_000_000)
    assert (terms.reserve, terms.ceiling, terms.bid_limit, terms.tiers, terms.withhold) == (5500, 6500, None, [], None)
    rggi = tonne.rulebook("rggi").at("2024-06-05")
    rules = switches_of(rggi)
    fresh, used = (terms_of(rggi, rules, 10_000_000, released=(gone, 0), withheld=taken) for gone, taken in ((0, 0), (10_000_000, 1_000_000)))
    trigger, size = ticks_of(rules, answer(rggi, "containment_trigger", (2024,)), UP), int(answer(rggi, "containment_size", (2024,)))
    assert fresh.bid_limit == 2_500_000 and fresh.tiers == [(trigger, size)] and used.tiers == [(trigger, max(size - 10_000_000, 0))]
    assert fresh.withhold is not None and used.withhold is not None and fresh.withhold[1] - used.withhold[1] in (0, 1_000_000)
    assert terms_of(rggi, rules, 10_000_000, released=(10**12, 0)).tiers == [(trigger, 0)]
    assert fresh.sources["auction_reserve_price"] == "auction_reserve_price" and "containment_trigger" in fresh.sources


def test_the_year_of_the_auction_goes_before_that_of_its_day() -> None:
    law = tonne.rulebook("washington").at("2024-12-04")
    rules = switches_of(law)
    assert terms_of(law, rules, 1_000, year=2024).reserve == ticks_of(rules, answer(law, "auction_reserve_price", (2024,)), UP)
    assert terms_of(law, rules, 1_000, year=2024).reserve == terms_of(law, rules, 1_000).reserve


def test_purchase_limits_by_kind() -> None:
    law = tonne.rulebook("california").at("2023-02-15")
    assert purchase_limits(law, 100_000_000, ["covered", "voluntary"]).tolist() == [25_000_000, 4_000_000]
    assert purchase_limits(tonne.rulebook("eu-ets").at("2023-02-15"), 1_000, ["covered"]) is None
    with pytest.raises(ValueError, match="no purchase limit for 'dragon'"):
        purchase_limits(law, 1_000, ["dragon"])


@pytest.mark.parametrize("system", AUCTIONING)
def test_terms_on_every_day_on_which_the_law_of_auctions_changes(system: str) -> None:
    book = tonne.rulebook(system)
    days = {v.starts for path, p in book.parameters.items() if path.startswith(("auction.", "stability.")) for v in p.values}
    asked = 0
    for day in sorted(day for day in days if day >= book.system.begins):
        law = book.at(day)
        try:
            rules = switches_of(law)
        except NotYetInForce:
            continue
        terms = terms_of(law, rules, 1_000_000)
        asked += 1
        assert terms.reserve is None or terms.reserve > 0
        assert terms.ceiling is None or terms.ceiling >= (terms.reserve or 1)
        assert [trigger for trigger, _ in terms.tiers] == sorted(trigger for trigger, _ in terms.tiers)
        assert all(units >= 0 for _, units in terms.tiers)
        assert terms.withhold is None or (terms.withhold[0] > (terms.reserve or 0) and terms.withhold[1] >= 0)
        assert not set(terms.sources) & set(terms.silent) - {"containment_trigger", "containment_size"}
    assert asked
