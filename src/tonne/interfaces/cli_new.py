"""`tonne new`: a first rulebook of one's own. `tonne pages`: a page for each system, printed from the law."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from tonne.interfaces.cli_words import AsJson, Scenario, day, emit, out, soft, system_of


def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="the id of the new system, and its folder: small letters, digits, hyphens")],
    like: Annotated[str, typer.Option("--like", metavar="SYSTEM", help="the system whose mechanisms it starts with")],
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="write the folder there; here if left out")] = None,
    begins: Annotated[str | None, typer.Option("--begins", metavar="DAY", help="first day of its law; next New Year's Day if left out")] = None,
    scenario: Scenario = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented rulebook to start from: the mechanisms of another system, its figures to be replaced. It passes `tonne check` as it is."""
    from tonne.interfaces.api import rulebook
    from tonne.interfaces.overview import proposed
    from tonne.interfaces.starter import write_starter
    from tonne.law import systems

    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise typer.BadParameter(f"{name!r}: an id is made of small letters, digits and single hyphens, like my-country", param_hint="ID")
    if name in systems():
        raise typer.BadParameter(f"{name} ships with tonne already; choose another id", param_hint="ID")
    first = day(begins, "--begins") or date(datetime.now().astimezone().year + 1, 1, 1)
    if not 1950 <= first.year <= 2250:
        raise typer.BadParameter(f"a law that begins {first}? years lie between 1950 and 2250", param_hint="--begins")
    folder = (to or Path.cwd()) / name
    files = write_starter(folder, name, proposed(rulebook(system_of(like), scenario)), first)
    if as_json:
        emit({"system": name, "like": like, "files": [str(path) for path in files]})
        return
    for path in files:
        out(f"wrote {path}")
    shown = folder if to else Path(name)
    out(soft(f"Next: tonne check {shown} --cases, tonne show {shown}, tonne run {shown} --synthetic; the guide is docs/write-a-rulebook.md"))


def pages(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where the pages are written")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="these only, or folders of rulebooks")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="the day whose figures the list shows; today if left out")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the law: a page for each system with every value, its history and source, charts, cases and open questions."""
    from tonne.interfaces.api import rulebook
    from tonne.interfaces.systempage import write_pages
    from tonne.law import systems

    books = {}
    for name in names or systems():
        book = rulebook(system_of(name))
        books[book.system.id] = book
    written = write_pages(folder, books, day(on, "--on") or datetime.now().astimezone().date())
    if as_json:
        emit({"files": [str(path) for path in written]})
    else:
        out(f"wrote {len(written)} files under {folder}")
