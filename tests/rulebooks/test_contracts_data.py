"""The venues that ship: sound, told in three languages, and holding every figure of the collected facts on contracts.

The facts lie beside the project (../shared/facts/trading.yaml); without them the tests on facts skip.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from gaps_page import rows
from test_figures import FACTS, NOT_LAW, PERCENT, SCALES, days, figures, numbers

from tonne.interfaces.cli_contract import examine_venues
from tonne.law.contracts import SHIPPED, contract, contracts, shown, venue, venues
from tonne.market.contract import Contract, ContractError
from tonne.market.expiry import deliverable_vintages, instruments, of_month

DAY = date(2026, 11, 20)
#: Contract of the facts -> ours, where one stands for several or the name differs; an empty one is told in gaps.md of the venue that follows.
OURS: dict[str, tuple[list[str], str]] = {
    "asx-environmental-futures": (["asx-accu-futures", "asx-lgc-futures", "asx-nzu-futures"], "asx"),
    "ccx-cfi": (["ccx-cfi", "ccfe-cfi-futures"], "ccx"),
    "ice-rggi-vintage-futures": (["ice-rggi-vintage-futures", "ice-rggi-options"], "ice-futures-us"),
    "ice-cca-vintage-futures": (["ice-cca-vintage-futures", "ice-cca-specific-vintage-futures"], "ice-futures-us"),
    "cme-ngeo": (["cme-ngeo", "cme-geo", "cme-cgeo"], "cme"),
    "nzu-spot": ([], "asx"),
    "gfex-carbon-futures": ([], "gfex"),
    "mcx-cer": ([], "mcx"),
}


def made(name: str, day: date = DAY) -> Contract:
    listed = contract(name)
    return Contract.of(listed.id, listed.venue, listed.kind, listed.at(day).values)


def test_all_venues_are_sound() -> None:
    assert [str(fault) for fault in examine_venues()] == []


def test_an_id_names_one_contract() -> None:
    assert len(set(contracts())) == len(contracts())


def test_every_name_is_told_in_three_languages() -> None:
    for name in venues():
        found = venue(name)
        for one in (found, *found.contracts):
            assert set(one.name) == {"en", "zh-Hans", "zh-Hant"} and all(one.name.values()), one.id


def test_every_venue_tells_what_is_not_known_with_a_reason() -> None:
    for name in venues():
        text = (SHIPPED / name / "gaps.md").read_text(encoding="utf-8")
        assert rows(text) > 0, name
        for line in text.splitlines():
            if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                assert len(cells) == 2 and all(cells), f"{name}: {line}"


def test_what_cannot_be_traded_is_said_in_the_gaps() -> None:
    for name in venues():
        text = (SHIPPED / name / "gaps.md").read_text(encoding="utf-8")
        for listed in venue(name).contracts:
            values = listed.at(DAY).values
            for term in ("lot", "tick", "currency"):
                if values.get(term) is None and listed.status == "listed":
                    assert term in text, f"{listed.id}: no {term}, and gaps.md does not say so"


# -- the facts


@cache
def collected() -> dict[str, Any]:
    path = FACTS / "trading.yaml"
    if not path.is_file():
        pytest.skip("no collected facts at ../shared/facts")
    return {entry["id"]: entry for entry in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["contracts"]}


def test_every_contract_of_the_facts_is_there_or_explained() -> None:
    for fact in collected():
        mine, where = OURS.get(fact, ([fact], ""))
        assert set(mine) <= set(contracts()), fact
        if not mine:
            word = fact.split("-", maxsplit=1)[0]
            assert word in (SHIPPED / where / "gaps.md").read_text(encoding="utf-8").lower(), fact


_CLOCK = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b")
_MONTH = re.compile(r"\b\d{4}-\d{2}\b(?!-)|\bDec-\d{2}\b")


def without_clocks(value: Any) -> Any:
    """The same facts without times of day and months, which look like days or numbers."""
    if isinstance(value, dict):
        return {key: without_clocks(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_clocks(item) for item in value]
    return _MONTH.sub(" ", _CLOCK.sub(" ", str(value)))


def written(fact: str) -> str:
    """The venue's files, and the terms that its pointers find."""
    mine, where = OURS.get(fact, ([fact], ""))
    where = where or contract(mine[0]).venue
    texts = [path.read_text(encoding="utf-8") for path in sorted((SHIPPED / where).glob("*.*"))]
    texts += [f"{shown(entry.value)} {entry.note}" for name in mine for entry in contract(name).at(DAY).entries.values()]
    texts += [shown(contract(name).at(date(2016, 1, 4)).values) for name in mine if (contract(name).starts or DAY) < date(2016, 1, 1)]
    return "\n".join(texts)


