"""The command line: thin words around the API. Every command has --json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def out(text: str = "") -> None:
    typer.echo(text)


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_json_value)


def _json_value(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    return str(value)


@app.callback()
def root() -> None:
    """Run a carbon market from its law."""


@app.command()
def check(
    system: Annotated[str | None, typer.Argument(help="a system's id or the folder of a rulebook; all that ship, when left out")] = None,
    cases: Annotated[bool, typer.Option("--cases", help="also run the published cases")] = False,
    cases_dir: Annotated[Path | None, typer.Option("--cases-dir", help="run the cases of this folder instead")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Is a rulebook sound, and which published numbers does it reproduce?"""
    from tonne.administration.asks import answer, unsound
    from tonne.administration.cases import run_folder, run_rulebook
    from tonne.law import RulebookError, load, systems

    failed = False
    rows = []
    if cases_dir is not None:
        outcomes = run_folder(cases_dir)
    else:
        outcomes = []
        for name in [system] if system else systems():
            try:
                book = load(name, answer)
                faults = unsound(book)
                if faults:
                    raise RulebookError(faults)
                outcomes += run_rulebook(book)
                out(f"{name}: sound, {len(book.parameters)} parameters")
            except RulebookError as error:
                failed = True
                out(f"{name}: {error}")
    for o in outcomes:
        rows.append(
            {
                "name": o.name,
                "system": o.system,
                "passed": o.passed,
                "expected": o.expected,
                "got": o.got,
                "source": o.source,
                "confidence": o.confidence,
            }
        )
        if not o.passed:
            failed = True
            out(f"FAILED {o.file}: {o.name}\n   expected {o.expected!r}\n   got      {o.got!r}")
    out(to_json({"cases": rows}) if as_json else f"{sum(o.passed for o in outcomes)} of {len(outcomes)} cases pass")
    if failed:
        raise typer.Exit(1)


def main() -> None:
    app(prog_name="tonne")


if __name__ == "__main__":
    sys.exit(main())
