"""The public names: rulebooks that answer, runs from files and from nothing, what bad input gets."""

from __future__ import annotations

from pathlib import Path

import pytest

import tonne
from tonne.formats.faults import BadFile
from tonne.law import BeforeSystem, UnknownSystem

INSTALLATIONS = """\
account_id,registry,installation_id,installation_name,account_holder_name,account_status,permit_id,permit_entry_date,permit_expiration_date,\
initial_emissions_year,final_emissions_year,activity_code,activity,eprtr_id,city,address_country,lat,lon,parent_undertaking_name,legal_entity_identifier
1,AA,1,Kiln one,Cement of A,open,P1,2005-01-01,,2005,,29,Production of cement clinker,,,AA,,,,
2,AA,2,Boiler two,Heat of A,open,P2,2005-01-01,,2005,,20,Combustion of fuels,,,AA,,,,
"""
REPORTS = """\
account_id,registry,year,allocated_base,allocated_4star,allocated_5star,verified_tco2e,verified_flag,surrendered_units,compliance_code
1,AA,2013,900,,,1000,,1000,A
1,AA,2014,880,,,1000,,900,B
2,AA,2013,100,,,80,,80,A
2,AA,2014,90,,,70,,70,A
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    installations, reports = tmp_path / "installations.csv", tmp_path / "reports.csv"
    installations.write_text(INSTALLATIONS, encoding="utf-8")
    reports.write_text(REPORTS, encoding="utf-8")
    return installations, reports


def test_a_run_from_files(files: tuple[Path, Path], tmp_path: Path) -> None:
    with tonne.run("eu-ets", (2013, 2014), *files, log=tmp_path / "m.db", opening=10_000) as run:
        rows = {row["year"]: row for row in run.table().iter_rows(named=True)}
        assert rows[2013]["cap"] == 2_084_301_856
        assert (rows[2013]["verified_loaded"], rows[2014]["verified_loaded"]) == (1_080, 1_070)
        assert (rows[2013]["surrendered_loaded"], rows[2014]["surrendered_loaded"]) == (1_080, 970)
        assert rows[2013]["verified"] == 1_908_000_000  # the rulebook's published total, the rest carried by the remainder
        letters = {(r["installation"], r["year"]): r["status"] for r in run.outcome.state.statuses.iter_rows(named=True)}
        assert letters[("AA_1", 2013)] == "A" and letters[("AA_1", 2014)] == "B"
        fine = run.outcome.state.fines.row(0, named=True)
        assert (fine["installation"], fine["shortfall"], fine["low_minor"]) == ("AA_1", 100, 1_000_000)
        first = run.state_hash
    with tonne.run("eu-ets", (2013, 2014), *files, log=tmp_path / "m.db", opening=10_000) as again:
        assert again.state_hash == first


def test_a_system_nobody_knows() -> None:
    with pytest.raises(UnknownSystem, match=r"no system 'eu-est'; did you mean 'eu-ets'\?"):
        tonne.rulebook("eu-est")


def test_years_outside_the_law() -> None:
    with pytest.raises(BeforeSystem, match="eu-ets has no law on 1990-12-31; it begins 2005-01-01"):
        tonne.run("eu-ets", (1990, 1991), synthetic=10)
    with pytest.raises(ValueError, match="the years run from 2015 to 2013; the last is before the first"):
        tonne.run("eu-ets", (2015, 2013), synthetic=10)


def test_an_activity_that_the_law_does_not_name(files: tuple[Path, Path]) -> None:
    files[0].write_text(INSTALLATIONS.replace(",29,Production", ",777,Production"), encoding="utf-8")
    with pytest.raises(BadFile, match=r"line 2, column activity_code: '777': unknown activity code"):
        tonne.run("eu-ets", (2013, 2014), *files)


def test_reports_of_another_system(files: tuple[Path, Path]) -> None:
    files[1].write_text(REPORTS.replace(",1000,,1000,A", ",95000000,,1000,A").replace(",80,,80,A", ",95000000,,80,A"), encoding="utf-8")
    more = "".join(f"{number},AA,{number},Plant {number},Owner,open,P,2005-01-01,,2005,,20,x,,,AA,,,,\n" for number in range(3, 10))
    files[0].write_text(INSTALLATIONS + more, encoding="utf-8")
    rows = "".join(f"{number},AA,2013,0,,,95000000,,0,A\n" for number in range(3, 10))
    files[1].write_text(files[1].read_text(encoding="utf-8") + rows, encoding="utf-8")
    with pytest.raises(BadFile, match="2013"):
        tonne.run("rggi", (2013, 2014), *files)


def test_a_column_mapping_is_never_passed_over_in_silence(files: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match=r"columns: 'verifed' is no column of ours; did you mean 'verified'\?"):
        tonne.run("eu-ets", (2013, 2014), *files, columns={"verifed": "verified_tco2e"})
    with pytest.raises(ValueError, match=r"columns: 'report\.year' is no column of ours"):
        tonne.run("eu-ets", (2013, 2014), *files, columns={"report.year": "year"})


def test_files_of_other_columns(files: tuple[Path, Path], tmp_path: Path) -> None:
    plants, figures = tmp_path / "plants.csv", tmp_path / "figures.csv"
    plants.write_text("id,title\nAA_1,Kiln one\nAA_2,Boiler two\n", encoding="utf-8")
    figures.write_text("id,jahr,tonnen\nAA_1,2013,1000\nAA_2,2013,80\n", encoding="utf-8")
    mapping = {"installation": "id", "name": "title", "year": "jahr", "verified": "tonnen"}
    with tonne.run("eu-ets", (2013, 2013), plants, figures, columns=mapping, opening=0) as run:
        assert run.table()["verified_loaded"].to_list() == [1_080]


def test_nothing_to_run_on() -> None:
    with pytest.raises(ValueError, match="a run needs installations and reports, or `synthetic`"):
        tonne.run("eu-ets", (2013, 2014))


def test_the_public_names_are_these() -> None:
    assert tonne.__all__ == ["Client", "Refused", "Run", "open_market", "rulebook", "run", "systems"]
    assert all(callable(getattr(tonne, name)) for name in tonne.__all__)
    with pytest.raises(AttributeError, match="no attribute 'runs'"):
        tonne.runs  # noqa: B018
