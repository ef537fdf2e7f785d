"""`tonne serve` and `tonne demo`: registry, exchange and pages on this machine."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import out, say

Port = Annotated[int | None, typer.Option("--port", metavar="N", help="port to listen on; 0 takes a free one")]
Host = Annotated[str | None, typer.Option("--host", help="address to listen on; anything but loopback needs a proxy with TLS before it")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="do not open a browser")]


def serve(
    database: Annotated[list[str] | None, typer.Option("--database", metavar="URL", help="a market's log: path or URL; once for each system")] = None,
    port: Port = None,
    host: Host = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="settings in TOML; see docs/serve.md")] = None,
    behind_tls: Annotated[bool | None, typer.Option("--behind-tls", help="a proxy before it speaks TLS")] = None,
    no_browser: NoBrowser = False,
) -> None:
    """Serve the markets in these logs until stopped. Settings come from the file, from TONNE_... in the environment, and from here, in this order."""
    from tonne.interfaces.web import serve as servers
    from tonne.interfaces.web import settings as told

    settings = told.read(config, port=port, host=host, behind_tls=behind_tls, databases=tuple(database) if database else None)
    place = servers.open_place(settings)
    _serve(place, no_browser, [])


def demo(
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="where the market's log and the logins go")] = Path("tonne-demo"),
    port: Port = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="keep the market at a URL instead, such as postgresql://...")
    ] = None,
    no_browser: NoBrowser = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin again: throw an earlier demo's market away")] = False,
) -> None:
    """A living market to look at: a system in mid-year, 200 generated operators, verifiers, traders that quote; one login for each kind of person."""
    from tonne.interfaces.web import demo as demos

    place, logins = demos.prepared(folder, port=port, database=database, fresh=fresh, say=say)
    lines = ["", f"{'sign in as':<22}{'e-mail':<32}password", *(f"{one.title:<22}{one.email:<32}{one.password}" for one in logins), ""]
    lines.append("The first page signs you in with one click; the second factor's code is shown where it is asked for.")
    place.demo.start()
    _serve(place, no_browser, lines)


def _serve(place: Any, no_browser: bool, lines: list[str]) -> None:
    from tonne.interfaces.web import serve as servers

    try:
        door = servers.listen(place.settings)
    except BaseException:
        place.close()
        raise
    host, port = door.getsockname()[:2]
    address = place.settings.public_url or f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}/"

    def started() -> None:
        out(f"tonne serves {', '.join(sorted(place.halls))} at {address}")
        for line in lines:
            out(line)
        out("Stop it with Ctrl-C: what was acknowledged is stored.")
        if not no_browser:
            webbrowser.open(address)

    servers.run(place, door, started)