@pytest.mark.parametrize("fact", [
    "ice-eua-futures", "ice-eua-daily-future", "ice-euaa-futures", "ice-eua-options", "ice-cer-options", "ice-uka-futures", "ice-uka-options",
    "ice-uka-auction-contract", "ice-cca-vintage-futures", "ice-rggi-vintage-futures", "ice-lcfs-option", "ice-corsia-phase1-futures",
    "eex-eua-spot", "eex-eua-futures", "nasdaq-eua-futures", "cme-eua-daily", "cme-ngeo", "cbl-ngeo-spot", "asx-environmental-futures",
    "cme-cbl-accu", "krx-kau-spot", "china-cea", "china-ccer", "shanghai-sheaf", "ncdex-cer", "ccx-cfi", "hkex-core-climate",
])  # fmt: skip
def test_every_figure_of_the_facts_is_held_or_explained(fact: str) -> None:
    text = written(fact)
    dates = set(days(_CLOCK.sub(" ", text)))
    held = {number.normalize() for number in numbers(text)} | {Decimal(part) for day in dates for part in day.split("-")}
    content = {key: value for key, value in collected()[fact].items() if key not in {*NOT_LAW, "id", "src"}}
    missing = [f"no {time}" for time in _CLOCK.findall(str(content)) if time not in text]
    for path, figure in figures(without_clocks(content)):
        if path.endswith((".c", "src", "_src")) or "per_lot" in path:  # what a tick is worth on a lot is worked out
            continue
        scaled = () if isinstance(figure, str) else ((figure * scale).normalize() for scale in (*SCALES, PERCENT))
        if figure not in dates and not any(one in held for one in scaled):
            missing.append(f"{path}: {figure}")
    assert not missing, missing


def test_what_a_tick_is_worth_on_a_lot_is_as_published() -> None:
    checked = 0
    for fact, entry in collected().items():
        tick = entry.get("tick")
        if isinstance(tick, Mapping) and "per_lot" in tick:
            name = OURS.get(fact, ([fact], ""))[0][0]
            values = contract(name).at(DAY).values
            assert made(name).tick_value == Decimal(tick["per_lot"]) * 100, fact
            assert values["currency"] == tick["currency"], fact
            checked += 1
    assert checked >= 9


# -- what the terms give


def test_ticks_are_not_all_cents() -> None:
    assert made("cme-eua-daily").tick_value == 250
    assert made("ncdex-cer", date(2009, 1, 5)).tick_value == 10_000


def test_the_listed_trading_of_the_taker_s_choice() -> None:
    spot = made("china-cea")
    assert (spot.matching, spot.resale_lag, spot.settlement) == ("takers_choice", 1, "prefunded")
    assert (spot.price_limit_share, spot.block_price_limit_share) == (Decimal("0.10"), Decimal("0.30"))
    assert (spot.max_order_lots, spot.block_min_lots) == (99_999, 100_000)
    assert [(one.phase, one.opens) for one in spot.phases] == [("continuous", "09:30"), ("continuous", "13:00"), ("block", "13:00")]


@pytest.mark.parametrize("name", ["china-cea", "krx-kau-spot", "beijing-bea"])
def test_what_a_system_s_law_sets_is_not_written_again(name: str) -> None:
    for term in ("lot", "price_limit"):
        assert all(value.law and value.parameter and value.value is None for value in contract(name).terms[term])


