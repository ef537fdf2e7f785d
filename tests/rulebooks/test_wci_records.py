"""The records of the two linked programs, of Ontario beside them and of Washington, against the rules: auctions, registry, facility files.

The data lie beside the project (../shared/data); without them these tests skip. Rows that do not add up are named here one by one: a new one fails.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonne.administration.asks import answer
from tonne.law import Law, Rulebook, load

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
Row = dict[str, str]
#: Columns of the auction table, and the quantities that must add up in it.
LOTS = ("available_mt", "sold_mt", "unsold_mt", "redesignated_mt", "newly_available_mt")
CATEGORY = {"consign": "consigned", "CA": "state", "QC": "state", "ON": "state"}
#: The linked auctions, and those that Québec held before the link.
BOOK = {"CA only": "california", "CA-QC": "california", "QC only": "quebec", "ON only": "california"}


@cache
def rows(path: str) -> tuple[Row, ...]:
    file = DATA / path
    if not file.is_file():
        pytest.skip(f"no records at ../shared/data/{path}")
    with gzip.open(file, "rt", encoding="utf-8") if path.endswith(".gz") else file.open(encoding="utf-8") as text:
        return tuple(csv.DictReader(text))


@cache
def book(system: str) -> Rulebook:
    return load(system, answer)


def law(system: str, day: date) -> Law:
    return book(system).at(day)


def units(millions: str) -> int:
    """Single allowances of a figure in millions, which the file writes with six decimals (and the rubbish of binary subtraction behind them)."""
    return round(Decimal(millions) * 1_000_000)


def whole(text: str) -> int:
    return int(text) if text else 0


def column(table: list[Row], name: str) -> Any:
    return np.array([whole(row[name]) for row in table], dtype=np.int64)


# -- (a) auctions


def auctions() -> dict[tuple[str, str, str], list[Row]]:
    """(market, month, Current or Advance) -> its lots."""
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows("wci/auction_quantities.csv"):
        found[row["market"], row["auction_month"], row["auction_type"]].append(row)
    return found


def auction_day(month: str) -> date:
    return date.fromisoformat(f"{month}-28")


def test_every_lot_of_an_auction_is_sold_or_unsold_and_new_or_offered_again() -> None:
    faulty = []
    for row in rows("wci/auction_quantities.csv"):
        offered, sold, unsold, again, new = (units(row[name]) for name in LOTS)
        if offered != sold + unsold or offered != again + new:
            faulty.append((row["market"], row["auction_month"], row["vintage"], offered - sold - unsold, offered - again - new))
    # Ontario's last auction: 25,296,369 offered, 20,898,000 sold, and 4,398,367 unsold where 4,398,369 must be.
    assert faulty == [("ON only", "2017-11", "2017", 2, 0)]
    assert sum(units(row["sold_mt"]) for row in rows("wci/auction_quantities.csv")) == 790_118_421  # README: 790.118


def test_under_subscribed_auctions_sell_by_category_as_the_rule_says() -> None:
    """To the single allowance, for every auction of the file in which something stayed unsold."""
    short = {key: lots for key, lots in auctions().items() if any(units(row["unsold_mt"]) for row in lots)}
    assert len(short) == 11
    for (market, month, kind), lots in short.items():
        sold = [units(row["sold_mt"]) for row in lots]
        told = law(BOOK[market], auction_day(month)).sold_of_each(
            sold=sum(sold),
            jurisdiction=[row["jurisdiction"] for row in lots],
            category=[CATEGORY[row["category"]] for row in lots],
            vintage=[int(row["vintage"]) for row in lots],
            offered=[units(row["available_mt"]) for row in lots],
        )
        assert told.tolist() == sold, f"{market} {month} {kind}"


def test_an_under_subscribed_auction_settles_at_the_floor() -> None:
    prices = {f"{row['year']}-{int(row['month']):02d}": row for row in rows("auctions/california_quebec_auction_prices.csv")}
    seen = set()
    for (market, month, kind), lots in auctions().items():
        if market in ("CA only", "CA-QC") and month in prices:
            settled = Decimal(prices[month][f"{kind}_auction_price_usd"])
            floor = law("california", auction_day(month)).auction_reserve_price(int(month[:4]))
            if any(units(row["unsold_mt"]) for row in lots):
                assert settled == floor, f"{market} {month} {kind}"
                seen.add(settled)
            assert settled >= floor
    assert seen == {Decimal("10.71"), Decimal("12.1"), Decimal("13.57")}


def test_advance_auctions_sell_a_tenth_of_the_cap_three_years_ahead() -> None:
    caps = {"CA": "california", "QC": "quebec"}
    offered: Counter[tuple[str, int, int]] = Counter()
    for (_, month, kind), lots in auctions().items():
        for row in lots:
            if kind == "advance" and row["jurisdiction"] in caps:
                offered[row["jurisdiction"], int(month[:4]), int(row["vintage"])] += units(row["available_mt"])
    assert len(offered) == 6
    for (place, year, vintage), quantity in offered.items():
        now = law(caps[place], date(year, 12, 28))
        assert vintage == now.advance_vintage(year)
        assert quantity == now.advance_part(now.cap(vintage), vintage), f"{place} {year}"


def test_what_comes_back_is_a_quarter_of_what_is_newly_offered() -> None:
    """State-owned units after two auctions in a row above the floor; consigned ones at the very next auction, all of them."""
    back = [(key, row) for key, lots in auctions().items() for row in lots if units(row["redesignated_mt"])]
    told = {}
    for (market, month, kind), row in back:
        if row["category"] == "consign":
            continue
        new = sum(units(r["newly_available_mt"]) for r in auctions()[market, month, kind] if r["jurisdiction"] == row["jurisdiction"])
        again, unsold = units(row["redesignated_mt"]), units(row["available_mt"]) + (0 if row["vintage"] == "2013" else 10**8)
        now = law("california" if row["jurisdiction"] == "CA" else "quebec", auction_day(month))
        assert again == now.reoffered(unsold=unsold, newly_offered=new, auctions_above=2)
        assert now.reoffered(unsold=unsold, newly_offered=new, auctions_above=1) == 0
        told[month, row["jurisdiction"]] = again
    assert told == {("2017-11", "CA"): 13_740_624, ("2017-11", "QC"): 2_169_033, ("2015-05", "QC"): 1_946_676}
    consigned = {month: units(row["redesignated_mt"]) for (_, month, _), row in back if row["category"] == "consign"}
    unsold = [units(row["unsold_mt"]) for row in auctions()["CA-QC", "2017-02", "current"] if row["category"] == "consign"]
    assert consigned == {"2017-05": sum(unsold)}


def test_consigned_quantities_add_up_to_the_annual_notices() -> None:
    """What is lacking in 2013 was sold in the first auction, of November 2012, which the file leaves out."""
    new: Counter[int] = Counter()
    for row in rows("wci/auction_quantities.csv"):
        if row["category"] == "consign" and row["vintage"] == row["auction_month"][:4]:
            new[int(row["vintage"])] += units(row["newly_available_mt"])
    notices = {int(row["vintage"]): units(row["value"]) for row in rows("wci/ca_consignment_annual.csv")}
    lacking = {year: notices[year] - quantity for year, quantity in new.items()}
    first = book("california").parameter("statistics.auction_sold").at(date(2026, 1, 1))["2012-11"]
    assert lacking == {2013: first, 2015: 0, 2017: 0}


# -- (b) the registry's compliance instrument report


def instruments() -> dict[tuple[str, str, str], dict[str, int]]:
    """(quarter, section, instrument) -> holdings by account type."""
    found: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for row in rows("wci/compliance_instrument_report.csv.gz"):
        held = found[row["quarter"], row["section"], row["instrument"]]
        assert row["account_type"] not in held, f"twice: {row}"
        held[row["account_type"]] = int(row["quantity"])
    return found


def snapshot_day(quarter: str) -> date:
    """The registry's report of a quarter shows the fifth day after it (2018-10-05 for the third quarter of 2018)."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number % 4 * 3 + 1, 5)


