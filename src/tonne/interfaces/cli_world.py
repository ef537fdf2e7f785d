"""`tonne world`: charts of the world's carbon markets, drawn from all rulebooks and set beside published figures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tonne.interfaces.cli_words import AsJson, bold, day, emit, out, say, soft, wrapped


def world(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CHART]...", help="these only: status, coverage, sectors, prices, credits, revenue")
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="write PNG, SVG and one page, world.html, there")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="the day of the law; today if left out")] = None,
    as_json: AsJson = False,
) -> None:
    """The world's carbon markets in charts: status, emissions covered, sectors, prices and volume, credits, revenue. Ours beside the published."""
    from tonne.interfaces.world import TITLES, as_plain, gather, tally, write

    wanted = list(dict.fromkeys(names or []))
    unknown = [name for name in wanted if name not in TITLES]
    if unknown:
        raise typer.BadParameter(f"no chart {unknown[0]!r}; there are {', '.join(TITLES)}", param_hint="CHART")
    found = gather(day(on, "--on") or datetime.now().astimezone().date())
    written, missing = write(found, out_dir, wanted) if out_dir else ([], {})
    if as_json:
        emit({**as_plain(found, wanted), "files": [str(path) for path in written], "missing": missing})
        return
    for remark in found.remarks:
        say(remark)
    for name, reason in missing.items():
        say(f"no chart of {name}: {reason}")
    if out_dir:
        for path in written:
            out(f"wrote {path}")
        return
    for name in wanted or TITLES:
        checks = [check for check in found.checks if check.chart == name]
        out(bold(f"{TITLES[name]}: {tally(checks) or 'nothing to compare'}"))
        for check in checks:
            wrapped("  ", f"{check.verdict:<11}  {check.what}: published {check.published}, ours {check.ours}. {check.remark}".rstrip(), 15)
    out(soft("Next: tonne world --out DIR draws them"))
