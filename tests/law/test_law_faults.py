"""What a faulty rulebook gets: file, line, key, what is wrong and what to do. Each test spoils a sound rulebook in one place."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from law_files import SYSTEM, faults_of, made, rulebook_files, with_values

from tonne.law import RulebookError, UnknownSystem, load, vocabulary
from tonne.law.catalogue import SHIPPED
from tonne.law.faults import nearest

ONE = 'value: 1, source: "Act 1"'


def test_the_rulebook_that_is_spoilt_below_is_sound(tmp_path: Path) -> None:
    book = made(tmp_path, cap=with_values(f"{{from: 2020-01-01, {ONE}}}"))
    assert book.at("2020-01-01").value("cap.size") == 1
    assert repr(book) == "<Rulebook my-country: 1 parameters>"


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        # unknown keys, at every depth
        ("ruls: []\n", "mine/cap.yaml:1: ruls: unknown key (did you mean 'rules'?)"),
        (
            "rules: []\nparameters:\n  size:\n    unit: allowance\n    lable: {en: Size}\n    values: []\n",
            "mine/cap.yaml:5: parameters.size.lable: unknown key (did you mean 'label'?)",
        ),
        (with_values("{from: 2020-01-01, vaule: 1, source: Act 1}"), "mine/cap.yaml:6: parameters.size.values.0.vaule: unknown key"),
        (with_values(f"{{from: 2020-01-01, {ONE}, publishd: 2019-01-01}}"), "publishd: unknown key (did you mean 'published'?)"),
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 2021, stepp: 1}}", by="year"),
            "grows.stepp: unknown key (did you mean 'step'?)",
        ),
        # duplicate keys
        ("rules: []\nparameters: {}\nrules: []\n", "mine/cap.yaml:3: rules: written twice in the same place (first on line 1)"),
        (
            with_values("{from: 2020-01-01, value: {2020: 1, 2020: 2}, source: Act 1}", by="year"),
            "mine/cap.yaml:7: parameters.size.values.0.value.2020: written twice",
        ),
        # sources
        (with_values("{from: 2020-01-01, value: 1}"), "mine/cap.yaml:6: parameters.size.values.0.source: missing (every value names its source)"),
        (
            with_values("{from: 2020-01-01, value: 1, source: '   '}"),
            "mine/cap.yaml:6: parameters.size.values.0.source: too short: 3 characters or more are asked for",
        ),
        (with_values("{from: 2020-01-01, value: 1, source: }"), "parameters.size.values.0.source: a text is asked for"),
        # dates
        (
            with_values(f"{{from: 2021-01-01, {ONE}}}\n{{from: 2020-01-01, {ONE}}}"),
            "mine/cap.yaml:7: size: dates out of order: 2020-01-01 (published 2020-01-01) stands after 2021-01-01 (published 2021-01-01) "
            "(order values by `from`, then by `published`)",
        ),
        (
            with_values(f"{{from: 2021-01-01, published: 2020-06-01, {ONE}}}\n{{from: 2021-01-01, published: 2020-05-01, {ONE}}}"),
            "mine/cap.yaml:7: size: dates out of order",
        ),
        (with_values("{value: 1, source: Act 1}"), "mine/cap.yaml:6: parameters.size.values.0.from: missing"),
        (with_values(f"{{from: 0, {ONE}}}"), "mine/cap.yaml:6: parameters.size.values.0.from: 0 is not a day; write it as 2024-06-01"),
        (with_values(f"{{from: 2020, {ONE}}}"), "2020 is not a day; write it as 2024-06-01"),
        (with_values(f"{{from: '86400', {ONE}}}"), "'86400' is not a day; write it as 2024-06-01"),
        (with_values(f"{{from: 2020-1-5, {ONE}}}"), "'2020-1-5' is not a day; write it as 2024-06-01"),
        (with_values(f"{{from: 2020-01-01, published: soon, {ONE}}}"), "published: 'soon' is not a day"),
        # contradictions
        (
            with_values("{from: 2020-01-01, value: 1, source: Act 1}\n{from: 2020-01-01, value: 2, source: Act 2}"),
            "mine/cap.yaml:7: size: two values take effect on 2020-01-01 and were published the same day: which one holds? "
            "(the other stands on line 6; give the later one its own `published` day, or remove one)",
        ),
        (
            with_values("{from: 2020-01-01, value: 1, source: Act 1}\n{from: 2020-01-01, value: 2, source: Act 2, status: adopted}"),
            "two values take effect on 2020-01-01",
        ),
        (
            with_values(
                "\n".join(f"{{from: 2020-01-01, value: {{{year}: {n}}}, source: Act {n}}}" for year, n in ((2020, 1), (2021, 2), (2020, 3))),
                by="year",
            ),
            "mine/cap.yaml:9: size: two values take effect on 2020-01-01 and were published the same day: which one holds? "
            "(the other stands on line 7;",
        ),
        # units
        (
            with_values(f"{{from: 2020-01-01, {ONE}}}", unit="alowance"),
            "mine/cap.yaml:4: size: unknown unit 'alowance' (did you mean 'allowance'?)",
        ),
        (
            with_values(f"{{from: 2020-01-01, {ONE}}}", unit="EUR_per_alowance"),
            "mine/cap.yaml:4: size: unknown unit 'EUR_per_alowance' (did you mean 'EUR_per_allowance'?)",
        ),
        (with_values(f"{{from: 2020-01-01, {ONE}}}", unit="euro"), "unknown unit 'euro'"),
        (with_values("{from: 2020-01-01, value: {2020: 1}, source: Act 1}"), "mine/cap.yaml:6: size: a table needs `by:` on the parameter"),
        (with_values(f"{{from: 2020-01-01, {ONE}}}", by="year"), "mine/cap.yaml:7: size: the parameter has `by:`, so each value is a table"),
        (
            with_values("{from: 2020-01-01, value: 1.5, source: Act 1}"),
            "mine/cap.yaml:6: size: 1.5 does not fit the unit 'allowance', which is counted in whole numbers",
        ),
        (
            with_values("{from: 2020-01-01, value: {2020: 1, 2021: 2.0}, source: Act 1}", by="year"),
            "mine/cap.yaml:7: size: 2021: 2.0 does not fit the unit 'allowance'",
        ),
        (
            with_values("{from: 2020-01-01, value: {2020: {low: 1, high: 2.5}}, source: Act 1}", by="year"),
            "size: 2020: high: 2.5 does not fit the unit 'allowance'",
        ),
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 2022, step: 0.5}}", unit="credit", by="year"),
            "size: 2021: 1.5 does not fit the unit 'credit'",
        ),
        (
            with_values("{from: 2020-01-01, value: 1e6, source: Act 1}"),
            "'1e6' is not a number, and the unit is 'allowance' (write 1e6 without the exponent)",
        ),
        (with_values("{from: 2020-01-01, value: '12', source: Act 1}", unit="ratio"), "'12' is not a number, and the unit is 'ratio'"),
        (with_values("{from: 2020-01-01, value: true, source: Act 1}", unit="count"), "True is not a number, and the unit is 'count'"),
        (with_values("{from: 2020-01-01, value: no, source: Act 1}", unit="boolean"), "'no' does not fit the unit 'boolean' (write true or false)"),
        (with_values("{from: 2020-01-01, value: 1, source: Act 1}", unit="boolean"), "1 does not fit the unit 'boolean'"),
        (
            with_values("{from: 2020-01-01, value: 2.0, source: Act 1}", unit="text"),
            "2.0 does not fit the unit 'text', which is written in words (put it in",
        ),
        (
            with_values("{from: 2020-01-01, value: '04-31', source: Act 1}", unit="month_day"),
            "'04-31' does not fit the unit 'month_day' (write a day of",
        ),
        (with_values("{from: 2020-01-01, value: '1 April', source: Act 1}", unit="date"), "does not fit the unit 'date' (write a day as 2024-06-01)"),
        (with_values("{from: 2020-01-01, value: Mars/Base, source: Act 1}", unit="time_zone"), "'Mars/Base' does not fit the unit 'time_zone'"),
        (with_values("{from: 2020-01-01, value: sideways, source: Act 1}", unit="rounding"), "(write one of down, up, nearest, half_even, exact)"),
        (
            with_values("{from: 2020-01-01, value: {surrender: 04-30}, source: Act 1}", unit="calendar_rule", by="task"),
            "size: surrender: '04-30' does not fit the unit 'calendar_rule' (write `+N MM-DD`, N years after the emissions year)",
        ),
        (
            with_values('{from: 2020-01-01, value: {surender: "+1 04-30"}, source: Act 1}', unit="calendar_rule", by="task"),
            "'surender' is no task of the calendar (did you mean 'surrender'?)",
        ),
        (
            with_values("{from: 2020-01-01, value: {'2020': 1}, source: Act 1}", by="year"),
            "'2020' is no year; the table is `by: year` (write years as plain numbers from 1900 to 2300)",
        ),
        (with_values("{from: 2020-01-01, value: {20200: 1}, source: Act 1}", by="year"), "20200 is no year"),
        # entries
        (
            with_values("{from: 2020-01-01, source: Act 1}"),
            "mine/cap.yaml:6: parameters.size.values.0: an entry has either `value` (null when repealed) or `grows`",
        ),
        (
            with_values("{from: 2020-01-01, value: 1, grows: {start: 2020, value: 1, until: 2021}, source: Act 1}", by="year"),
            "an entry has either `value`",
        ),
        (with_values(f"{{from: 2020-01-01, {ONE}, status: inforce}}"), "status: 'inforce' is not known; did you mean 'in_force'?"),
        (with_values(f"{{from: 2020-01-01, {ONE}, confidence: sure}}"), "confidence: 'sure' is not known; did you mean 'source'?"),
        (
            "rules: []\nparameters:\n  size:\n    unit: allowance\n    values: []\n",
            "mine/cap.yaml:5: parameters.size.values: empty: at least 1 is asked for",
        ),
        ("rules: []\nparameters:\n  size:\n    values: []\n", "mine/cap.yaml:3: parameters.size.unit: missing"),
        ("rules: price_floor\n", "mine/cap.yaml:1: rules: a list is asked for"),
        ("- rules\n", "mine/cap.yaml:1: here stands a mapping of keys to values"),
        (
            with_values(f"{{from: 2020-01-01, {ONE}}}").replace("  size:", "  the-size:"),
            "mine/cap.yaml:3: the-size: a parameter's name is made of small letters, digits and single underscores",
        ),
        (with_values(f"{{from: 2020-01-01, {ONE}}}").replace("  size:", "  cap__size:"), "cap__size: a parameter's name"),
        (
            with_values(f"{{from: 2020-01-01, {ONE}}}").replace("    unit", "    label: {en: Size, zh_Hans: 规模}\n    unit"),
            "mine/cap.yaml:4: parameters.size.label: 'zh_Hans' is no language; did you mean 'zh-Hans'?",
        ),
        # growths
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 2019}}", by="year"),
            "mine/cap.yaml:7: parameters.size.values.0.grows: grows until 2019, before it starts in 2020",
        ),
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 2022, factor: 1.07}}", by="year"),
            "a growth by a factor says how each year is rounded: `rounding` and `to`",
        ),
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 20220}}", by="year"),
            "grows from 2020 until 20220: years lie between 1900 and 2300",
        ),
        (
            with_values(
                "{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 13.005, until: 2022, factor: 1.07, rounding: up, to: 0.01}}", by="year"
            ),
            "the first value, 13.005, is not a multiple of 0.01",
        ),
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 2022, step: 0.5, to: 1}}", by="year"),
            "is not a whole number and the text orders no rounding",
        ),
        (with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: ten, until: 2022}}", by="year"), "'ten' is not a number"),
        (with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: '.nan', until: 2022}}", by="year"), "'.nan' is not a number"),
        (with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 'NaN', until: 2022}}", by="year"), "'NaN' is not a number"),
        (
            with_values("{from: 2020-01-01, source: Act 1, grows: {start: 2020, value: 1, until: 2022}}"),
            "mine/cap.yaml:6: size: what grows is a table by year (write `by: year` on the parameter)",
        ),
    ],
)
def test_a_fault_of_a_topic(tmp_path: Path, topic: str, message: str) -> None:
    assert message in faults_of(tmp_path, cap=topic)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("currency: EUR", "curency: EUR", "mine/system.yaml:7: curency: unknown key (did you mean 'currency'?)"),
        ("currency: EUR", "currency: euro", "mine/system.yaml:7: currency: 'euro' is no currency"),
        ("status: in_force", "status: in force", "mine/system.yaml:3: status: 'in force' is not known; did you mean 'in_force'?"),
        ("design: cap_and_trade", "design: cap-and-trade", "mine/system.yaml:4: design: 'cap-and-trade' is not known; did you mean 'cap_and_trade'?"),
        ("begins: 2020-01-01", "begins: 2020", "mine/system.yaml:5: begins: 2020 is not a day; write it as 2024-06-01"),
        ("begins: 2020-01-01\n", "", "mine/system.yaml:1: begins: missing"),
        ("measure: tonne", "measure: ton", "mine/system.yaml:6: unit.measure: Input should be 'tonne', 'short_ton', 'kilogram' or 'toe'"),
        ("id: my-country", "id: My Country", "mine/system.yaml:1: id: 'My Country' is no id"),
        ("id: my-country", "id: my-country\ntime_zone: Europe/Brusels", "mine/system.yaml:2: time_zone: 'Europe/Brusels' is no time zone"),
        ("{en: My country's market}", "{english: My country's market}", "mine/system.yaml:2: name: 'english' is no language"),
    ],
)
def test_a_fault_of_the_head(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in faults_of(tmp_path, SYSTEM.replace(old, new))


def test_faults_of_all_files_come_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    topics = {"cap": "ruls: []\n", "auction": "a: [\n", "penalty": with_values("{from: 2020-01-01, value: 1}")}
    message = faults_of(tmp_path, SYSTEM.replace("currency", "curency"), **topics)
    assert [line.split(":")[0] for line in message.splitlines()] == [
        "mine/auction.yaml",
        "mine/cap.yaml",
        "mine/penalty.yaml",
        "mine/system.yaml",
        "mine/system.yaml",
    ]


def test_the_message_counts_the_faults_and_shows_the_first_fifty(tmp_path: Path) -> None:
    bad = "".join(f"bad{n}: 1\n" for n in range(70))
    with pytest.raises(RulebookError) as caught:
        made(tmp_path, cap=bad)
    assert len(caught.value.faults) == 70
    assert str(caught.value).startswith("70 faults in the rulebook:\n  mine/cap.yaml:1: bad0: unknown key")
    assert str(caught.value).count("\n") == 50
    with pytest.raises(RulebookError, match=r"^1 fault in the rulebook:"):
        made(tmp_path, cap="ruls: []\n")


def test_a_file_that_is_no_topic_or_would_not_be_read(tmp_path: Path) -> None:
    assert "mine/capp.yaml:1: no such topic: capp (did you mean 'cap'?)" in faults_of(tmp_path, capp="rules: []\n")
    rulebook_files(tmp_path / "mine", cap="rules: []\n")
    (tmp_path / "mine" / "capp.yaml").unlink()
    (tmp_path / "mine" / "auction.yml").write_text("rules: []\n", encoding="utf-8")
    assert faults_of(tmp_path) == "mine/auction.yml: this file would not be read (name it auction.yaml)"


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    folder = rulebook_files(tmp_path / "mine")
    (folder / "cap.yaml").write_bytes("rules: []\nnotes: [配额]\n".encode("gb18030"))
    with pytest.raises(RulebookError, match=r"mine/cap\.yaml: not UTF-8 text \(byte 18\) \(save the file as UTF-8\)"):
        load(folder)


def test_unknown_systems_and_places_that_are_no_rulebooks(tmp_path: Path) -> None:
    with pytest.raises(UnknownSystem, match=r"no system 'eu_ets'; did you mean 'eu-ets'\?"):
        load("eu_ets")
    with pytest.raises(UnknownSystem, match="no system 'qqq'; see `tonne systems`"):
        load("qqq")
    with pytest.raises(UnknownSystem, match=r"has no system\.yaml, so it is no rulebook"):
        load(tmp_path)
    (tmp_path / "law.txt").write_text("cap", encoding="utf-8")
    with pytest.raises(UnknownSystem, match=r"law\.txt is no rulebook: a rulebook is a folder with a system\.yaml, or one \.yaml file"):
        load(tmp_path / "law.txt")


def test_nearest_names_one_or_lists_the_few_there_are() -> None:
    assert nearest("alowance", ["allowance", "credit"]) == "did you mean 'allowance'?"
    assert nearest("zzz", ["b", "a"]) == "allowed: a, b"
    assert nearest("zzz", []) == ""
    assert nearest("zzz", [f"word{n}" for n in range(21)]) == ""


def test_whatever_is_spoilt_is_refused_by_name_or_sound_and_never_a_crash(tmp_path: Path) -> None:
    """Shipped topics with one line cut, doubled, shifted or one word replaced: 300 seeded slips of the pen."""
    pen = random.Random(2024)
    words = "null [] {} -1 1.5 2024-02-30 true ~ {a:1} &a *a 1e400 ' \" : - 99999-01-01 .5 0x !x on << {2020:{a:[1.5]}}".split()
    topics = [path for path in sorted(SHIPPED.glob("*/*.yaml")) if path.stem != "system" and path.stat().st_size < 12_000]
    refused = 0
    for number in range(300):
        original = pen.choice(topics)
        lines = original.read_text(encoding="utf-8").splitlines(keepends=True)
        at = pen.randrange(len(lines))
        tokens = list(re.finditer(r'[\w.+-]+|"[^"]*"', lines[at])) or [re.match("", lines[at])]
        start, end = pen.choice(tokens).span()  # type: ignore[union-attr]
        replaced = lines[at][:start] + pen.choice(words) + lines[at][end:]
        lines[at : at + 1] = pen.choice([[], [lines[at]] * 2, ["  " + lines[at]], [lines[at][2:]], [replaced], [replaced], [replaced]])
        folder = rulebook_files(tmp_path / str(number), **{original.stem: "".join(lines)})
        try:
            load(folder)
        except RulebookError as error:
            refused += 1
            assert all(fault.file == f"{number}/{original.name}" and fault.reason for fault in error.faults)
    assert 150 < refused < 300


@pytest.mark.parametrize("unit", ["USD", "USD_per_allowance", "million_USD"])
def test_money_that_rules_work_with_is_in_the_systems_currency(tmp_path: Path, unit: str) -> None:
    penalty = with_values(f"{{from: 2020-01-01, {ONE}}}", unit=unit)
    assert f"mine/penalty.yaml:4: size: unit '{unit}', but the system's currency is EUR" in faults_of(tmp_path, penalty=penalty)
    published = penalty.replace("    values:", "    informative: true\n    values:")
    assert made(tmp_path, penalty=published).parameter("penalty.size").unit == unit
    assert made(tmp_path, penalty=penalty.replace("USD", "EUR")).parameter("penalty.size").unit == unit.replace("USD", "EUR")


def test_what_a_unit_speaks_of() -> None:
    assert vocabulary.currencies("million_USD") == vocabulary.currencies("USD_per_tonne") == {"USD"}
    assert not any(map(vocabulary.currencies, ("GDP", "allowance", "tCO2_per_MWh", "money", "MW")))
    assert all(map(vocabulary.is_amount, ("USD", "money", "billion_EUR", "tCO2", "MtCO2e", "short_ton")))
    assert not any(map(vocabulary.is_amount, ("allowance", "million_allowance", "USD_per_allowance", "tCO2_per_MWh", "ratio", "year", "MW")))
