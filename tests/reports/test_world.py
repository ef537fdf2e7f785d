"""Charts of the world: every packaged figure has its source, the printed sums hold, each chart draws, and our counts stand beside the published."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tonne.interfaces.world import AGREES, COPY, DIFFERS, NOTHING, Gathered, columns_of, drawings, gather, price_rows, volume_rows
from tonne.reports import charts, worldcharts, worlddata
from tonne.reports.charts import NothingToDraw
from tonne.reports.worlddata import INFERRED, WorldDataError, load, statistics

OBSERVATORY = Path(__file__).resolve().parents[3] / "shared" / "facts" / "observatory.yaml"


@pytest.fixture(scope="module")
def found() -> Gathered:
    return gather(date(2026, 11, 20))


# -- the package data


def test_every_figure_has_a_source_a_confidence_and_a_day() -> None:
    data = statistics()
    assert len(data.figures) > 400
    for figure in data.figures:
        assert figure.source and figure.document and figure.confidence in ("source", "seed", "derived", "recall", INFERRED)
        assert date(2020, 1, 1) < figure.as_of <= figure.known_on or figure.as_of == figure.known_on
        assert figure.entry, figure


def test_what_is_inferred_or_derived_is_never_published() -> None:
    figures = statistics().figures
    assert {figure.confidence for figure in figures if figure.published} == {"source", "seed"}
    assert any(figure.confidence == INFERRED for figure in figures) and any(figure.confidence == "derived" for figure in figures)


def test_nothing_comes_from_the_non_commercial_price_files() -> None:
    text = worlddata.FILE.read_text("utf-8").lower()
    assert "icap_daily" not in text and "icap daily" not in text and "wcpd" not in text and "own mean" not in text


def test_counts_and_levels_as_the_report_checks_them() -> None:
    data = statistics()
    status = data["system_status"]
    by_status = {name: [f for f in status if f.value == name] for name in ("in_force", "under_development", "under_consideration")}
    printed = {f.of: f.value for f in data["systems_by_status"]}
    assert (
        {name: len(figures) for name, figures in by_status.items()} == printed == {"in_force": 38, "under_development": 11, "under_consideration": 9}
    )
    assert all(f.published for f in by_status["in_force"])
    assert [f.published for f in by_status["under_development"]].count(True) == 3 and not any(f.published for f in by_status["under_consideration"])
    jurisdictions = sum(f.value for f in data["jurisdictions_by_level"])  # type: ignore[misc]
    assert jurisdictions == 46 and jurisdictions - 10 + 1 + 1 == 38 == sum(f.value for f in data["systems_by_level"])  # type: ignore[misc]


def test_sums_that_the_documents_allow() -> None:
    data = statistics()
    limits, demand = data["credit_limit"], data["credit_demand"]
    assert len([f for f in limits if f.value]) == 24 and len([f for f in limits if not f.value]) == 14
    assert sum((Decimal(f.value) for f in demand), Decimal()) == Decimal("881.98")
    revenue = data["revenue"]
    assert sum(Decimal(f.value) for f in revenue if f.year == 2024) == 69_272
    assert round(float(revenue.of("eu-ets", 2024).value) / 69_272, 3) == 0.606  # type: ignore[union-attr]
    cumulative = {f.name: Decimal(f.value) for f in data["revenue_cumulative"] if not f.reads}
    assert sum(cumulative.values()) == 141_229
    for name, whole in cumulative.items():
        assert whole >= sum(Decimal(f.value) for f in revenue if f.system == name and f.year and f.year <= 2021)
    assert round(sum(Decimal(f.value) for f in revenue if f.system == "k-ets" and f.year in (2019, 2020, 2021))) == 668
    assert [data["coverage_2021"].of(name).value for name in ("quebec", "swiss-ets")] == [78, 10]  # type: ignore[union-attr]


def test_derived_figures_follow_from_the_printed_ones() -> None:
    data = statistics()
    totals = {f.year: f.number for f in data["revenue_totals"]}
    assert totals[2022] == 373_000 - 161_000 - 74_000 - 70_000 and totals[2023] == totals[2024] + 4_000
    assert data["world_emissions"].figures[0].number == round(10 / 0.19, 1)
    assert abs(data["covered_share"].of("", 2025).number / 4 - 5.75) < 1e-9  # type: ignore[union-attr]
    assert round((8.9 / 2.1) ** (1 / 17) - 1, 4) == 0.0887
    canada = data["price_usd_documents"]
    rates = [round(canada.of("canada-obps", year).number / local, 4) for year, local in ((2024, 80), (2025, 95))]  # type: ignore[union-attr]
    assert rates == [0.7303, 0.7303]
    rate = round(54.22 / canada.of("last close").number, 3)  # type: ignore[union-attr]
    assert rate == 6.364 and round(42.85 / rate, 2) == canada.of("weighted mean corrected").number  # type: ignore[union-attr]


def test_shares_by_system_add_up_to_the_totals_given() -> None:
    data = statistics()
    for total in data["covered_share_totals"]:
        parts = sum(f.number for f in data["covered_share_by_system"] if f.year == total.year)
        assert abs(parts - total.number) < 0.051, total.year


def test_the_packaged_figures_are_those_of_the_collected_facts() -> None:
    if not OBSERVATORY.is_file():
        pytest.skip("the collected facts are not beside this checkout")
    facts = {entry["id"]: entry for entry in yaml.safe_load(OBSERVATORY.read_text("utf-8"))["entries"]}
    data = statistics()
    for system, _, limit, demand, _ in facts["s003-offsets-map"]["rows"]:
        assert float(data["credit_limit"].of(system).value) == limit  # type: ignore[union-attr]
        assert demand is None or data["credit_demand"].of(system).number == demand  # type: ignore[union-attr]
    for row in facts["s000-t2-auction-revenue"]["rows"]:
        for year, value in zip(range(2017, 2022), row[2:7], strict=True):
            assert value is None or data["revenue"].of(row[0], year).number == value  # type: ignore[union-attr]
    for system, _, billions in facts["s003-revenue-2024"]["rows"]:
        name = "other systems" if system == "others" else system
        assert data["revenue"].of(name, 2024).number == round(billions * 1000)  # type: ignore[union-attr]
    for row in facts["s003-wheel"]["rows"]:
        name = "China's pilots" if row["system"] == "china-pilots" else row["system"]
        figure = data["coverage_wheel"].of(name)
        assert figure is not None and figure.value == row["pct"] and (figure.confidence == INFERRED) == (row["c"] == "inferred")
    assert sorted(facts["s003-map-status"]["in_force"]) == sorted(f.system for f in data["system_status"] if f.value == "in_force")
    world_bank = facts["s000-f8-eua-average-price"]["substitute"]["world_bank_usd_1_april"][2024]
    assert data["price_usd"].of("eu-ets").number == world_bank  # type: ignore[union-attr]


SOUND = "{year: 2020, value: 1, source: s, confidence: seed, document: d}"


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ("- {year: 2020, value: 1, confidence: source, document: d}", "no source"),
        ("- {year: 2020, value: 1, source: s, document: d}", "confidence '' is none of"),
        ("- {year: 2020, value: 1, source: s, confidence: sure, document: d}", "confidence 'sure' is none of"),
        ("- {year: 2020, value: 1, source: s, confidence: seed}", "no such document"),
        ("- {year: 2020, value: many, source: s, confidence: seed, document: d}", "'many' is no figure"),
        ("- {year: 2020, value: 1, source: s, confidence: seed, document: d, sauce: x}", "unknown key"),
        (f"- {SOUND}\n      - {SOUND}", "told twice"),
    ],
)  # fmt: skip
def test_a_figure_without_its_papers_is_refused(tmp_path: Path, figures: str, reason: str) -> None:
    path = tmp_path / "world.yaml"
    head = "documents:\n  d: {title: A document, known_on: 2025-01-01}\ngroups:\n  g:\n    what: Something\n    unit: count\n    figures:\n      "
    path.write_text(head + figures + "\n", "utf-8")
    with pytest.raises(WorldDataError, match=reason):
        load(path)


# -- our rulebooks beside the published figures


def test_our_counts_differ_from_the_report_only_by_name(found: Gathered) -> None:
    checks = {check.what: check for check in found.checks if check.chart == "status"}
    known = {market.id for market in found.markets}
    missing = [name for name in (f.system for f in found.data["system_status"]) if name not in known]
    assert all(any(name in remark for remark in found.remarks) for name in missing), "a system of the report is missing and nobody says so"
    if missing:
        pytest.skip(f"rulebooks being written: {', '.join(missing)}")
    assert checks["systems in force"].remark == "here only: india-pat" and checks["systems in force"].ours == "39"
    assert checks["systems under development"].verdict == AGREES
    assert checks["systems under consideration"].remark == "there only: pennsylvania-co2 (here ended; there inferred)"


def test_six_caps_times_their_limits_give_the_printed_demand(found: Gathered) -> None:
    checks = {check.what: check for check in found.checks if check.chart == "credits"}
    there = {market.id for market in found.markets}
    six = [name for name in ("california", "quebec", "washington", "oregon-cpp", "k-ets", "rggi") if name in there]
    assert {name: checks[f"{name}: demand, Mt"].verdict for name in six} == dict.fromkeys(six, AGREES)


def test_a_copy_of_the_report_is_no_proof_of_it(found: Gathered) -> None:
    verdicts = {check.what: check.verdict for check in found.checks}
    assert set(verdicts.values()) <= {AGREES, COPY, DIFFERS, NOTHING}
    revenue = {v for what, v in verdicts.items() if what.endswith("million USD") and not what.startswith("sum")}
    assert AGREES not in revenue
    assert verdicts.get("indonesia-ets: demand, Mt", COPY) == COPY


def test_the_first_year_is_the_european_cap(found: Gathered) -> None:
    first = [row for row in volume_rows(found) if row["year"] == 2005]
    assert round(sum(row["value"] for row in first), 1) == 2.1


def test_prices_are_of_systems_in_force_and_widths_say_what_they_are(found: Gathered) -> None:
    rows = {row["system"]: row for row in price_rows(found)}
    assert rows["eu-ets"]["price"] == 61.3 and rows["eu-ets"]["basis"] == "cap 2024"
    assert all(row["estimated"] == ("% of" in row["basis"]) for row in rows.values())


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("power imports", ["power"]),
        ("upstream oil and gas and mining", ["industry"]),
        ("international_aviation", ["international aviation"]),
        ("industry outside the big system", ["industry"]),
        ("agriculture and rail fuels", ["transport", "agriculture"]),
        ("power (one entity)", ["power"]),
        ("heat and power", ["power", "heat and water"]),
        ("economy-wide", []),
    ],
)
def test_sectors_are_read_from_a_rulebooks_own_words(text: str, columns: list[str]) -> None:
    assert columns_of(text, statistics().sectors) == columns


# -- the pictures


@pytest.mark.parametrize("name", ["status", "coverage", "sectors", "prices", "credits", "revenue"])
def test_each_chart_draws(found: Gathered, name: str) -> None:
    picture = drawings(found)[name]()
    image = charts.png(picture, 1.0)
    width, height = struct.unpack(">II", image[16:24])
    assert image.startswith(b"\x89PNG") and 600 < width < 1000 and height > 250
    text = charts.svg(picture)
    assert ElementTree.fromstring(text).tag.endswith("svg") and "NaN" not in text and "undefined" not in text


def _texts(picture: Any) -> str:
    return " | ".join(" ".join(node.itertext()) for node in ElementTree.fromstring(charts.svg(picture)).iter() if node.tag.endswith("}text"))


def test_what_the_pictures_say() -> None:
    bars = [{"system": "dear", "price": 61.3, "mt": 1386.0, "estimated": False}, {"system": "cheap", "price": 8, "mt": 900.0, "estimated": True}]
    text = _texts(worldcharts.prices(bars, (0, 10, 30, 50, 70)))
    assert "dear" in text and "cheap" in text and "50 to 70" in text and "under 10" in text and "70 and more" not in text
    rows = [{"system": "a", "year": 2023, "value": 1500.0}, {"system": "b", "year": 2023, "value": 500.0}]
    text = _texts(worldcharts.revenue(rows, [{"year": 2022, "value": 1000.0, "text": "about 1"}], {"a": "blue", "b": "blue"}))
    assert "2.0" in text and "about 1" in text
    systems = [{"system": "x", "status": "in_force", "level": "city", "differs": "report: ended"}]
    text = _texts(worldcharts.status(systems, [{"status": "in_force", "ours": 1, "printed": "2"}]))
    assert "x *" in text and "In force: 1 (report 2)" in text


def test_nothing_to_draw_says_so() -> None:
    for draw in (
        lambda: worldcharts.coverage([], [], [], [], {}),
        lambda: worldcharts.sectors([], []),
        lambda: worldcharts.prices([], (0, 10)),
        lambda: worldcharts.credits([]),
        lambda: worldcharts.revenue([], [], {}),
        lambda: worldcharts.status([], []),
    ):
        with pytest.raises(NothingToDraw):
            draw()


def test_a_system_keeps_its_colour_and_no_two_share_one() -> None:
    rows = [{"system": name, "year": 2020, "value": float(9 - n)} for n, name in enumerate("abcdefgh")]
    spec = str(worldcharts.revenue(rows, [], {"a": "green", "b": "green"}).to_dict())
    assert spec.count("'#009e73'") == 1 and "2 others" in spec and charts.GREY in spec
