"""`tonne systems` and `tonne fidelity`: every system in a line, and how far its rulebook is to be trusted."""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Iterator
from itertools import zip_longest
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, bold, console, emit, out, say, soft, today, wrapped
from tonne.interfaces.overview import CHAPTERS, Overview, overview

STATUS = {"in_force": "In force", "under_development": "In preparation", "under_consideration": "Under consideration", "ended": "Ended"}
ORDER = tuple(STATUS)
LEGEND = (
    "Since: first day with any law. Cap: millions of units, of the newest year it is known for. Cov: % of the jurisdiction's emissions. In it: "
    "entities. Sold: % of the cap. Cred: most of an obligation that credits may meet, %. Law: how many of the chapters of a market's law the "
    f"rulebook has, of {len(CHAPTERS)}. Pub: published numbers that it reproduces."
)
TRUST = (
    "Figures: dated values. Source: seen in a source; seed: in a founding document; recall: known, not seen; derived: worked out from sourced "
    "figures. Published cases reproduce numbers that an authority printed; illustrations stand on recalled or invented figures and count for "
    "nothing. Gaps: facts that no rulebook holds, with the reason (gaps.md beside each rulebook)."
)
DESIGN = {"cap_and_trade": "cap", "cap_and_invest": "invest", "baseline_and_credit": "baseline", "output_based": "output", "fixed_price": "fixed"}


def systems(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="these only, each with all that is known of it")] = None,
    as_json: AsJson = False,
) -> None:
    """Every system: status, design, start, cap or obligation, coverage, entities, auction share, credit limit, price rule, completeness, cases."""
    found = sorted(_overviews(names or []), key=lambda o: (ORDER.index(o.facts["status"]), o.facts["id"]))
    if as_json:
        emit({"systems": [one.as_plain() for one in found]})
        return
    if names:
        for one in found:
            _print_card(one)
        return
    for status, words in STATUS.items():
        of_status = [one for one in found if one.facts["status"] == status]
        if of_status:
            for table in _tables(f"{words}: {len(of_status)}", of_status):
                console().print(table)
                out()
    wrapped("", f"{len(found)} systems. {LEGEND}")
    out(soft("Next: tonne systems SYSTEM, tonne show SYSTEM, tonne compare SYSTEM SYSTEM, tonne fidelity, tonne run SYSTEM --synthetic"))


def fidelity(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="these only")] = None,
    as_json: AsJson = False,
) -> None:
    """How far each rulebook is to be trusted: its figures by confidence, its cases by kind, its gaps."""
    from tonne.reports.lawpage import CONFIDENCES
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    found = sorted(_overviews(names or []), key=lambda o: o.facts["id"])
    sure = [name for name in CONFIDENCES if any(o.confidences.get(name) for o in found)]
    kinds = ("published", "edge", "story", "illustration")
    if as_json:
        emit({"systems": [_trust(one) for one in found], "total": _total(found)})
        return
    heads = [Column("System", words=True), Column("Figures"), *(Column(name.capitalize(), "%") for name in sure)]
    heads += [*(Column(kind.capitalize(), "cases") for kind in kinds), Column("Gaps")]
    rows = [(one.facts["id"], *_figures(one, sure), *(f"{one.cases[kind]:,}" for kind in kinds), f"{one.gaps:,}") for one in found]
    total = _total(found)
    share = [f"{100 * total['values_by_confidence'].get(name, 0) / max(total['figures'], 1):.0f}" for name in sure]
    cases = [f"{total['cases_by_kind'].get(kind, 0):,}" for kind in kinds]
    rows.append(("all", f"{total['figures']:,}", *share, *cases, f"{total['gaps']:,}"))
    for table in rich_tables(Sheet("How sure the rulebooks are", tuple(heads), tuple(rows)), console().width):
        console().print(table)
    wrapped("", TRUST)


MANY = 12  # systems from which on they are read by two processes


def _overviews(names: list[str]) -> Iterator[Overview]:
    from tonne.law import systems as ids

    chosen = names or ids()
    for name, found in zip(chosen, _read_all(chosen), strict=True):
        if isinstance(found, str):
            say(f"{name}: {found}")
        else:
            yield found


def _read_all(names: list[str]) -> list[Overview | str]:
    """Each system's overview, or what is wrong with its rulebook. Reading the whole world's law takes two cores, where a process can be split."""
    gc.disable()  # a hundred thousand small objects that all live to the end: looking for garbage among them takes a tenth of the time and more
    from tonne.interfaces import api
    from tonne.rules import mechanisms

    assert api.rulebook and mechanisms()  # what both need is imported once, before the split
    try:
        split = len(names) >= MANY and (os.cpu_count() or 1) > 1 and hasattr(os, "fork")
        return _in_two(names) if split else [_read(name) for name in names]
    finally:
        gc.enable()