def test_a_ladder_of_limits_through_time() -> None:
    assert made("ncdex-cer", date(2008, 6, 2)).price_limit_steps == (Decimal("0.06"), Decimal("0.09"))
    assert made("ncdex-cer", date(2009, 6, 2)).price_limit_steps == (Decimal("0.04"), Decimal("0.06"))


def test_a_larger_order_later() -> None:
    listed = contract("krx-kau-spot")
    assert [listed.at(date(year, 6, 1))["max_order_units"] for year in (2015, 2020)] == [5000, 100_000]
    with pytest.raises(ContractError, match="not known: tick;"):
        made("krx-kau-spot")


def test_two_styles_of_premium() -> None:
    assert made("ice-eua-options").premium == "paid" and made("ice-lcfs-option").premium == "futures_style"


def test_the_december_future_and_its_option() -> None:
    future, option = made("ice-eua-futures"), made("ice-eua-options")
    december = next(one for one in instruments(future, DAY) if one.code == "ice-eua-futures:2026-12")
    assert (december.expiry, december.delivery) == (date(2026, 12, 14), date(2026, 12, 17))
    assert of_month(option, 2026, 12, future).expiry == date(2026, 12, 9)
    names = [one.code.partition(":")[2] for one in instruments(future, DAY)]
    assert names[:2] == ["2026-11", "2026-12"] and names[-1] == "2030-12" and len([name for name in names if name.endswith("-08")]) == 3


def test_the_cut_off_of_spot_delivery() -> None:
    spot = made("eex-eua-spot")
    assert (spot.settlement_lag, spot.cutoff, spot.late_lag, spot.timezone) == (1, "16:00", 2, "Europe/Berlin")


def test_vintages_of_the_nature_based_offset_by_day_of_delivery() -> None:
    listed = contract("cme-ngeo")
    terms = dict(listed.at(DAY).values) | {"tick": Decimal("0.01")}
    future = Contract.of(listed.id, listed.venue, listed.kind, terms)
    one = instruments(future, DAY, series=[of_month(future, 2026, 12)])[0]
    assert deliverable_vintages(one, date(2022, 6, 30)) == (2016, 2020)
    assert deliverable_vintages(one, date(2022, 7, 1)) == (2016, 2022)
    with pytest.raises(ContractError, match="is not known"):
        deliverable_vintages(one, date(2026, 12, 30))


@pytest.mark.parametrize(("term", "parameter"), [("lot", "future_lot"), ("tick", "tick")])
def test_the_two_california_futures_read_the_same_law(term: str, parameter: str) -> None:
    for name in ("ice-cca-vintage-futures", "ice-cca-specific-vintage-futures"):
        assert contract(name).at(DAY).entries[term].parameter == f"trading.{parameter}"


def test_the_terms_say_how_sure_they_are() -> None:
    """What the facts mark as recalled is recalled here too."""
    for name, term in (
        ("ice-eua-futures", "hours"),
        ("shanghai-sheaf", "lot"),
        ("china-ccer", "price_limit"),
        ("hkex-core-climate", "settlement_lag"),
    ):
        assert contract(name).at(DAY).entries[term].confidence == "recall", (name, term)


def test_the_page_on_contracts_names_every_term_and_rule() -> None:
    from tonne.law.contract_terms import KINDS, TERMS
    from tonne.market.expiry import RULES

    page = (Path(__file__).resolve().parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    for name, term in TERMS.items():
        words = f": {', '.join(term.words)}" if term.words else ""
        assert f"| `{name}` | {KINDS[term.kind]}{words} | {term.says} |" in page, f"docs/contracts.md does not tell the term {name} as it is"
    for name, (needed, allowed) in RULES.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` ")), "")
        assert row and all(f"`{parameter}`" in row for parameter in needed | allowed), f"docs/contracts.md does not tell the rule {name} as it is"
