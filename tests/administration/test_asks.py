"""How a question finds its rule and the rule its parameters; and what is unsound between a rulebook and the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonne.administration.asks import UnknownAsk, answer, asks, offers, path_of
from tonne.administration.soundness import unsound
from tonne.law import NotYetInForce, Rulebook, load
from tonne.rules.declare import MECHANISMS, rule

SYSTEM = """\
id: my-country
name: My country's market
status: in_force
design: cap_and_trade
begins: 2020-01-01
unit: {name: allowance}
currency: EUR
jurisdiction: My country
"""


@pytest.fixture(autouse=True)
def _levy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two mechanisms for these tests alone: a levy, and another that answers the same."""
    for name in ("test_levy", "test_other_levy"):
        monkeypatch.setitem(MECHANISMS, name, {})

    @rule("test_levy", unit="EUR", given={"verified": "tCO2e", "months": "month"})
    def levy(verified: Any, months: Any = 12, *, price: int, cap__reference: int, discount: int = 7) -> dict[str, Any]:
        """What is owed for what was emitted.

        A line of arithmetic.
        """
        return {"verified": verified, "months": months, "price": price, "reference": cap__reference, "discount": discount}

    def other(verified: Any) -> Any:
        return verified

    other.__name__ = "levy"
    rule("test_other_levy", unit="EUR", given={"verified": "tCO2e"})(other)
    yield


def values(name: str, *entries: str, extra: str = "") -> str:
    lines = "".join(f"      - {{{entry}, source: Act 1}}\n" for entry in entries)
    return f"  {name}:\n    unit: EUR_per_allowance\n{extra}    values:\n{lines}"


PRICE = values("price", "from: 2020-01-01, value: 5", "from: 2021-01-01, value: 6")
CAP = "rules: []\nparameters:\n" + values("reference", "from: 2020-01-01, value: 100")


def book(tmp_path: Path, penalty: str = "rules: [test_levy]\nparameters:\n" + PRICE, cap: str = CAP, **topics: str) -> Rulebook:
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    for name, text in {"system": SYSTEM, "penalty": penalty, "cap": cap, **topics}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(folder, answer)


def faults(rulebook: Rulebook) -> list[str]:
    return [str(fault) for fault in unsound(rulebook)]


def test_parameters_come_from_the_topic_that_chose_the_mechanism_or_from_the_topic_named(tmp_path: Path) -> None:
    law = book(tmp_path).at("2020-06-01")
    assert law.levy(10) == {"verified": 10, "months": 12, "price": 5, "reference": 100, "discount": 7}
    assert law.levy(verified=10, months=8)["months"] == 8
    assert book(tmp_path).at("2021-01-01").levy(10)["price"] == 6
    assert (path_of("price", "penalty"), path_of("cap__reference", "penalty")) == ("penalty.price", "cap.reference")


def test_an_optional_parameter_is_read_where_the_rulebook_has_it_and_left_out_before_its_day(tmp_path: Path) -> None:
    rulebook = book(tmp_path, "rules: [test_levy]\nparameters:\n" + PRICE + values("discount", "from: 2021-01-01, value: 3"))
    assert rulebook.at("2020-06-01").levy(1)["discount"] == 7
    assert rulebook.at("2021-01-01").levy(1)["discount"] == 3
    assert faults(rulebook) == []


def test_a_required_parameter_without_a_value_on_the_day_refuses_the_question(tmp_path: Path) -> None:
    rulebook = book(tmp_path, "rules: [test_levy]\nparameters:\n" + values("price", "from: 2021-01-01, value: 6"))
    with pytest.raises(NotYetInForce, match=r"penalty\.price has no value on 2020-06-01; its first value takes effect 2021-01-01"):
        rulebook.at("2020-06-01").levy(1)


def test_a_list_of_whole_numbers_is_a_column_by_name_and_by_place(tmp_path: Path) -> None:
    law = book(tmp_path).at("2020-06-01")
    for got in (law.levy([1, 2])["verified"], law.levy(verified=[1, 2])["verified"]):
        assert isinstance(got, np.ndarray)
        assert got.tolist() == [1, 2]
    assert law.levy(["steel"])["verified"] == ["steel"]
    assert law.levy([True])["verified"] == [True]
    assert law.levy([])["verified"] == []


def test_unknown_questions_and_inputs_are_refused_with_the_nearest(tmp_path: Path) -> None:
    law = book(tmp_path).at("2020-06-01")
    with pytest.raises(UnknownAsk, match=r"my-country answers no 'levvy'; did you mean 'levy'\?"):
        law.levvy(1)
    with pytest.raises(UnknownAsk, match="my-country answers no 'msr_intake'; allowed: levy"):
        law.msr_intake(1)
    with pytest.raises(UnknownAsk, match=r"levy takes no 'verifed'; did you mean 'verified'\?"):
        law.levy(verifed=1)
    with pytest.raises(UnknownAsk, match=r"levy also needs verified \(tCO2e\)"):
        law.levy()
    with pytest.raises(UnknownAsk, match=r"levy takes 2 inputs \(verified, months\), 3 were given"):
        law.levy(1, 2, 3)
    with pytest.raises(UnknownAsk, match="levy was given 'verified' twice, in its place and by name"):
        law.levy(1, verified=2)
    with pytest.raises(UnknownAsk, match=r"levy takes no 'price'; allowed: months, verified"):
        law.levy(1, price=2)