def linked_with_ontario(day: date) -> bool:
    here = {system: any(link.jurisdiction == "Ontario" for link in book(system).links_on(day)) for system in ("california", "quebec")}
    assert len(set(here.values())) == 1, "the two rulebooks disagree on Ontario"
    return here["california"]


def issued(vintage: int, day: date) -> int:
    """Allowances of a vintage by the law of the two: their caps less what goes to the reserves."""
    return sum(int(now.vintage_part(now.cap(vintage), vintage)) for now in (law("california", day), law("quebec", day)))


def test_holdings_by_account_add_up_to_the_printed_totals() -> None:
    faulty = [key for key, held in instruments().items() if sum(held.values()) != 2 * held["Total"]]
    assert not faulty
    assert instruments()["2017Q4", "offsets-Québec", "TOTAL"]["Total"] == 7_680_606_522  # README


def test_printed_sums_are_the_sums_of_their_rows() -> None:
    quarters = sorted({quarter for quarter, _, _ in instruments()})
    for quarter in quarters:
        totals = {name: held["Total"] for (q, _, name), held in instruments().items() if q == quarter}
        credits = {name: total for name, total in totals.items() if name.endswith("Offset Credits")}
        units_issued = {name: t for name, t in totals.items() if name not in credits and name.lower().find("total") < 0}
        assert sum(units_issued.values()) == totals["Allowances Subtotal"], quarter
        assert sum(credits.values()) == totals["Offset Credits Subtotal"], quarter
        assert totals["Allowances Subtotal"] + totals["Offset Credits Subtotal"] == totals["TOTAL"], quarter


