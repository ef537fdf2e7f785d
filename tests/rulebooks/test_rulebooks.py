"""Every rulebook that ships is sound, complete in its words and sources, and reproduces its published numbers to the last unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tonne.administration.asks import answer, asks, path_of
from tonne.administration.cases import Outcome, read_cases, run_rulebook
from tonne.administration.soundness import unsound
from tonne.law import BeforeSystem, Parameter, Rulebook, apply_scenario, load, scenarios, systems
from tonne.law.vocabulary import is_unit
from tonne.rules import mechanisms

LANGUAGES = ("en", "zh-Hans", "zh-Hant")
#: Mechanisms that no rulebook names, with the reason. None: a rule that no law uses is dead.
UNUSED_MECHANISMS: dict[str, str] = {}
#: Questions that no case asks, with the reason. None.
UNASKED: dict[str, str] = {}


@cache
def book(system: str) -> Rulebook:
    return load(system, answer)


@cache
def outcomes(system: str) -> list[Outcome]:
    return run_rulebook(book(system))


def parameters() -> Iterator[tuple[str, Parameter]]:
    for system in systems():
        for parameter in book(system).parameters.values():
            yield f"{parameter.file}:{parameter.line}: {parameter.path}", parameter


def show(breaches: list[str]) -> str:
    return f"{len(breaches)} breaches\n" + "\n".join(breaches[:50])


@pytest.mark.parametrize("system", systems())
def test_a_shipped_rulebook_is_sound(system: str) -> None:
    assert not [str(fault) for fault in unsound(book(system))]
    assert book(system).system.id == system
    begins = book(system).system.begins
    if book(system).system.has_law:
        assert book(system).at(begins).day == begins
    else:
        with pytest.raises(BeforeSystem, match=f"{system} has no law yet"):
            book(system).at("2030-01-01")


@pytest.mark.parametrize("system", systems())
def test_all_cases_of_a_system_pass(system: str) -> None:
    failed = [f"{o.file}: {o.name}: expected {o.expected}, got {o.got}" for o in outcomes(system) if not o.passed]
    counts = Counter(o.kind for o in outcomes(system))
    print(f"{system}: {sum(counts.values())} cases: " + ", ".join(f"{n} {kind}" for kind, n in counts.most_common()))  # noqa: T201
    assert not failed, show(failed)
    if book(system).system.status == "in_force":
        assert counts["published"] > 0


@pytest.mark.parametrize("system", systems())
def test_every_scenario_beside_a_rulebook_fits_it(system: str) -> None:
    for name in scenarios(book(system)):
        assert apply_scenario(book(system), name).scenario == name


def test_no_published_case_rests_on_memory_alone() -> None:
    weak = [f"{o.file}: {o.name}" for system in systems() for o in outcomes(system) if o.kind == "published" and o.confidence == "recall"]
    assert not weak, show(weak)


def test_a_case_is_named_once_and_as_a_sentence() -> None:
    for system in systems():
        twice = [name for name, count in Counter((o.ask, o.name) for o in outcomes(system)).items() if count > 1]
        assert not twice, show([f"{system}: {ask}: {name}" for ask, name in twice])
        short = [f"{o.file}: {o.name}" for o in outcomes(system) if len(o.name.split()) < 3]
        assert not short, show(short)


def test_a_tolerance_is_only_for_what_the_source_itself_rounds() -> None:
    for system in systems():
        for path in sorted((Path(book(system).place) / "cases").rglob("*.yaml")):
            for case, place in read_cases(path, path.name):
                assert not case.tolerance or len(case.tolerance_reason) >= 10, f"{system}: {place}: the reason of a tolerance is a sentence"


def test_every_mechanism_is_named_by_a_rulebook() -> None:
    named = {name for system in systems() for name in book(system).mechanisms}
    unnamed = sorted(set(mechanisms()) - named - set(UNUSED_MECHANISMS))
    assert not unnamed, show(unnamed)
    assert not set(UNUSED_MECHANISMS) & named


def test_every_question_is_asked_by_a_case_and_gets_an_answer() -> None:
    """A rule is (mechanism, ask): each needs a case of a system that chose its mechanism, and one whose case is not a refusal."""
    asked: set[tuple[str, str]] = set()
    answered: set[tuple[str, str]] = set()
    for system in systems():
        offered = asks(book(system))
        for outcome in outcomes(system):
            if outcome.ask in offered:
                rule = (offered[outcome.ask][0].mechanism, outcome.ask)
                asked.add(rule)
                if not str(outcome.got).split(":")[0].endswith(("Error", "NotYetInForce", "UnknownAsk")):
                    answered.add(rule)
    rules = {(mechanism, ask) for mechanism, declared in mechanisms().items() for ask in declared}
    unasked = sorted(f"{mechanism}.{ask}" for mechanism, ask in rules - asked if ask not in UNASKED)
    assert not unasked, show(unasked)
    refused_only = sorted(f"{mechanism}.{ask}" for mechanism, ask in rules - answered if ask not in UNASKED)
    assert not refused_only, show(refused_only)


def test_every_unit_of_a_rule_is_in_the_list() -> None:
    wrong = [
        f"{mechanism}.{ask}: {unit!r}"
        for mechanism, declared in mechanisms().items()
        for ask, rule in declared.items()
        for unit in (rule.unit, *rule.given.values())
        if not is_unit(unit)
    ]
    assert not wrong, show(wrong)


def test_every_rule_says_what_it_decides() -> None:
    silent = [f"{mechanism}.{ask}" for mechanism, declared in mechanisms().items() for ask, rule in declared.items() if len(rule.summary) < 20]
    assert not silent, show(silent)


def test_what_a_rule_of_another_topic_reads_is_there() -> None:
    """An optional parameter of another topic (`topic__name`) that no rulebook has is a slip of the pen: a default would always hold."""
    written = {path for system in systems() for path in book(system).parameters}
    never = [
        f"{mechanism}.{ask}: {path_of(name, '')}"
        for mechanism, declared in mechanisms().items()
        for ask, rule in declared.items()
        for name in rule.parameters
        if "__" in name and path_of(name, "") not in written
    ]
    assert not never, show(never)


def test_every_parameter_has_its_words_in_three_languages() -> None:
    lacking = [f"{place} lacks {language}" for place, p in parameters() for language in LANGUAGES if not p.label.get(language, "").strip()]
    lacking += [f"{system}: name lacks {language}" for system in systems() for language in LANGUAGES if not book(system).system.name.get(language)]
    assert not lacking, show(lacking)
    latin = [f"{place}: {p.label['zh-Hans']!r}" for place, p in parameters() if not any("\u4e00" <= c <= "\u9fff" for c in p.label["zh-Hans"])]
    assert not latin, show(latin)


def test_every_value_has_a_source_of_substance() -> None:
    """A document, an article, an address: at least two words, or an address, and never a placeholder."""
    placeholders = {"source", "see above", "ibid", "tbd", "todo", "unknown", "same", "as above", "n/a"}
    weak = [
        f"{p.file}:{value.line}: {p.path}: {value.source!r}"
        for _, p in parameters()
        for value in p.values
        if value.source.lower() in placeholders or (len(value.source.split()) < 2 and "://" not in value.source) or len(value.source) < 8
    ]
    assert not weak, show(weak)


def test_a_day_that_is_known_comes_before_or_on_which_it_is_cited() -> None:
    """Nothing was published before the century of carbon markets, and no value is dated beyond the years a law plans for."""
    odd = [
        f"{p.file}:{value.line}: {p.path}: {value.starts}, {value.published}"
        for _, p in parameters()
        for value in p.values
        if not (1990 <= value.published.year <= 2100 and 1990 <= value.starts.year <= 2100)
    ]
    assert not odd, show(odd)