def test_a_case_may_fix_a_parameter_and_a_misspelt_one_is_refused(tmp_path: Path) -> None:
    law = book(tmp_path).at("2020-06-01")
    assert answer(law, "levy", (1,), None, price=9, cap__reference=8)["price"] == 9
    with pytest.raises(UnknownAsk, match=r"levy reads no parameter 'prices' of the law; did you mean 'price'\?"):
        answer(law, "levy", (1,), None, prices=9)


def test_the_list_of_questions(tmp_path: Path) -> None:
    rulebook = book(tmp_path)
    ((ask, (declared, topic)),) = asks(rulebook).items()
    assert (ask, topic, declared.mechanism, declared.unit, declared.required) == ("levy", "penalty", "test_levy", "EUR", ("verified",))
    assert dict(declared.parameters) == {"price": True, "cap__reference": True, "discount": False}
    assert declared.summary == "What is owed for what was emitted."
    assert offers(rulebook.at("2020-01-01"), "levy")
    assert not offers(rulebook.at("2020-01-01"), "cap")


def test_a_sound_rulebook_has_no_faults(tmp_path: Path) -> None:
    assert faults(book(tmp_path)) == []


def test_a_mechanism_that_does_not_exist(tmp_path: Path) -> None:
    rulebook = book(tmp_path, "# penalties\nrules:\n  - test_levi\nparameters: {}\n", "rules: []\n")
    assert faults(rulebook) == ["mine/penalty.yaml:3: rules: no mechanism 'test_levi' (did you mean 'test_levy'?)"]


def test_a_parameter_that_a_chosen_rule_needs_and_the_rulebook_lacks(tmp_path: Path) -> None:
    penalty = "rules: [test_levy]\nparameters:\n" + values("prise", "from: 2020-01-01, value: 5")
    assert faults(book(tmp_path, penalty)) == [
        "mine/penalty.yaml:1: penalty.price: test_levy (levy) needs this parameter and the rulebook lacks it (did you mean 'penalty.prise'?)",
        "mine/penalty.yaml:3: penalty.prise: no chosen rule reads this parameter (mark it `informative: true` or choose the rule that reads it)",
    ]
    (fault,) = faults(book(tmp_path, cap="rules: []\n"))
    assert fault.startswith("mine/penalty.yaml:1: cap.reference: test_levy (levy) needs this parameter and the rulebook lacks it")


def test_a_parameter_that_no_rule_reads(tmp_path: Path) -> None:
    extra = values("publication", "from: 2020-01-01, value: 5")
    message = (
        "mine/penalty.yaml:8: penalty.publication: no chosen rule reads this parameter (mark it `informative: true` or choose the rule that reads it)"
    )
    assert faults(book(tmp_path, "rules: [test_levy]\nparameters:\n" + PRICE + extra)) == [message]
    told = values("publication", "from: 2020-01-01, value: 5", extra="    informative: true\n")
    assert faults(book(tmp_path, "rules: [test_levy]\nparameters:\n" + PRICE + told)) == []


def test_a_parameter_called_informative_that_a_rule_reads(tmp_path: Path) -> None:
    cap = "rules: []\nparameters:\n" + values("reference", "from: 2020-01-01, value: 100", extra="    informative: true\n")
    message = "mine/cap.yaml:3: cap.reference: a rule reads this parameter, so it is not informative (remove `informative: true`)"
    assert faults(book(tmp_path, cap=cap)) == [message]


def test_two_mechanisms_that_answer_one_question(tmp_path: Path) -> None:
    rulebook = book(tmp_path, obligation="rules:\n  - test_other_levy\n")
    assert faults(rulebook) == ["mine/penalty.yaml:1: rules: test_levy and test_other_levy both answer 'levy' (choose one of them)"]
    twice = book(tmp_path, "rules: [test_levy, test_levy]\nparameters:\n" + PRICE, obligation="rules: []\n")
    assert faults(twice) == ["mine/penalty.yaml:1: rules: test_levy and test_levy both answer 'levy' (choose one of them)"]


def test_a_rule_is_declared_once_and_with_a_unit_for_each_input() -> None:
    def levy(verified: Any) -> Any:
        return verified

    with pytest.raises(TypeError, match=r"levy: `given` names \[\], the signature has \['verified'\]"):
        rule("test_levy", unit="EUR")(levy)
    with pytest.raises(TypeError, match=r"test_levy\.levy is declared twice"):
        rule("test_levy", unit="EUR", given={"verified": "tCO2e"})(levy)


def test_the_tasks_a_calendar_may_order_are_those_the_administration_carries_out() -> None:
    from tonne.administration.agenda import TASKS
    from tonne.law.vocabulary import TASKS as KNOWN

    assert set(TASKS) == KNOWN


def test_a_figure_that_is_repealed_and_needed_is_said_to_be(tmp_path: Path) -> None:
    repealed = values("price", "from: 2020-01-01, value: 5", "from: 2021-01-01, value: null")
    rulebook = book(tmp_path, penalty="rules: [test_levy]\nparameters:\n" + repealed)
    assert rulebook.at("2020-06-01").levy(10)["price"] == 5
    with pytest.raises(NotYetInForce, match=r"penalty\.price is repealed on 2021-06-01, and levy needs it"):
        rulebook.at("2021-06-01").levy(10)