def test_published_corrections_are_the_only_remarks_of_the_registry() -> None:
    """In the report of the second quarter of 2014 one figure was struck out, and with it four sums; each by the same 26,882 credits."""
    noted = [(row, int(row["note"].rsplit(" ", 1)[1])) for row in rows("wci/compliance_instrument_report.csv.gz") if row["note"]]
    assert {row["quarter"] for row, _ in noted} == {"2014Q2"}
    assert Counter(row["instrument"] for row, _ in noted) == {
        "Ozone Depleting Substances Offset Credits": 2,
        "Offset Credits Subtotal": 2,
        "TOTAL": 2,
    }
    assert {struck - int(row["quantity"]) for row, struck in noted} == {26_882}


def test_vintages_are_the_caps_less_the_reserves_and_ontario_comes_with_its_link() -> None:
    quarters = sorted({quarter for quarter, _, _ in instruments()})
    ontario: dict[str, int] = {}
    for quarter in quarters:
        day = snapshot_day(quarter)
        vintages = {int(name): held["Total"] for (q, _, name), held in instruments().items() if q == quarter and name.isdigit()}
        beyond = {vintage: total - issued(vintage, day) for vintage, total in vintages.items()}
        assert all(units_beyond == 0 for vintage, units_beyond in beyond.items() if vintage < 2017), quarter
        if linked_with_ontario(day):
            assert all(units_beyond > 0 for vintage, units_beyond in beyond.items() if vintage >= 2017), quarter
        else:
            assert not any(beyond.values()), f"{quarter}: {beyond}"
        ontario[quarter] = sum(beyond.values())
    arrived = [quarter for quarter, quantity in ontario.items() if quantity]
    assert arrived == [quarter for quarter in quarters if linked_with_ontario(snapshot_day(quarter))]
    assert arrived[:1] == ["2017Q4"]
    assert ontario["2017Q4"] == 1_502_596_000


def test_ontario_leaves_with_its_link() -> None:
    """The file ends with 2017. The totals per vintage that the registry showed on 2018-10-05 are again those of the two alone."""
    days = [snapshot_day(f"{year}Q{quarter}") for year, quarter in ((2017, 3), (2017, 4), (2018, 1), (2018, 2), (2018, 3))]
    assert [linked_with_ontario(day) for day in days] == [False, True, True, False, False]
    after = {2022: 350_059_200, 2023: 336_678_400, 2024: 323_188_000, 2025: 309_897_600, 2026: 296_416_800}
    after |= {2027: 283_026_400, 2028: 269_745_600, 2029: 256_255_200, 2030: 242_874_400}
    assert {vintage: issued(vintage, days[-1]) for vintage in after} == after


def test_reserve_allowances_of_the_registry_are_those_cut_out_of_the_caps() -> None:
    def reserve(last: int, day: date) -> int:
        laws = [law("california", day), law("quebec", day)]
        return sum(int(now.reserve_part(now.cap(year), year)) for now in laws for year in range(2013, last + 1))

    name = "Non-Vintage Price Containment Reserve Allowances"
    held = {quarter: row["Total"] for (quarter, _, instrument), row in instruments().items() if instrument == name}
    assert {quantity for quarter, quantity in held.items() if not linked_with_ontario(snapshot_day(quarter))} == {reserve(2020, date(2015, 6, 1))}
    ontario = held["2017Q4"] - reserve(2030, date(2018, 1, 5))
    assert (ontario, 19 * ontario) == (79_084_000, 1_502_596_000)  # a twentieth of its caps; the rest are the vintages that came with the link
    assert reserve(2030, date(2018, 10, 5)) == 214_097_100
    early = {row["Total"] for (_, _, name), row in instruments().items() if name == "Non-Vintage Québec Early Action Allowances"}
    assert early == {book("quebec").parameter("registry.early_action").at(date(2018, 1, 1))}


