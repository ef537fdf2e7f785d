"""What all commands share: JSON out, words to the person, errors in one piece, days, progress. Light: it is imported for `--help`."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

WIDTH = 120  # of tables, where the output is no terminal or a wider one

#: (module, class): what may go wrong without a fault in this program. Looked up when it happens, so that nothing is imported for it.
EXPECTED = (
    ("tonne.law.faults", "LawError"),
    ("tonne.formats.faults", "BadFile"),
    ("tonne.store.errors", "StoreError"),
    ("tonne.store.desk", "WrongSystem"),
    ("tonne.simulation.run", "RunRefused"),
    ("tonne.administration.clerk", "ReplayError"),
    ("tonne.people.errors", "PeopleRefused"),
    ("tonne.people.errors", "PeopleUnavailable"),
)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
Scenario = Annotated[str | None, typer.Option("--scenario", help="a scenario of the rulebook, or a file, laid over the law")]


class Root(TyperGroup):
    """The group of all commands: `--debug` may stand anywhere, and an expected error is one text on stderr and exit code 1."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--debug" in args:
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if ctx.params.get("debug") or not is_expected(error):
                raise
            typer.echo(f"tonne: {words_of(error)}", err=True)
            raise typer.Exit(1) from None


def is_expected(error: BaseException) -> bool:
    """Whether an error is about what was asked or given, not about this program."""
    if isinstance(error, (ValueError, OSError)):
        return not isinstance(error, BrokenPipeError)
    classes = (getattr(sys.modules.get(module), name, None) for module, name in EXPECTED)
    return any(kind is not None and isinstance(error, kind) for kind in classes)


def words_of(error: BaseException) -> str:
    """An error's own words; for a system's error the file and what is wrong with it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}" if error.filename else error.strerror
    text = str(error) or type(error).__name__
    return text if _raised_by_us(error) else f"{text}\n(tonne --debug ... shows where)"


def _raised_by_us(error: BaseException) -> bool:
    """Whether our own code found the fault: then the text is meant for people."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or str(trace.tb_frame.f_globals.get("__name__", "")).startswith("tonne.")


# -- out


def out(text: str = "") -> None:
    """A line of the answer."""
    typer.echo(text)


def say(text: str) -> None:
    """A line to the person, beside the answer."""
    typer.echo(text, err=True)


def emit(value: Any) -> None:
    """The answer as JSON."""
    typer.echo(to_json(value))


def to_json(value: Any) -> str:
    return json.dumps(_keys_as_text(value), ensure_ascii=False, indent=2, default=_plain)


def _keys_as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _keys_as_text(v) for key, v in value.items()}
    return [_keys_as_text(v) for v in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """Days, decimals and fractions as text: exact, as they are in the log."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return value.isoformat() if isinstance(value, date) else str(value)


def console() -> Any:
    """Where tables go: as wide as the terminal, never wider than 120 columns of it."""
    from rich.console import Console

    return Console(highlight=False, markup=False, width=screen_width())


def screen_width() -> int:
    """Columns to write in: the terminal's (or what COLUMNS says), 120 at most and where there is none."""
    import shutil

    known = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return max(min(shutil.get_terminal_size((WIDTH, 40)).columns, WIDTH), 40) if known else WIDTH


def bold(text: str) -> str:
    return typer.style(text, bold=True)


def soft(text: str) -> str:
    return typer.style(text, dim=True)


def wrapped(prefix: str, text: str, hanging: int | None = None) -> None:
    """A paragraph behind a prefix, the next lines indented as far."""
    import textwrap

    indent = " " * (len(prefix) if hanging is None else hanging)
    out(
        textwrap.fill(text, screen_width(), initial_indent=prefix, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or prefix
    )


# -- in


def day(text: str | None, name: str) -> date | None:
    """A day given as YYYY-MM-DD. Raises the usage error that names the option."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it as YYYY-MM-DD", param_hint=name) from None


def today(begins: date) -> date:
    """Today, or the first day of a law that is still to come."""
    return max(datetime.now().astimezone().date(), begins)


def ships(text: str) -> bool:
    """Whether a text is the id of a system that ships; `./id` is a folder's name."""
    from tonne.law.catalogue import SHIPPED

    return Path(text).name == text and (SHIPPED / text / "system.yaml").is_file()


def system_of(text: str) -> str | Path:
    """An id, or the folder of a rulebook where there is one (an id wins over a folder of the same name, unless written ./id)."""
    return Path(text).resolve() if Path(text).is_dir() and not ships(text) else text


@contextlib.contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on stderr if a person watches: gives progress(what, done, of), or None."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("getting ready", total=None)
        yield lambda what, done, of: bars.update(task, description=what, completed=done, total=of)
