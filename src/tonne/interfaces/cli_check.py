"""`tonne check`: is a rulebook sound, and which published numbers does it reproduce?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from tonne.interfaces.cli_contract import examine_venues
from tonne.interfaces.cli_words import AsJson, bold, console, emit, out, say, ships, system_of, wrapped

KINDS = ("published", "edge", "story", "illustration")


class CheckCommand(TyperCommand):
    """`--cases` may stand alone or before a folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_value(args))


def with_value(args: list[str]) -> list[str]:
    """`--cases DIR` as `--cases=DIR`; `--cases` alone, at the end or before an option or a system's id, as `--cases=`.

    A folder that is named as a shipped system is written ./NAME.
    """
    spread: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg != "--cases":
            spread.append(arg)
        elif not rest or rest[0].startswith("-") or ships(rest[0]):
            spread.append("--cases=")
        else:
            spread.append(f"--cases={rest.pop(0)}")
    return spread


def check(
    system: Annotated[
        str | None, typer.Argument(metavar="SYSTEM|FOLDER", help="an id, or the folder of a rulebook; all that ship if left out")
    ] = None,
    cases: Annotated[
        str | None, typer.Option("--cases", metavar="[DIR]", help="also run the published cases; or those of this folder or file")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Is a rulebook sound, and which published numbers does it reproduce?

    Exit code 1 when a fault is found, a case fails, or the folder that was named holds no case for the system.
    """
    from tonne.law import systems

    if system == "":
        raise typer.BadParameter("an empty name; leave it out to check all that ship", param_hint="SYSTEM")
    folder = Path(cases) if cases else None
    if folder is not None and not folder.exists():
        raise FileNotFoundError(f"--cases {cases}: there is no such folder or file")
    if folder is not None and (folder / "system.yaml").is_file():  # a rulebook: its own cases are meant
        system, folder, cases = system or str(folder), None, ""
    from tonne.administration.venue_cases import run_venues

    faults: list[dict[str, Any]] = []
    checked: list[dict[str, Any]] = []
    outcomes: list[Any] = []
    if folder is None or system is not None:
        for name in [system_of(system)] if system else systems():
            sound, own = _one(name, faults, run_cases=cases is not None and folder is None, folder=folder)
            checked.append(sound)
            outcomes += own
        if system is None:  # all that ships: the venues and their contracts too
            faults += _faults("venues", examine_venues())
            outcomes += run_venues() if cases is not None and folder is None and not faults else []
    else:
        outcomes = _folder(folder, faults)
    if as_json:
        emit({"cases": [_case(outcome) for outcome in outcomes], "faults": faults, "systems": checked})
    else:
        _print(checked, faults, outcomes, ran=cases is not None)
    none_found = folder is not None and not outcomes  # whoever names a folder of cases wants them run
    if faults or none_found or not all(outcome.passed for outcome in outcomes):
        raise typer.Exit(1)


def _one(name: str | Path, faults: list[dict[str, Any]], *, run_cases: bool, folder: Path | None) -> tuple[dict[str, Any], list[Any]]:
    """One system's soundness, and its cases where wanted. All faults there are, of all storeys at once, are added to the list."""
    from tonne.administration.asks import answer
    from tonne.administration.cases import run_rulebook
    from tonne.administration.soundness import remarks, unsound
    from tonne.law import RulebookError, examine

    shown = name if isinstance(name, str) else name.name
    found = examine(name, answer)
    own = list(found.faults)
    outcomes: list[Any] = []
    sound: dict[str, Any] = {"system": shown, "sound": False, "parameters": 0, "mechanisms": 0, "remarks": []}
    book = found.rulebook
    own = sorted(dict.fromkeys([*own, *unsound(book, found.broken)]))
    sound |= {"system": book.system.id, "parameters": len(book.parameters), "mechanisms": len(book.mechanisms)}
    if not own:
        own = _of_scenarios(book)
        sound["remarks"] = remarks(book)
    if not found.faults:
        try:
            outcomes = run_rulebook(book) if run_cases else _on_rulebook(book, folder) if folder is not None else []
        except RulebookError as error:
            own += error.faults
    faults += _faults(sound["system"], own)
    return sound | {"sound": not own}, outcomes


def _of_scenarios(book: Any) -> list[Any]:
    """Faults of the scenarios beside a rulebook that is sound itself."""
    from tonne.law import Fault, LawError, RulebookError, apply_scenario, scenarios

    found: list[Any] = []
    for name in scenarios(book):
        try:
            apply_scenario(book, name)
        except RulebookError as error:
            found += error.faults
        except LawError as error:
            place, _, reason = str(error).partition(": ")
            file, _, line = place.partition(":")
            found.append(Fault(file, int(line) if line.isdigit() else 0, "", reason))
    return found


def _on_rulebook(book: Any, folder: Path) -> list[Any]:
    """A folder's cases put to one rulebook: those that name no system, or this one."""
    from tonne.administration.cases import read_cases, run_case

    files = [folder] if folder.is_file() else sorted(folder.rglob("*.yaml"))
    found = [pair for path in files for pair in read_cases(path)]
    return [run_case(book, case, place) for case, place in found if case.system in (None, book.system.id)]


def _folder(folder: Path, faults: list[dict[str, Any]]) -> list[Any]:
    from tonne.administration.cases import run_folder
    from tonne.law import RulebookError

    try:
        outcomes: list[Any] = run_folder(folder)
    except RulebookError as error:
        faults += _faults("", error.faults)
        return []
    return outcomes


def _faults(system: str, found: Iterable[Any]) -> list[dict[str, Any]]:
    names = ("file", "line", "key", "reason", "suggestion")
    return [{"system": system, **{name: getattr(fault, name) for name in names}, "text": str(fault)} for fault in found]


def _case(outcome: Any) -> dict[str, Any]:
    names = ("name", "system", "passed", "expected", "got", "source", "confidence", "kind", "file", "ask", "note")
    return {name: getattr(outcome, name) for name in names}


def _print(checked: list[dict[str, Any]], faults: list[dict[str, Any]], outcomes: list[Any], ran: bool) -> None:
    for sound in checked:
        state = "sound" if sound["sound"] else "NOT SOUND"
        size = f", {sound['parameters']} parameters, {sound['mechanisms']} mechanisms" if sound["parameters"] else ""
        out(f"{bold(sound['system'])}: {state}{size}")
        for remark in sound["remarks"] if len(checked) == 1 else ():
            wrapped("  remark: ", remark)
    if faults:
        out(f"\n{len(faults)} fault{'s' * (len(faults) != 1)} in the files:")
        for fault in faults:
            out(f"  {fault['text']}")
    if not ran:
        return
    if not outcomes:
        if not faults:
            say("No case was found.")
        return
    console().print(_table(outcomes))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        out(f"\n{bold('FAILED')} {outcome.file}: {outcome.name}")
        out(f"  asked      {outcome.ask} ({outcome.system})")
        out(f"  expected   {_short(outcome.expected)}")
        out(f"  got        {_short(outcome.got)}")
        out(f"  source     {outcome.source} [{outcome.confidence}]")
        if outcome.note:
            out(f"  note       {outcome.note}")
    out(f"\n{len(outcomes) - len(failed):,} of {len(outcomes):,} cases pass" + (f"; {len(failed)} FAIL" if failed else ""))
    published = [outcome for outcome in outcomes if outcome.kind == "published" and outcome.passed]
    if published:
        from collections import Counter

        sure = ", ".join(f"{name} {count}" for name, count in Counter(outcome.confidence for outcome in published).most_common())
        venues = {outcome.system for outcome in published if outcome.file.startswith("venues/")}
        systems = len({outcome.system for outcome in published} - venues)
        over = f"{systems} system{'s' * (systems != 1)}" + (f" and {len(venues)} venue{'s' * (len(venues) != 1)}" if venues else "")
        out(f"{len(published):,} of them are published numbers, over {over} ({sure})")


def _short(value: Any) -> str:
    from tonne.reports.words import figure

    return value if isinstance(value, str) else figure(value)


def _table(outcomes: list[Any]) -> Any:
    """Cases by system: how many of each kind, how they went, how sure their sources are."""
    from collections import Counter

    from tonne.reports.lawpage import CONFIDENCES
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    kinds = [kind for kind in KINDS if any(outcome.kind == kind for outcome in outcomes)]
    rows = []
    for system in dict.fromkeys(outcome.system for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.system == system]
        by_kind, by_confidence = Counter(o.kind for o in own), Counter(o.confidence for o in own)
        sure = ", ".join(f"{name} {by_confidence[name]}" for name in CONFIDENCES if by_confidence[name])
        passed = sum(o.passed for o in own)
        rows.append((system, *(f"{by_kind[kind]:,}" for kind in kinds), f"{passed:,}", f"{len(own) - passed:,}", sure))
    columns = (Column("System", words=True), *(Column(kind.capitalize()) for kind in kinds), Column("Passed"), Column("Failed"))
    return rich_tables(Sheet("Cases", (*columns, Column("By confidence", words=True)), tuple(rows)))[0]
