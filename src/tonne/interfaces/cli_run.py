"""`tonne run`: carry a market through its years, print the table, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from tonne.interfaces.cli_words import AsJson, Scenario, bold, console, emit, out, progress, say, system_of

CHART_SCALE = 2.0  # pixels of a PNG for each of the page


SYNTHETIC = 1000  # installations, where --synthetic stands alone


class RunCommand(TyperCommand):
    """`--columns a=b c=d` takes every pair that follows; `--synthetic` may stand without a number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_number(spread_columns(args)))


def with_number(args: list[str]) -> list[str]:
    """`--synthetic` alone, or before what is no number, as `--synthetic=1000`."""
    following = [*args[1:], ""]
    return [f"--synthetic={SYNTHETIC}" if arg == "--synthetic" and not after.isdigit() else arg for arg, after in zip(args, following, strict=True)]


def spread_columns(args: list[str]) -> list[str]:
    """`--columns a=b c=d` as `--columns=a=b --columns=c=d`."""
    spread: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg != "--columns":
            spread.append(arg)
            continue
        pairs = []
        while rest and "=" in rest[0] and not rest[0].startswith("-"):
            pairs.append(f"--columns={rest.pop(0)}")
        spread += pairs or [arg]
    return spread


def run(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="a system's id, or the folder of a rulebook")],
    first: Annotated[int | None, typer.Option("--from", metavar="YEAR", help="first emissions year; else that of the last whole period")] = None,
    last: Annotated[int | None, typer.Option("--to", metavar="YEAR", help="last emissions year")] = None,
    installations: Annotated[Path | None, typer.Option("--installations", metavar="FILE", help="who is registered (CSV, Parquet)")] = None,
    reports: Annotated[Path | None, typer.Option("--reports", metavar="FILE", help="allocation, emissions and surrender by year")] = None,
    activity: Annotated[Path | None, typer.Option("--activity", metavar="FILE", help="what was produced, for the law's own allocation rule")] = None,
    totals: Annotated[Path | None, typer.Option("--totals", metavar="FILE", help="published totals by year; else the rulebook's statistics")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns", metavar="OURS=THEIRS", help="a column by another name (year=yr, or reports.year=yr for that file alone); may be repeated"
        ),
    ] = None,
    synthetic: Annotated[int | None, typer.Option("--synthetic", metavar="[N]", min=1, help="generate so many installations instead (1,000)")] = None,
    seed: Annotated[int, typer.Option("--seed", help="of what is generated")] = 1,
    scenario: Scenario = None,
    log: Annotated[
        str | None, typer.Option("--log", metavar="WHERE", help="keep a durable log at this path or URL; the same run, interrupted, goes on there")
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="write tables, charts and an HTML report there")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace what an earlier run wrote to --out")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="leave out rows with faults instead of refusing the file")] = False,
    rejects: Annotated[Path | None, typer.Option("--rejects", metavar="FILE", help="write all faults of the files there")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a system through some years, deadlines included, on records or on generated installations."""
    _check_inputs(installations, reports, synthetic, activity, totals)
    if (first is None) != (last is None):
        raise typer.BadParameter("give both --from and --to, or neither: then the last whole compliance period is run", param_hint="--to")
    if first is not None and last is not None and last < first:
        raise typer.BadParameter(f"the last year, {last}, is before the first, {first}", param_hint="--to")
    _must_be_sound(system, scenario)
    if out_dir is not None:
        _must_be_free(out_dir, overwrite)
    import tonne

    with progress(as_json) as show:
        result = tonne.run(
            system_of(system),
            years=(first, last) if first is not None and last is not None else None,
            installations=installations,
            reports=reports,
            activity=activity,
            totals=totals,
            columns=_mapping(columns),
            scenario=scenario,
            log=log,
            synthetic=synthetic,
            seed=seed,
            skip_bad=skip_bad,
            rejects=rejects,
            progress=show,
        )
    with result:
        checked = result.verify() if synthetic is not None and log is None else None
        data = result.data()
        written = write_all(out_dir, result, data, overwrite) if out_dir is not None else []
        if as_json:
            emit(as_plain(result, data) | _as_plain_check(checked) | ({"files": [str(path) for path in written]} if out_dir is not None else {}))
        else:
            print_run(result, data)
            if checked is not None:
                out(f"log verified: {checked[0]} entries decided again, {len(checked[1]) or 'no'} differences")
            for path in written:
                say(f"wrote {path}")
    if checked is not None and checked[1]:
        raise RuntimeError(f"the log does not verify: {checked[1][0]}")


def _as_plain_check(checked: tuple[int, list[str]] | None) -> dict[str, Any]:
    return {} if checked is None else {"verified": {"entries": checked[0], "differences": checked[1]}}


def _check_inputs(installations: Path | None, reports: Path | None, synthetic: int | None, activity: Path | None, totals: Path | None) -> None:
    if synthetic is not None and (installations or reports or activity or totals):
        raise typer.BadParameter("generated installations and files do not go together: give one or the other", param_hint="--synthetic")
    if synthetic is None and not (installations and reports):
        missing = "--installations" if reports else "--reports" if installations else "--installations and --reports"
        raise typer.BadParameter(f"a run needs both files, or --synthetic N to generate installations; {missing} not given", param_hint="--reports")


def _mapping(columns: list[str] | None) -> dict[str, str] | None:
    """`ours=theirs` pairs as a mapping."""
    if not columns:
        return None
    pairs = {}
    for text in columns:
        ours, equals, theirs = text.partition("=")
        if not (ours and equals and theirs):
            raise typer.BadParameter(f"{text!r} is no pair; write OURS=THEIRS, our column first", param_hint="--columns")
        pairs[ours] = theirs
    return pairs


# -- what is printed and written


def print_run(result: Any, data: Any) -> None:
    """The years, the letters, the statement; the SYNTHETIC label first, where there is one."""
    from tonne.reports.tables import run_tables

    screen = console()
    scenario = f", scenario {data.law.rulebook.scenario}" if data.law.rulebook.scenario else ""
    out(f"{bold(data.name)}, {data.years}{scenario}")
    if data.label:
        out(typer.style(data.label, fg=typer.colors.YELLOW, bold=True))
    for table in run_tables(data, screen.width):
        out()
        screen.print(table)
    out()
    if result.faults:
        out(f"{len(result.faults):,} bad rows were left out.")
    out(f"state hash {data.state_hash}")
    say(f"{result.seconds:.1f} seconds")


def as_plain(result: Any, data: Any) -> dict[str, Any]:
    """The run for machines."""
    return {
        "system": data.system.id,
        "scenario": data.law.rulebook.scenario,
        "first_year": data.first_year,
        "last_year": data.last_year,
        "synthetic": data.label,
        "state_hash": data.state_hash,
        "seconds": round(result.seconds, 3),
        "faults": len(result.faults),
        "years": data.table.to_dicts(),
        "statement": data.statement.to_dicts(),
        "compliance": data.compliance.to_dicts(),
        "agreement": data.agreement.to_dicts(),
        "auctions": data.auctions.to_dicts(),
    }


def _names() -> list[str]:
    from tonne.reports.charts import CHARTS

    return ["table.csv", "table.parquet", "statement.csv", "auctions.csv", "statuses.parquet", "report.html", *(f"{name}.png" for name in CHARTS)]


def _made(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, and --out names a folder that the results go into; choose another name")
    folder.mkdir(parents=True, exist_ok=True)


def _must_be_sound(system: str, scenario: str | None) -> None:
    """A run stands on every figure of the law and every rule, so none of them may be at fault."""
    from tonne.administration.soundness import unsound
    from tonne.interfaces.api import rulebook
    from tonne.law import LawError

    faults = unsound(rulebook(system_of(system), scenario))
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise LawError(f"the rulebook is not sound, so nothing was run:{lines}\ntonne check {system} shows this again after a mend")


def _must_be_free(folder: Path, overwrite: bool) -> None:
    """Before a long run, not after it. Makes the folder."""
    _made(folder)
    there = [name for name in _names() if (folder / name).exists()]
    if there and not overwrite:
        raise FileExistsError(f"{folder}: {', '.join(there)} there already; choose another --out, or --overwrite")


def write_all(folder: Path, result: Any, data: Any, overwrite: bool) -> list[Path]:
    """Tables, charts and the report into a folder."""
    from tonne.formats.exports import write_table
    from tonne.formats.writing import write_whole
    from tonne.reports.charts import CHARTS, charts, png

    frames = {
        "table.csv": data.table,
        "table.parquet": data.table,
        "statement.csv": data.statement,
        "auctions.csv": data.auctions,
        "statuses.parquet": result.outcome.state.statuses,
    }
    written = [write_table(frame, folder / name, overwrite=overwrite) for name, frame in frames.items()]
    drawn, missing = charts(data)
    for name in CHARTS:
        path = folder / f"{name}.png"
        if name in drawn:
            written.append(write_whole(path, png(drawn[name], CHART_SCALE)))
        else:
            path.unlink(missing_ok=True)  # an older run's chart would be taken for this one's
            say(f"no chart of {name}: {missing[name]}")
    return [*written, result.report(folder / "report.html")]
