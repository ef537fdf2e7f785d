"""The command line: thin words around the API. Every command has --json. Heavy parts are imported where they are used."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tonne.interfaces import cli_check, cli_law, cli_log, cli_run
from tonne.interfaces.cli_words import Root, out

app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(wanted: bool) -> None:
    if wanted:
        import tonne

        out(f"tonne {tonne.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show a traceback where an error would be one line")] = False,
) -> None:
    """Run a carbon market from its law."""


app.command()(cli_law.systems)
app.command()(cli_law.show)
app.command()(cli_law.asks)
app.command()(cli_law.ask)
app.command()(cli_law.compare)
app.command(cls=cli_check.CheckCommand)(cli_check.check)
app.command(cls=cli_run.RunCommand)(cli_run.run)
app.command()(cli_run.demo)
app.add_typer(cli_log.app, name="log")


def main() -> None:
    app(prog_name="tonne")


if __name__ == "__main__":
    sys.exit(main())