def _in_two(names: list[str]) -> list[Overview | str]:
    """Every other system is read by a child, which sends what it read through a pipe and ends. A pool of processes would cost what it saves."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump([_read(name) for name in names[1::2]], pipe)
        finally:
            os._exit(0)
    os.close(writing)
    own = [_read(name) for name in names[::2]]
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    others = pickle.loads(told) if told else [_read(name) for name in names[1::2]]  # a child that died says nothing; then its half is read here
    return [one for pair in zip_longest(own, others) for one in pair if one is not None]


def _read(name: str) -> Overview | str:
    from tonne.interfaces.api import rulebook
    from tonne.interfaces.cli_words import system_of
    from tonne.law import RulebookError

    try:
        book = rulebook(system_of(name))
    except RulebookError as error:
        return str(error)
    return overview(book, today(book.system.begins) if book.system.has_law else book.system.begins)


def _trust(one: Overview) -> dict[str, Any]:
    return {
        "id": one.facts["id"],
        "figures": one.values,
        "values_by_confidence": one.confidences,
        "cases_by_kind": dict(one.cases),
        "gaps": one.gaps,
    }


def _total(found: list[Overview]) -> dict[str, Any]:
    from collections import Counter

    sure: Counter[str] = sum((Counter(one.confidences) for one in found), Counter())
    kinds: Counter[str] = sum((one.cases for one in found), Counter())
    gaps, figures = sum(one.gaps for one in found), sum(one.values for one in found)
    with_published = sum(1 for one in found if one.cases["published"])
    return {
        "figures": figures,
        "values_by_confidence": dict(sure),
        "cases_by_kind": dict(kinds),
        "gaps": gaps,
        "systems_with_published_cases": with_published,
    }


def _figures(one: Overview, sure: list[str]) -> list[str]:
    return [f"{one.values:,}", *(f"{100 * one.confidences.get(name, 0) / max(one.values, 1):.0f}" for name in sure)]


HEADS = ("System", "Design", "Since", "Cap", "Cov", "In it", "Sold", "Cred", "Price", "Price rules", "Law", "Pub")
WORDS = ("System", "Design", "Price rules")


def _tables(title: str, found: list[Overview]) -> list[Any]:
    """One table, or several below each other where the screen is narrow."""
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    columns = tuple(Column(head, words=head in WORDS) for head in HEADS)
    return rich_tables(Sheet(title, columns, tuple(_row(one) for one in found)), console().width)


def _row(one: Overview) -> tuple[str, ...]:
    facts = one.facts
    cap = f"{one.cap[1] / 1_000_000:,.1f}" if one.cap else "limits" if one.obliged == "above its limit" else ""
    return (
        facts["id"],
        DESIGN.get(facts["design"], facts["design"].replace("_", " ")),
        str(facts["begins"].year) if facts["begins"] else "",
        cap,
        _short(one.coverage),
        f"{one.entities:,}" if one.entities else "",
        _short(one.auction_share),
        one.credit_limit.removesuffix(" %"),
        f"{_short(one.price[1])} {facts['currency']}" if one.price else "",
        " ".join(one.price_rules),
        str(len(one.chapters)),
        str(one.cases["published"] or ""),
    )


def _short(value: Any) -> str:
    """A figure in few signs: 13.91, 5,180, 0.7."""
    if value is None:
        return ""
    number = float(value)
    return f"{number:,.0f}" if number >= 1000 or number == int(number) else f"{number:,.2f}" if number < 100 else f"{number:,.1f}"


def _print_card(one: Overview) -> None:
    from tonne.reports.words import figure, measure_word

    f = one.facts
    out(f"{bold(f['id'])}  {f['name']}")
    code = f" ({f['unit_code']})" if f["unit_code"] != f["unit"] else ""
    since = f"law since {f['begins']}" if f["begins"] else "no law yet"
    links = "; ".join(
        f"{link['kind'].replace('_', ' ')} {link['system'] or link['jurisdiction']} {link['from'].year}"
        + (f"-{link['to'].year}" if link["to"] else "")
        for link in f["links"]
    )
    sure = ", ".join(f"{name} {count}" for name, count in one.confidences.items())
    cases = f"{sum(one.cases.values())} cases, {one.cases['published']} of them published numbers"
    lines = {
        "status": f"{' '.join((f['status'] + '; ' + f['design']).split('_'))}; {since}; {f['jurisdiction']}",
        "unit": f"{f['unit']}{code}, one for each {measure_word(f['measure'])}; money in {f['currency']}",
        "cap": f"{one.cap[1]:,} units in {one.cap[0]}" if one.cap else "limits for each emitter" if one.obliged == "above its limit" else "",
        "owed": one.obliged,
        "coverage": f"{figure(one.coverage)} % of emissions" if one.coverage is not None else "",
        "entities": f"{one.entities:,}" if one.entities else "",
        "auctioned": f"{_short(one.auction_share)} % of the cap" if one.auction_share is not None else "",
        "credits": f"limit {one.credit_limit}" if one.credit_limit else "",
        "price": f"{figure(one.price[1])} {one.price[2].replace('_', ' ')} ({one.price[0]})" if one.price else "",
        "price rule": ", ".join(one.price_rules),
        "links": links,
        "rulebook": f"{one.parameters} parameters, {one.values} figures; {cases}; {one.gaps} gaps",
        "figures": sure,
        "lacks": ", ".join(one.missing),
    }
    for name, text in lines.items():
        if text:
            wrapped(f"  {name:<11}", text)
    out()