def test_instruments_retired_each_year_are_the_yearly_part_of_what_was_covered() -> None:
    """30 % of 2013, 2015 and 2016 in the years after, the rest of the first period in 2015; each within one part in five thousand."""
    retired = {
        int(row["compliance_event_year"]): units(row["retired_mt"])
        for row in rows("wci/compliance_retirements_by_instrument.csv")
        if row["instrument"] == "CA entities retired total (all instruments)"
    }
    covered = {
        int(row["year"]): round(Decimal(row["ca_covered_mt"]) * 1_000_000) for row in rows("wci/covered_emissions.csv") if row["ca_covered_mt"]
    }
    now = law("california", date(2017, 11, 1))
    owed = {year + 1: int(now.interim_obligation(verified=covered[year], year=year)) for year in (2013, 2015, 2016)}
    owed[2015] = int(now.final_obligation(verified_by_year=[covered[2013], covered[2014]], surrendered_interim=owed[2014]))
    assert {year: quantity - retired[year] for year, quantity in owed.items()} == {2014: 116, 2015: 29_790, 2016: 1, 2017: 132}


# -- (c) facility files


def facilities(*years: int) -> list[Row]:
    return [row for row in rows("us_california/mrr_facility_emissions_2011_2024.csv.gz") if int(row["year"]) in years]


KINDS = {"facility": "emitter_covered", "fuel_supplier": "supplier_covered", "importer": "importer_covered"}
#: Sums of obligations by kind of the rows in the folder, 2015-2020.
OBLIGATIONS = {
    2015: {"facility": 68_225_537, "fuel_supplier": 136_682_580, "importer": 14_453_683},
    2016: {"facility": 63_908_868, "fuel_supplier": 137_977_632, "importer": 10_918_774},
    2017: {"facility": 63_021_976, "fuel_supplier": 140_015_291, "importer": 9_179_150},
    2018: {"facility": 62_613_295, "fuel_supplier": 140_629_785, "importer": 8_916_315},
    2019: {"facility": 59_589_117, "fuel_supplier": 138_087_615, "importer": 8_137_385},
    2020: {"facility": 58_890_766, "fuel_supplier": 117_717_660, "importer": 6_513_135},
}
#: Sums of the column total_covered; 2015 and 2023 are those of the README.
TOTALS = {2015: 219_361_801, 2016: 212_805_274, 2017: 212_216_417, 2018: 212_159_393, 2019: 205_814_117, 2020: 183_121_562, 2023: 178_974_018}


@pytest.mark.parametrize("year", sorted(OBLIGATIONS))
def test_obligations_by_kind_of_a_year(year: int) -> None:
    table, now = facilities(year), law("california", date(year + 1, 11, 1))
    owed = {kind: now.obligation(verified=column(table, name), year=year, kind=kind) for kind, name in KINDS.items()}
    assert {kind: int(quantity.sum()) for kind, quantity in owed.items()} == OBLIGATIONS[year]
    rounded = sum(owed.values()) - column(table, "total_covered")
    assert np.abs(rounded).max() <= 1  # each part is rounded for itself
    assert int(column(table, "total_covered").sum()) == TOTALS[year]


def test_the_published_sums_of_the_readme() -> None:
    for year in (2015, 2023):
        assert int(column(facilities(year), "total_covered").sum()) == TOTALS[year]


def test_fuel_suppliers_owed_nothing_before_they_were_covered() -> None:
    table, now = facilities(2014), law("california", date(2015, 11, 1))
    assert int(column(table, "supplier_covered").sum()) == 133_748_992
    assert int(now.obligation(verified=column(table, "supplier_covered"), year=2014, kind="fuel_supplier").sum()) == 0
    assert int(now.obligation(verified=column(table, "emitter_covered"), year=2014, kind="facility").sum()) == 70_643_336


def counted(table: list[Row], part: str, now: Law) -> Any:
    names = (f"{part}_nonbiogenic_co2e", f"{part}_biogenic_co2", f"{part}_nonexempt_biogenic_co2")
    return now.counted_emissions(*(column(table, name) for name in names))


def test_exempt_biogenic_emissions_are_in_no_obligation() -> None:
    """Nobody's obligation of 2015-2020 is larger than its emissions without the exempt biogenic ones; some process emissions do not count either."""
    table, now = facilities(*OBLIGATIONS), law("california", date(2020, 11, 1))
    for part in ("emitter", "supplier"):
        covered = column(table, f"{part}_covered")
        base = counted(table, part, now)
        assert (covered <= base + 1).all()
        biogenic = column(table, f"{part}_biogenic_co2")
        assert int(biogenic[covered > 0].sum()) > 0
        same = (covered == base) & (covered > 0)
        assert int(same.sum()) == {"emitter": 778, "supplier": 192}[part], int(same.sum())


