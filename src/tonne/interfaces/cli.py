"""The command line: thin words around the API. Every command has --json. Heavy parts are imported where they are used."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tonne.interfaces import (
    cli_ask,
    cli_auction,
    cli_check,
    cli_contract,
    cli_law,
    cli_log,
    cli_margin,
    cli_market,
    cli_mechanisms,
    cli_new,
    cli_registry,
    cli_run,
    cli_serve,
    cli_systems,
    cli_world,
)
from tonne.interfaces.cli_words import Root, out

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # none is used here, and looking for them takes a start's tenth

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


app.command(short_help="Every system in a line: status, cap, coverage, price, completeness.")(cli_systems.systems)
app.command(short_help="How far each rulebook is to be trusted.")(cli_systems.fidelity)
app.command(short_help="The law, with its sources.")(cli_law.show)
app.command(short_help="What may be asked of a system.")(cli_ask.asks)
app.command(short_help="Ask the law one question.")(cli_ask.ask)
app.command(short_help="Systems side by side.")(cli_ask.compare)
app.command(short_help="Is a rulebook sound? Which published numbers hold?", cls=cli_check.CheckCommand)(cli_check.check)
app.command(short_help="What a rulebook may choose, and who has it.")(cli_mechanisms.mechanisms)
app.command(short_help="The words a rulebook is written with: units, tasks, ...")(cli_mechanisms.words)
app.command(short_help="Write a rulebook to start from, like another.")(cli_new.new)
app.command(short_help="A page for each system, printed from the law.")(cli_new.pages)
app.command(short_help="The world's markets in charts, beside published figures.")(cli_world.world)
app.command(short_help="Run a system through some years.", cls=cli_run.RunCommand)(cli_run.run)
app.command(short_help="Found a market: its log, its accounts, its law.")(cli_registry.found)
app.command(short_help="Invite a market's first administrator.")(cli_registry.invite)
app.command(short_help="Serve registry, exchange and pages on this machine.")(cli_serve.serve)
app.command(short_help="A living market to look at, in the browser.")(cli_serve.demo)
app.command(short_help="Variation and initial margin of positions.")(cli_margin.margin)
app.add_typer(cli_contract.app, name="contract")
app.add_typer(cli_log.app, name="log")
app.add_typer(cli_market.app, name="market")
app.add_typer(cli_auction.app, name="auction")


def main() -> None:
    app(prog_name="tonne")


if __name__ == "__main__":
    main()
