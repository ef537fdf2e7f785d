"""The whole library: every system in force runs, what is proposed holds in a scenario only, published numbers are many, a newcomer is data alone."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pytest

import tonne
from tonne.administration.asks import answer
from tonne.administration.cases import Outcome, run_rulebook
from tonne.administration.soundness import unsound
from tonne.interfaces.overview import overview
from tonne.law import BeforeSystem, LawError, Rulebook, load, scenarios, systems
from tonne.law.catalogue import SHIPPED
from tonne.simulation.periods import whole_period

DAY = date(2026, 11, 20)
#: In preparation, with a scenario that has enough law for a whole compliance period.
RUN_IN_A_SCENARIO = [
    ("australia-safeguard", "industry-averages-assumed"),
    ("california", "as-proposed"),
    ("canada-oil-gas-cap", "as-proposed"),
    ("china-national-ets", "draft-2025-26"),
    ("eu-ets2", "as-proposed"),
    ("india-ccts", "as-proposed"),
    ("indonesia-ets", "tax-on-the-shortfall"),
    ("japan-gx-ets", "as-proposed"),
    ("oregon-cpp", "level-2026"),
    ("pennsylvania-co2", "as-published"),
    ("taiwan-ets", "as-proposed"),
    ("turkiye-ets", "as-proposed"),
    ("vietnam-ets", "as-proposed"),
]


@cache
def book(system: str) -> Rulebook:
    return load(system, answer)


@cache
def outcomes(system: str) -> list[Outcome]:
    return run_rulebook(book(system))


def in_force() -> list[str]:
    return [system for system in systems() if book(system).system.status == "in_force"]


def runs_and_verifies(system: str, scenario: str | None = None) -> None:
    laid_over = tonne.rulebook(system, scenario)
    years = whole_period(laid_over, DAY)
    run = tonne.run(system, years, synthetic=40, scenario=scenario)
    entries, differences = run.verify()
    assert entries > 5 and differences == []
    table, judged = run.table(), run.compliance()
    assert table["verified"].sum() > 0
    assert judged["installations"].sum() >= 40, "somebody is judged at the end of the period"
    assert set(judged["status"].to_list()) <= {"A", "B", "-"}


@pytest.mark.parametrize("system", in_force())
def test_every_system_in_force_runs_its_last_whole_period(system: str) -> None:
    runs_and_verifies(system)


@pytest.mark.parametrize(("system", "scenario"), RUN_IN_A_SCENARIO)
def test_a_system_in_preparation_runs_inside_its_scenario(system: str, scenario: str) -> None:
    runs_and_verifies(system, scenario)


def test_no_other_scenario_has_law_enough_to_run() -> None:
    """A scenario that could run and is not in the list above would be untested."""
    able = []
    for system in systems():
        for scenario in scenarios(book(system)):
            try:
                whole_period(tonne.rulebook(system, scenario), DAY)
            except (ValueError, LawError):
                continue
            able.append((system, scenario))
    assert able == RUN_IN_A_SCENARIO


def test_proposed_law_outside_a_scenario_raises_and_says_so() -> None:
    without = [system for system in systems() if not book(system).system.has_law]
    assert len(without) >= 8
    for system in without:
        with pytest.raises(BeforeSystem, match=f"{system} has no law yet: it is under .*, and what is proposed holds in a scenario only"):
            book(system).at(DAY)
        assert book(system).system.status in ("under_development", "under_consideration")


def test_a_day_before_a_system_began_is_refused() -> None:
    for system in systems():
        begins = book(system).system.begins
        if book(system).system.has_law:
            with pytest.raises(BeforeSystem, match=f"{system} has no law on .*; it begins {begins}"):
                book(system).at(date.fromordinal(begins.toordinal() - 1))


def test_published_numbers_are_reproduced_over_many_systems() -> None:
    counts = {system: Counter(o.confidence for o in outcomes(system) if o.kind == "published" and o.passed) for system in systems()}
    counts = {system: count for system, count in counts.items() if count}
    for system, count in counts.items():
        print(f"{system:<28} {sum(count.values()):4} published: " + ", ".join(f"{name} {n}" for name, n in count.most_common()))  # noqa: T201
    total = sum(sum(count.values()) for count in counts.values())
    print(f"{total} published numbers over {len(counts)} systems")  # noqa: T201
    assert total >= 250 and len(counts) >= 30
    assert not any("recall" in count for count in counts.values()), "what stands on memory alone is an illustration"


def test_links_are_told_by_both_sides() -> None:
    """What pays in both directions is said in both rulebooks, for the same days."""
    for system in systems():
        for link in book(system).system.links:
            if link.kind == "two_way" and link.system:
                back = [other for other in book(link.system).system.links if other.system == system and other.kind == "two_way"]
                assert back, f"{link.system} says nothing of its link with {system}"
                assert any((other.starts, other.ends) == (link.starts, link.ends) for other in back), f"{system} and {link.system} name other days"


NEWCOMER = """\
id: fifty-ninth
name: {en: Another country's system, zh-Hans: 另一国碳市场, zh-Hant: 另一國碳市場}
status: in_force
design: output_based
begins: 2024-01-01
unit: {name: performance unit, measure: tonne}
currency: CHF
jurisdiction: Another country
links:
  - {system: swiss-ets, kind: accepted_by, from: 2025-01-01, source: "Treaty of 2024, article 3"}
topics:
  allocation:
    rules: [sectoral_allocation]
    parameters:
      allocation_method: {unit: text, by: sector, values: [{from: 2024-01-01, value: {all: benchmark}, source: Act 1}]}
      benchmark: {unit: tCO2e_per_tonne_product, by: product, values: [{from: 2024-01-01, value: {steel: 1.5, glass: 0.4}, source: Act 1}]}
      yearly_factor: {unit: ratio, by: year, values: [{from: 2024-01-01, value: {2024: 1, 2025: 0.97}, source: Act 1}]}
  obligation:
    rules: [baseline_and_credit, payment_in_place_of_units]
    parameters:
      payment_price_by_year: {unit: CHF_per_allowance, by: year, values: [{from: 2024-01-01, value: {2024: 95, 2025: 110}, source: Act 1}]}
  calendar:
    parameters:
      agenda:
        unit: calendar_rule
        by: task
        values: [{from: 2024-01-01, value: {report: "+1 03-31", verify: "+1 05-31", award: "+1 06-30", surrender: "+1 09-30"}, source: Act 1}]
"""
NEW_CASE = """\
- name: a steelworks that makes 100,000 tonnes in the second year may emit 145,500
  on: 2026-06-30
  ask: allocation
  given: {year: 2025, sector: metals, product: steel, quantity: 100_000}
  expect: 145_500
  kind: edge
  source: Act 1
"""


def test_one_more_system_is_data_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "fifty-ninth"
    (folder / "cases").mkdir(parents=True)
    (folder / "system.yaml").write_text(NEWCOMER, encoding="utf-8")
    (folder / "cases" / "own.yaml").write_text(NEW_CASE, encoding="utf-8")
    newcomer = tonne.rulebook(folder)
    assert unsound(newcomer) == [] and all(o.passed for o in run_rulebook(newcomer))
    run = tonne.run(folder, (2024, 2025), synthetic=50)
    assert run.verify()[1] == [] and run.table()["earned"].sum() > 0 and run.table()["paid"].sum() > 0
    assert overview(newcomer, DAY).obliged == "above its limit"


def test_one_more_system_ships_as_the_others_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped beside the others, a folder is a system: listed, linked to, asked by its id."""
    shipped = tmp_path / "rulebooks"
    shutil.copytree(SHIPPED / "swiss-ets", shipped / "swiss-ets")
    (shipped / "fifty-ninth").mkdir()
    (shipped / "fifty-ninth" / "system.yaml").write_text(NEWCOMER, encoding="utf-8")
    for module in ("tonne.law.catalogue", "tonne.interfaces.cli_words"):
        monkeypatch.setattr(f"{module}.SHIPPED", shipped, raising=False)
    assert systems() == ["fifty-ninth", "swiss-ets"]
    assert tonne.rulebook("fifty-ninth").at("2025-01-01").payment_price(2025) == 110
