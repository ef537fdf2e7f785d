"""What is done at the machine itself, before anybody can sign in: a market is founded, its first administrator invited."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tonne.interfaces.cli_words import AsJson, Scenario, emit, out

Database = Annotated[str, typer.Option("--database", metavar="URL", help="the market's log: path or URL")]


def found(
    system: Annotated[str, typer.Argument(help="a system's id, or a folder with a rulebook of your own")],
    database: Database,
    first_year: Annotated[int, typer.Option("--first-year", metavar="YEAR", help="the first emissions year of these books")],
    scenario: Scenario = None,
    one_person: Annotated[bool, typer.Option("--one-person", help="let one person alone move units; without it a second one approves")] = False,
    as_json: AsJson = False,
) -> None:
    """Found a market: its log, its own accounts, its law. Founding twice changes nothing."""
    import tonne
    from tonne.administration.commands import Command
    from tonne.administration.permissions import ADMINISTRATOR

    with tonne.open_market(database, system, scenario or "") as market:
        book = market.administration.founding_rulebook
        day = max(book.system.begins, datetime.now(UTC).date())
        if market.administration.sequence:  # founded before: the same again, on that day
            day = next(iter(market.log.read())).day
        body = {"system": book.system.id, "scenario": book.scenario, "first_year": first_year, "two_persons": not one_person}
        reply = market.call(Command("found", "found", ADMINISTRATOR, day, body))
    if not reply.accepted:
        raise ValueError(f"not founded: {reply.outcome}: {reply.reason}")
    if as_json:
        emit({"system": book.system.id, "database": database, "sequence": reply.sequence, "founded": not reply.repeated})
        return
    out(f"{book.system.id} is {'founded' if not reply.repeated else 'founded already'} in {database}.")
    out(f"Next: tonne invite EMAIL NAME --database {database}; then tonne serve --database {database}")


def invite(
    email: Annotated[str, typer.Argument(help="e-mail address of the first administrator")],
    name: Annotated[str, typer.Argument(help="their name")],
    database: Annotated[list[str], typer.Option("--database", metavar="URL", help="the markets that they run")],
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="settings in TOML, as for tonne serve")] = None,
    as_json: AsJson = False,
) -> None:
    """Invite the first administrator. No page can: afterwards administrators invite one another in the portal."""
    from tonne.interfaces.web import serve as servers
    from tonne.interfaces.web import settings as told

    settings = told.read(config, databases=tuple(database))
    place = servers.open_place(settings)
    try:
        token = place.people.first_administrator(email, name, tuple(place.halls), now=place.real_now())
    finally:
        place.close()
    link = f"{settings.public_url.rstrip('/')}/invitation/{token}" if token else ""
    if as_json:
        emit({"email": email, "systems": sorted(place.halls), "link": link})
        return
    if not token:
        out(f"{email} has a password already and is now also administrator of {', '.join(sorted(place.halls))}.")
        return
    out(f"Give this to {name}; it works once, for 72 hours, at the server's address:")
    out(link)
