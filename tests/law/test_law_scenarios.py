"""What if: a patch wins on its day, what the law says later still holds, and a patch that fits nothing is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from law_files import made, with_values

from tonne.law import Rulebook, RulebookError, ScenarioError, apply_scenario, scenarios

CAP = """
{from: 2020-01-01, value: {2020: 100, 2021: 90, 2022: 80}, source: Act 1, published: 2019-06-01}
{from: 2022-01-01, value: {2022: 70}, source: Act 2, published: 2021-06-01}
"""
SIZE = """
{from: 2020-01-01, value: 10, source: Act 1, published: 2019-06-01}
{from: 2022-01-01, value: 20, source: Act 2, published: 2021-06-01}
{from: 2024-01-01, value: 30, source: Bill 3, status: proposed}
"""


def book_of(tmp_path: Path) -> Rulebook:
    return made(tmp_path, cap=with_values(CAP, by="year"), stability=with_values(SIZE))


def scenario(tmp_path: Path, patches: str, head: str = "id: strict\nsystem: my-country\nname: Stricter\n") -> Path:
    folder = tmp_path / "mine" / "scenarios"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "strict.yaml"
    path.write_text(head + ("patches:\n" + patches if patches else ""), encoding="utf-8")
    return path


def test_a_patch_wins_on_its_day_and_later_law_still_overrides_it(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    path = scenario(tmp_path, "  - {parameter: stability.size, from: 2021-01-01, value: 15}\n")
    what_if = apply_scenario(book, path)
    assert [what_if.at(day).value("stability.size") for day in ("2020-12-31", "2021-01-01", "2021-12-31", "2022-01-01")] == [10, 15, 15, 20]
    assert [book.at(day).value("stability.size") for day in ("2021-01-01", "2022-01-01")] == [10, 20]


def test_a_patch_wins_over_the_law_of_the_same_day(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    patches = "  - {parameter: stability.size, from: 2022-01-01, value: 25}\n  - {parameter: stability.size, from: 2022-01-01, value: 26}\n"
    assert apply_scenario(book, scenario(tmp_path, patches)).at("2022-01-01").value("stability.size") == 26


def test_a_patch_of_a_table_overlays_its_keys(tmp_path: Path) -> None:
    path = scenario(tmp_path, "  - {parameter: cap.size, from: 2021-01-01, value: {2021: 85, 2022: 75}}\n")
    what_if = apply_scenario(book_of(tmp_path), path)
    assert what_if.at("2021-06-01").value("cap.size") == {2020: 100, 2021: 85, 2022: 75}
    assert what_if.at("2022-01-01").value("cap.size") == {2020: 100, 2021: 85, 2022: 70}


def test_a_patch_may_grow_or_repeal(tmp_path: Path) -> None:
    patches = "  - {parameter: cap.size, from: 2023-01-01, grows: {start: 2023, value: 60, step: -5, until: 2025}}\n"
    patches += "  - {parameter: stability.size, from: 2023-01-01, value: null}\n"
    law = apply_scenario(book_of(tmp_path), scenario(tmp_path, patches)).at("2023-01-01")
    assert law.value("cap.size") == {2020: 100, 2021: 90, 2022: 70, 2023: 60, 2024: 55, 2025: 50}
    assert law.value("stability.size") is None
    assert repr(law) == "<Law of my-country on 2023-01-01 in scenario 'strict'>"


def test_a_scenario_may_include_what_is_only_proposed(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    path = scenario(tmp_path, "", "id: strict\nsystem: my-country\nname: The bill\nincludes_proposed: true\n")
    assert book.at("2024-01-01").value("stability.size") == 20
    assert apply_scenario(book, path).at("2024-01-01").value("stability.size") == 30


def test_scenarios_beside_a_rulebook_are_known_by_their_id(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    assert scenarios(book) == []
    with pytest.raises(ScenarioError, match="my-country has no scenario 'strict'; it has none"):
        apply_scenario(book, "strict")
    scenario(tmp_path, "  - {parameter: stability.size, from: 2021-01-01, value: 15}\n")
    assert scenarios(book) == ["strict"]
    assert apply_scenario(book, "strict").scenario == "strict"
    with pytest.raises(ScenarioError, match=r"my-country has no scenario 'strct'; did you mean 'strict'\?"):
        apply_scenario(book, "strct")


def test_a_patch_of_a_parameter_that_does_not_exist_is_named_with_its_line(tmp_path: Path) -> None:
    path = scenario(tmp_path, "  - parameter: stability.sise\n    from: 2021-01-01\n    value: 1\n")
    message = r"strict\.yaml:5: patches\[0\] changes 'stability\.sise', which my-country does not have; did you mean 'stability\.size'\?"
    with pytest.raises(ScenarioError, match=message):
        apply_scenario(book_of(tmp_path), path)


def test_a_scenario_of_another_system_is_refused(tmp_path: Path) -> None:
    path = scenario(tmp_path, "", "id: strict\nsystem: other-country\nname: Stricter\n")
    with pytest.raises(ScenarioError, match=r"strict\.yaml: the scenario is written for 'other-country', not for 'my-country'"):
        apply_scenario(book_of(tmp_path), path)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            "{parameter: cap.size, from: 2021-01-01, value: 85}",
            "strict.yaml:5: patches.0: cap.size: the parameter has `by:`, so each value is a table",
        ),
        ("{parameter: stability.size, from: 2021-01-01, value: {2021: 1}}", "strict.yaml:5: patches.0: stability.size: a table needs `by:`"),
        ("{parameter: stability.size, from: 2021-01-01, value: 1.5}", "stability.size: 1.5 does not fit the unit 'allowance'"),
        ("{parameter: stability.size, from: 2021-01-01}", "strict.yaml:5: patches.0: an entry has either `value` (null when repealed) or `grows`"),
        ("{parameter: stability.size, value: 1}", "strict.yaml:5: patches.0.from: missing"),
        ("{parameter: stability.size, from: soon, value: 1}", "strict.yaml:5: patches.0.from: 'soon' is not a day"),
        ("{parametre: stability.size, from: 2021-01-01, value: 1}", "patches.0.parametre: unknown key (did you mean 'parameter'?)"),
    ],
)
def test_a_patch_that_does_not_fit(tmp_path: Path, patch: str, message: str) -> None:
    with pytest.raises(RulebookError) as caught:
        apply_scenario(book_of(tmp_path), scenario(tmp_path, f"  - {patch}\n"))
    assert message in str(caught.value)
