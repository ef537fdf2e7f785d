"""Links between systems, systems without any law yet, and topics inside system.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonne.administration.asks import answer
from tonne.administration.soundness import unsound
from tonne.law import BeforeSystem, NotYetInForce, Rulebook, RulebookError, apply_scenario, load

HEAD = """\
id: my-country
name: My country's market
status: under_consideration
design: cap_and_trade
begins: null
unit: {name: allowance}
currency: EUR
jurisdiction: My country
"""
TOPICS = """\
topics:
  cap:
    rules: [tabled_cap]
    parameters:
      cap_by_year:
        unit: allowance
        by: year
        values: [{from: 2030-01-01, value: {2030: 500}, source: a bill, status: proposed}]
"""


def folder(tmp_path: Path, head: str = HEAD, **files: str) -> Path:
    place = tmp_path / "my-country"
    place.mkdir()
    (place / "system.yaml").write_text(head, encoding="utf-8")
    for name, text in files.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return place


def linked(tmp_path: Path, *links: str, head: str = HEAD) -> Rulebook:
    return load(folder(tmp_path, head + "links:\n" + "".join(f"  - {{{link}}}\n" for link in links)), answer)


def test_a_link_holds_from_a_day_to_a_day(tmp_path: Path) -> None:
    book = linked(
        tmp_path,
        "system: rggi, kind: two_way, from: 2020-01-01, to: 2021-12-31, source: an agreement",
        "jurisdiction: a valley, kind: member, from: 2021-06-01, source: its act, confidence: recall, note: by ordinance",
    )
    assert [link.system or link.jurisdiction for link in book.links_on("2021-12-31")] == ["rggi", "a valley"]
    assert [link.jurisdiction for link in book.links_on("2022-01-01")] == ["a valley"]
    assert book.links_on("2019-12-31") == ()
    assert unsound(book) == []


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (
            "system: rgi, kind: two_way, from: 2020-01-01, source: x y z",
            "my-country/system.yaml:10: links.0: there is no system 'rgi' (did you mean 'rggi'?)",
        ),
        ("system: my-country, kind: beside, from: 2020-01-01, source: x y z", "a system is not linked with itself (name the other one)"),
    ],
)
def test_a_link_to_a_missing_system_is_a_fault_with_its_place(tmp_path: Path, link: str, message: str) -> None:
    assert message in next(str(fault) for fault in unsound(linked(tmp_path, link)))


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("kind: two_way, from: 2020-01-01, source: x y z", "a link names either a `system` or a `jurisdiction`"),
        ("system: rggi, jurisdiction: a, kind: two_way, from: 2020-01-01, source: x y z", "a link names either a `system` or a `jurisdiction`"),
        ("system: rggi, kind: friendly, from: 2020-01-01, source: x y z", "'friendly' is not known"),
        ("system: rggi, kind: two_way, from: 2020-01-01", "links.0.source: missing (every value names its source)"),
        ("system: rggi, kind: two_way, from: 2020-01-01, to: 2019-01-01, source: x y z", "ends 2019-01-01, before it starts 2020-01-01"),
    ],
)
def test_a_link_that_says_too_little_or_too_much(tmp_path: Path, link: str, message: str) -> None:
    with pytest.raises(RulebookError, match="fault") as caught:
        linked(tmp_path, link)
    assert message in str(caught.value) and "my-country/system.yaml:10" in str(caught.value)


def test_a_neighbour_s_folder_may_be_linked(tmp_path: Path) -> None:
    (tmp_path / "next-door").mkdir()
    (tmp_path / "next-door" / "system.yaml").write_text(HEAD.replace("my-country", "next-door"), encoding="utf-8")
    assert unsound(linked(tmp_path, "system: next-door, kind: two_way, from: 2020-01-01, source: an agreement")) == []


def test_a_system_without_law_answers_only_inside_a_scenario(tmp_path: Path) -> None:
    place = folder(tmp_path, HEAD + TOPICS)
    (place / "scenarios").mkdir()
    scenario = "id: as-proposed\nsystem: my-country\nname: As proposed\nincludes_proposed: true\n"
    (place / "scenarios" / "as-proposed.yaml").write_text(scenario, encoding="utf-8")
    book = load(place, answer)
    with pytest.raises(BeforeSystem, match="my-country has no law yet: it is under consideration, and what is proposed holds in a scenario only"):
        book.at("2030-06-01")
    assert apply_scenario(book, "as-proposed").at("2030-06-01").cap(2030) == 500
    with pytest.raises(BeforeSystem, match="my-country has no law on 2029-12-31; it begins 2030-01-01"):
        apply_scenario(book, "as-proposed").at("2029-12-31")


def test_proposed_law_of_a_system_that_has_begun_says_so(tmp_path: Path) -> None:
    book = load(folder(tmp_path, HEAD.replace("begins: null", "begins: 2020-01-01") + TOPICS), answer)
    with pytest.raises(NotYetInForce, match=r"cap\.cap_by_year is only proposed; a scenario may include it"):
        book.at("2030-06-01").cap(2030)


def test_a_system_in_force_has_begun(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="a system whose status is 'in_force' has a first day of law: `begins`"):
        load(folder(tmp_path, HEAD.replace("under_consideration", "in_force")))


def test_a_topic_stands_in_one_place(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match=r"my-country/cap.yaml: system.yaml holds the topic cap too \(keep it in one place\)"):
        load(folder(tmp_path, HEAD + TOPICS, cap="rules: []\n"))
