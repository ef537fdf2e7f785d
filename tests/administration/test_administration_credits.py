"""Baseline and credit: limits, units earned below them, payment for what is above; and units sold at a fixed price."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from small_markets import Desk, tiny_folder

import tonne

LIMITS = """
    rules: [sectoral_allocation]
    parameters:
      allocation_method: {unit: text, by: sector, values: [{from: 2020-01-01, value: {all: benchmark}, source: the council}]}
      benchmark: {unit: tCO2e_per_tonne_product, by: product, values: [{from: 2020-01-01, value: {brick: 2}, source: the council}]}
    """
OWED = """
    rules: [baseline_and_credit, payment_in_place_of_units, unit_use_limit]
    parameters:
      payment_price_by_year: {unit: CHF_per_allowance, by: year, values: [{from: 2020-01-01, value: {2020: 40.50}, source: the council}]}
      unit_use_share: {unit: ratio, by: year, values: [{from: 2020-01-01, value: {2020: 0.60}, source: the council}]}
    """
CALENDAR = """
    parameters:
      agenda:
        unit: calendar_rule
        by: task
        values: [{from: 2020-01-01, value: {verify: "+1 03-15", award: "+1 04-01", surrender: "+1 06-30", penalise: "+1 07-01"}, source: the council}]
    """
FIXED = """
    rules: [phased_obligation, fixed_price_sale]
    parameters:
      fixed_price_by_year: {unit: CHF_per_allowance, by: year, values: [{from: 2020-01-01, value: {2020: 25}, source: the council}]}
    """


def market(tmp_path: Path, **topics: str) -> Desk:
    folder = tiny_folder(tmp_path / "tiny-ets", **topics)
    for topic in ("cap", "auction", *(() if "allocation" in topics else ("allocation",))):
        (folder / f"{topic}.yaml").unlink()
    desk = Desk(tonne.rulebook(folder), "2020-01-01", 2020)
    plants = pl.DataFrame({"installation": ["low", "high"], "name": ["Low", "High"]})
    desk.accept("register_installations", tables={"installations": desk_frame(plants)})
    return desk


def desk_frame(plants: pl.DataFrame) -> pl.DataFrame:
    from tonne.registers.installations import INSTALLATION_SCHEMA

    missing = [pl.lit(None, kind).alias(name) for name, kind in INSTALLATION_SCHEMA.items() if name not in plants.columns]
    return plants.with_columns(*missing).with_columns(status=pl.lit("open")).select(list(INSTALLATION_SCHEMA))


def report(desk: Desk, **verified: int) -> None:
    rows = {
        "installation": list(verified),
        "year": [2020] * len(verified),
        "verified": list(verified.values()),
        "state": ["verified"] * len(verified),
    }
    said = {"installation": list(verified), "year": [2020] * len(verified), "emissions": list(verified.values())}
    desk.accept("report", day="2021-02-20", tables={"reports": said})
    desk.accept("register_participant", participant="seal", name="Seal", role="verifier", country="")
    desk.accept("verify", "seal", day="2021-03-01", tables={"reports": pl.DataFrame(rows)})


@pytest.fixture
def limits(tmp_path: Path) -> Desk:
    desk = market(tmp_path, allocation=LIMITS, obligation=OWED, calendar=CALENDAR)
    made = pl.DataFrame({"installation": ["low", "high"], "unit": ["1", "1"], "year": [2020, 2020], "product": ["brick"] * 2, "quantity": [500, 500]})
    desk.accept("file_activity", day="2021-02-01", tables={"activity": made})
    report(desk, low=900, high=1100)
    return desk


def advance(desk: Desk, verb: str, day: str) -> None:
    desk.accept(verb, "law", day=day, year=2020)


def test_who_stays_below_the_limit_earns_the_difference(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")
    state = limits.state
    assert state.notice("awarded", 2020)["quantity"] == 100
    unit = state.unit(state.allowance_code(2020))
    assert [state.books.available(state.accounts.number(f"operator:{name}"), unit) for name in ("low", "high")] == [100, 0]
    assert state.entitlements.filter(pl.col("basis") == "limit")["quantity"].to_list() == [1000, 1000]


def test_what_is_above_is_met_with_units_up_to_the_share_and_with_money_beyond(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")
    unit = limits.state.allowance_code(2020)
    limits.accept("transfer", day="2021-05-01", from_="operator:low", to="operator:high", unit=unit, quantity=100)
    said = limits.refuse(
        "limit_exceeded", "surrender", day="2021-06-01", year=2020, tables={"surrenders": {"installation": ["high"], "quantity": [61]}}
    )
    assert said == "high surrenders 61 for 2020, and units may still meet 60 of what it owes; pay the rest"
    limits.accept("surrender", day="2021-06-01", year=2020, tables={"surrenders": {"installation": ["high"], "quantity": [60]}})
    limits.refuse("limit_exceeded", "surrender", day="2021-06-01", year=2020, tables={"surrenders": {"installation": ["high"], "quantity": [1]}})
    bought = {"installation": ["high"], "quantity": [40]}
    limits.refuse("insufficient_balance", "purchase", day="2021-06-02", year=2020, tables={"purchases": bought})  # nobody paid
    limits.accept("purchase", day="2021-06-02", year=2020, paid_in=True, tables={"purchases": bought})
    money = limits.state.unit("CHF")
    assert limits.state.books.available(limits.state.accounts.number("treasury"), money) == 162_000  # 40 x 40.50, in centimes
    advance(limits, "surrender_deadline", "2021-06-30")
    judged = {row["installation"]: row for row in limits.state.statuses.to_dicts()}
    assert (judged["high"]["owed"], judged["high"]["surrendered"], judged["high"]["status"]) == (100, 100, "A")
    assert (judged["low"]["owed"], judged["low"]["status"]) == (0, "A")


def test_who_neither_surrenders_nor_pays_is_short(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")
    advance(limits, "surrender_deadline", "2021-06-30")
    assert {row["installation"]: row["status"] for row in limits.state.statuses.to_dicts()} == {"low": "A", "high": "B"}


def test_without_the_award_nobody_has_a_limit_and_everything_is_owed(limits: Desk) -> None:
    advance(limits, "surrender_deadline", "2021-06-30")
    assert limits.state.statuses.sort("installation")["owed"].to_list() == [1100, 900]


def test_the_authority_s_own_table_of_limits_goes_before_the_rule(limits: Desk) -> None:
    table = {"installation": ["low", "high"], "year": [2020, 2020], "quantity": [950, 1200]}
    limits.accept("entitle", day="2021-03-20", tables={"entitlements": table})
    advance(limits, "award", "2021-04-01")
    assert limits.state.notice("awarded", 2020)["quantity"] == 150


def test_a_payment_is_refused_where_the_law_names_no_price_for_the_year(limits: Desk) -> None:
    table = {"installation": ["high"], "quantity": [40]}
    said = limits.refuse("not_offered", "purchase", day="2021-06-02", year=2021, paid_in=True, tables={"purchases": table})
    assert said == "the law of tiny-ets on 2021-06-02 sells nothing at a price of its own for 2021"
    for wrong in ({"installation": ["high"], "quantity": [0]}, {"installation": ["high", "high"], "quantity": [1, 1]}):
        limits.refuse("malformed", "purchase", day="2021-06-02", year=2020, paid_in=True, tables={"purchases": wrong})
    limits.refuse(
        "unknown_installation", "purchase", day="2021-06-02", year=2020, paid_in=True, tables={"purchases": table | {"installation": ["nobody"]}}
    )


def test_at_a_fixed_price_the_authority_sells_the_year_s_units_to_whoever_asks(tmp_path: Path) -> None:
    desk = market(tmp_path, allocation="rules: []", obligation=FIXED, calendar=CALENDAR)
    report(desk, low=900, high=1100)
    both = {"installation": ["high", "low"], "quantity": [1100, 400]}
    desk.accept("purchase", day="2021-06-02", year=2020, paid_in=True, tables={"purchases": both})
    state = desk.state
    assert state.books.available(state.accounts.number("treasury"), state.unit("CHF")) == 1500 * 2500
    desk.accept("surrender", day="2021-06-03", year=2020, tables={"surrenders": both})
    advance(desk, "surrender_deadline", "2021-06-30")
    assert {row["installation"]: row["status"] for row in desk.state.statuses.to_dicts()} == {"low": "B", "high": "A"}


def test_only_the_authority_says_that_money_was_paid_in(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")
    bought = {"installation": ["high"], "quantity": [40]}
    said = limits.refuse("not_permitted", "purchase", "operator of high", day="2021-06-02", year=2020, paid_in=True, tables={"purchases": bought})
    assert said == "that the money was paid in is for the authority to say; others pay from their accounts"


def test_money_settles_what_is_owed_for_that_year_and_nothing_beyond(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")

    def pay(who: str, quantity: int) -> dict[str, object]:
        return {"day": "2021-06-02", "year": 2020, "paid_in": True, "tables": {"purchases": {"installation": [who], "quantity": [quantity]}}}

    assert limits.refuse("limit_exceeded", "purchase", **pay("low", 1)) == "low pays for 1 of 2020, and 0 of it can still be settled in money"
    limits.refuse("limit_exceeded", "purchase", **pay("high", 101))
    limits.accept("purchase", **pay("high", 100))
    limits.refuse("limit_exceeded", "purchase", **pay("high", 1))  # and so no stock is laid in for a dearer year


def test_nothing_is_surrendered_or_paid_before_the_award(limits: Desk) -> None:
    unit = limits.state.allowance_code(2020)
    limits.accept("open_balance", account="operator:high", unit=unit, quantity=700, source="a test", year=2020)
    for verb, name in (("surrender", "surrenders"), ("purchase", "purchases")):
        table = {"installation": ["high"], "quantity": [60]}
        assert "the award of 2020 has not been made" in limits.refuse("not_due", verb, day="2021-03-20", year=2020, tables={name: table})


def test_the_authority_pays_out_of_a_blocked_account_too(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")
    limits.accept("set_account_flags", day="2021-04-02", account="operator:high", flags=["BLOCKED"])
    limits.accept("purchase", day="2021-06-02", year=2020, paid_in=True, tables={"purchases": {"installation": ["high"], "quantity": [40]}})
    assert limits.state.books.available(limits.state.accounts.number("treasury"), limits.state.unit("CHF")) == 162_000


def test_money_in_the_surrendered_account_meets_no_obligation(limits: Desk) -> None:
    advance(limits, "award", "2021-04-01")
    limits.accept("open_balance", day="2021-04-02", account="operator:high", unit="CHF", quantity=100, source="a test", year=2020)
    limits.accept("transfer", day="2021-04-02", from_="operator:high", to="surrendered", unit="CHF", quantity=100)
    advance(limits, "surrender_deadline", "2021-06-30")
    assert {row["installation"]: row["surrendered"] for row in limits.state.statuses.to_dicts()} == {"low": 0, "high": 0}


def test_ids_of_the_calendar_s_commands_are_nobody_else_s(limits: Desk) -> None:
    reply = limits.send(limits.command("purchase", "nobody-at-all", day="2021-03-20", id="award:2020", year=2020))
    assert (reply.outcome, reply.reason) == ("malformed", "'award:2020' is an id of the calendar's own commands; choose another")
    advance(limits, "award", "2021-04-01")