def test_obligations_larger_than_counted_emissions_are_named() -> None:
    """2023: three hydrogen and refinery plants whose biogenic emissions count though no column says so. 2011, before obligations: three more."""
    found = set()
    table, now = list(rows("us_california/mrr_facility_emissions_2011_2024.csv.gz")), law("california", date(2024, 11, 1))
    for part in ("emitter", "supplier"):
        for row, covered, base in zip(table, column(table, f"{part}_covered"), counted(table, part, now), strict=True):
            if covered > base + 1:
                found.add((int(row["year"]), row["arb_id"], part))
    assert found == {
        (2011, "100217", "supplier"),
        (2011, "101381", "emitter"),
        (2011, "104096", "supplier"),
        (2023, "101749", "emitter"),
        (2023, "100138", "emitter"),
        (2023, "100303", "emitter"),
    }


def test_rows_of_the_facility_file_that_do_not_add_up_are_named() -> None:
    parts, sums = set(), set()
    for row in rows("us_california/mrr_facility_emissions_2011_2024.csv.gz"):
        if abs(sum(whole(row[name]) for name in KINDS.values()) - whole(row["total_covered"])) > 1:
            parts.add((int(row["year"]), row["arb_id"]))
        if abs(whole(row["total_covered"]) + whole(row["total_noncovered"]) - whole(row["total_co2e"])) > 2:
            sums.add((int(row["year"]), row["arb_id"]))
    assert parts == {(2023, "104948")}  # Primex Farms: 14,962 t covered in its part, none in its total
    assert sums == {(2021, "104099")}  # Liberty Utilities: 50,922 t covered of 47,712 t imported


def washington() -> list[Row]:
    return [row for row in rows("us_washington/ghg_reporting_program.csv.gz") if row["year"] == "2023"]


def kind_in_washington(row: Row) -> str:
    return {"Supplier": "fuel_supplier", "Power": "importer"}.get(row["sector"], "facility")


def test_obligations_of_washington_2023_by_kind() -> None:
    now = law("washington", date(2024, 11, 1))
    table = [row for row in washington() if row["covered_emissions_mt_co2e"]]
    assert {row["cca_status"] for row in table} == {"Covered Entity"}
    owed: Counter[str] = Counter()
    for row in table:
        owed[kind_in_washington(row)] += now.obligation(verified=whole(row["covered_emissions_mt_co2e"]), year=2023)
    assert owed == {"facility": 10_481_340, "fuel_supplier": 13_838_909, "importer": 2_859_499}
    assert owed.total() == 27_179_748  # README
    assert sum(now.interim_obligation(verified=column(table, "covered_emissions_mt_co2e"), year=2023).tolist()) == 8_153_965


def test_biogenic_emissions_are_exempt_in_washington() -> None:
    """Four gas suppliers are the exception: what they deliver to others' plants is reported elsewhere, and counts more than their own report."""
    now = law("washington", date(2024, 11, 1))
    table = [row for row in washington() if row["covered_emissions_mt_co2e"]]
    fossil = column(table, "reported_emissions_mtco2e") - column(table, "biogenic_carbon_dioxide_mtco2e")
    base = now.counted_emissions(fossil=fossil, biogenic=column(table, "biogenic_carbon_dioxide_mtco2e"))
    covered = column(table, "covered_emissions_mt_co2e")
    more = sorted(row["reporter"] for row, own, count in zip(table, base, covered, strict=True) if count > own + 1)
    assert more == [
        "Avista Corporation - supplier",
        "Cascade Natural Gas Corporation - supplier",
        "City of Ellensburg LDC - supplier",
        "Puget Sound Energy LDC Supplier - Bellevue",
    ]
    assert int((column(table, "reported_emissions_mtco2e") - base).sum()) > 3_000_000  # pulp mills above all


def faulty_in_washington() -> Iterator[str]:
    for row in rows("us_washington/ghg_reporting_program.csv.gz"):
        if not row["sector"] or not row["reported_emissions_mtco2e"]:
            yield f"{row['reporter']} {row['year']}"


def test_rows_of_washington_without_a_sector_or_a_figure_are_named() -> None:
    assert sorted(faulty_in_washington()) == ["Gas Transmission Northwest, LLC - Houston 2023", "Johnston's Grain Connected Ltd. 2023"]
