"""Every fault a file can have is named with its file, line, column, value and reason; each test reads the message."""

import csv
import gzip

import polars as pl
import pytest

from tonne.formats.activity import read_activity
from tonne.formats.faults import BadFile
from tonne.formats.installations import read_installations, read_nace
from tonne.formats.reports import read_reports
from tonne.formats.totals import read_totals
from tonne.formats.transactions import read_transactions
from tonne.registers.installations import Installations

REPORTS = "account_id,registry,year,allocated_base,allocated_4star,allocated_5star,verified_tco2e,verified_flag,surrendered_units,compliance_code"
ACCOUNTS = "account_id,registry,installation_id,installation_name,account_status,activity_code,activity,lat,lon"
GOOD = [
    "11,A,2013,5,,,10,,10,A",
    "11,A,2014,5,1,2,12,,12,A*",
    "12,B,2013,,,,,Not Reported,,C",
    "12,B,2014,,,,,Excluded,,A",
    "12,B,2015,,,,,,,",
]


@pytest.fixture
def registered() -> Installations:
    return Installations(pl.DataFrame({"installation": ["A_1", "B_7"], "account": ["11", "12"], "name": ["Mill", "Kiln"]}))


@pytest.fixture
def write(tmp_path):
    def write(*rows: str, header: str = REPORTS, name: str = "file.csv", coding: str = "utf-8", end: str = "\n"):
        path = tmp_path / name
        path.write_bytes((end.join([header, *rows]) + end).encode(coding))
        return path

    return write


def refusal(read, *args, **kwargs) -> str:
    with pytest.raises(BadFile) as caught:
        read(*args, **kwargs)
    return str(caught.value)


def test_a_good_file_is_read_as_it_is(write, registered):
    reports, faults = read_reports(write(*GOOD), registered)
    assert faults == []
    assert reports.frame["installation"].to_list() == ["A_1", "A_1", "B_7", "B_7", "B_7"]
    assert reports.frame["state"].to_list() == ["verified", "verified", "not_reported", "excluded", "no_entry"]
    assert reports.frame["allocated_new_entrant"].to_list() == [0, 2, 0, 0, 0]
    assert reports.frame["published_status"].to_list() == ["A", "A*", "C", "A", None]


@pytest.mark.parametrize(("end", "coding"), [("\r\n", "utf-8"), ("\r", "utf-8"), ("\n", "utf-8-sig"), ("\n\n", "utf-8")])
def test_line_ends_blank_lines_and_a_byte_order_mark_do_not_matter(write, registered, end, coding):
    assert read_reports(write(*GOOD, end=end, coding=coding), registered)[0] == read_reports(write(*GOOD), registered)[0]


def test_semicolons_tabs_gzip_and_parquet_are_read_too(write, registered, tmp_path):
    plain = read_reports(write(*GOOD), registered)[0]
    for separator in ";\t":
        rows = [row.replace(",", separator) for row in (REPORTS, *GOOD)]
        assert read_reports(write(*rows[1:], header=rows[0]), registered)[0] == plain
    zipped = tmp_path / "file.csv.gz"
    zipped.write_bytes(gzip.compress(write(*GOOD).read_bytes()))
    assert read_reports(zipped, registered)[0] == plain
    plain.frame.write_parquet(tmp_path / "own.parquet")
    assert read_reports(tmp_path / "own.parquet", registered)[0] == plain
    # A table tool that knows no empty whole numbers writes them as decimals: 10.0 is 10.
    plain.frame.with_columns(pl.col("verified", "surrendered").cast(pl.Float64)).write_csv(tmp_path / "own.csv")
    assert read_reports(tmp_path / "own.csv", registered)[0] == plain


def test_any_other_file_is_read_through_a_column_mapping(write):
    path = write("x,2020,5,nobody", header="plant,when,tonnes,owner")
    reports, _ = read_reports(path, columns={"installation": "plant", "year": "when", "verified": "tonnes"})
    assert reports.lookup("x", 2020)["verified"] == 5
    installations, _ = read_installations(path, columns={"installation": "plant", "name": "plant", "operator": "owner"})
    assert installations.lookup("x")["operator"] == "nobody"
    assert "column tons: this column is missing; did you mean to call 'tonnes' so?" in refusal(
        read_reports, path, columns={"installation": "plant", "year": "when", "verified": "tons"}
    )
    with pytest.raises(ValueError, match="needs year, verified and installation or account"):
        read_reports(path, columns={"installation": "plant"})
    with pytest.raises(ValueError, match="are no columns of ours"):
        read_installations(path, columns={"colour": "plant"})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("11,A,2015,5,,,-10,,10,A", "line 7, column verified_tco2e: '-10': negative"),
        ("11,A,2015,5,,,100000001,,10,A", "line 7, column verified_tco2e: '100000001': above 100,000,000 tonnes; is the unit right?"),
        ("11,A,2015,5,,,10.5,,10,A", "column verified_tco2e: '10.5': not a whole number of tonnes; write it without separators and decimals"),
        ('11,A,2015,5,,,"10,500",,10,A', "column verified_tco2e: '10,500': not a whole number of tonnes"),
        ("11,A,2015,5,,,many,,10,A", "column verified_tco2e: 'many': not a number"),
        ("11,A,2015,-5,,,10,,10,A", "column allocated_base: '-5': negative"),
        ("11,A,2015,5,,,10,,-1,A", "column surrendered_units: '-1': negative"),
        ("11,A,,5,,,10,,10,A", "line 7, column year: empty, but needed"),
        ("11,A,15,5,,,10,,10,A", "column year: '15': below 1,900"),
        ("11,A,2021,5,,,10,,10,A", "column year: '2021': the law covers the years 2013 to 2020"),
        ("99,A,2015,5,,,10,,10,A", "column account_id: '99': no registered installation has this account"),
        (",A,2015,5,,,10,,10,A", "column account_id: empty, but needed"),
        ("11,A,2013,6,,,11,,11,A", "column account_id: '11': A_1/2013 was given in line 2 already"),
        ("11,A,2015,5,,,10,Excluded,,A", "column verified_flag: 'Excluded': this goes with a verified figure"),
        ("11,A,2015,5,,,,Asleep,,A", "column verified_flag: 'Asleep': unknown remark; known are"),
        ("11,A,2015,5,,,10,,10,Q", "column compliance_code: 'Q': no compliance letter"),
        ("11,A,2015,5,,,10,,10", "line 7: '11,A,2015,5,,,10,,10': 9 cells where the header has 10"),
        ("11,A,2015,5,,,10,,10,A,x", "line 7: '11,A,2015,5,,,10,,10,A,x': 11 cells where the header has 10"),
    ],
)
def test_a_bad_row_is_named_or_skipped_alone(write, registered, tmp_path, row, message):
    path = write(*GOOD, row)
    text = refusal(read_reports, path, registered, law_years=(2013, 2020))
    assert text.startswith(str(path)) and message in text
    assert "--skip-bad" in text
    reports, faults = read_reports(path, registered, law_years=(2013, 2020), skip_bad=True, rejects=tmp_path / "rejects.csv")
    assert reports == read_reports(write(*GOOD, name="good.csv"), registered)[0]
    assert len(faults) >= 1
    with (tmp_path / "rejects.csv").open(newline="") as stream:
        rejected = list(csv.DictReader(stream))
    assert [int(line["row"]) for line in rejected] == [fault.row for fault in faults]
    assert rejected[0]["reason"] == faults[0].reason


def test_lines_are_counted_as_an_editor_counts_them(write, registered):
    # The second record spans lines 3 and 4, line 6 is blank: the bad row stands in line 7.
    rows = ["11,A,2013,5,,,10,,10,A", '11,"A\nand more",2014,5,,,10,,10,A', "11,A,2015,5,,,10,,10,A", "", "11,A,2016,5,,,x,,10,A"]
    assert "line 7, column verified_tco2e: 'x'" in refusal(read_reports, write(*rows), registered)


def test_all_faults_are_found_fifty_are_shown_and_all_are_written(write, registered, tmp_path):
    rows = [f"11,A,{year},5,,,x,,10,A" for year in range(1950, 2010)]
    text = refusal(read_reports, write(*rows), registered, rejects=tmp_path / "rejects.csv")
    assert text.count("not a number") == 50
    assert "... and 10 more" in text and "60 faults in all; nothing was loaded." in text
    assert f"All of them are in {tmp_path / 'rejects.csv'}." in text
    assert len((tmp_path / "rejects.csv").read_text().splitlines()) == 61
    assert "Name a rejects file" in refusal(read_reports, write(*rows), registered)
    with pytest.raises(BadFile) as caught:
        read_reports(write(*rows), registered)
    assert len(caught.value.faults) == 60


def test_years_outside_the_wanted_ones_are_checked_and_left_out(write, registered):
    assert read_reports(write(*GOOD), registered, years=(2014, 2015))[0].years() == [2014, 2015]
    assert "negative" in refusal(read_reports, write(*GOOD, "11,A,2009,5,,,-1,,,A"), registered, years=(2014, 2015))


def test_a_truncated_or_damaged_gzip_file_says_so(write, tmp_path):
    data = gzip.compress(write(*GOOD * 50).read_bytes(), mtime=0)
    path = tmp_path / "file.csv.gz"
    path.write_bytes(data[: len(data) // 2])
    assert "the gzip file ends too early, it was cut off in transfer; fetch it again" in refusal(read_reports, path)
    path.write_bytes(data[:40] + b"zzzzzzzz" + data[48:])
    assert "the gzip file is damaged" in refusal(read_reports, path)
    path.write_bytes(write(*GOOD).read_bytes())
    assert "named .gz but not gzipped" in refusal(read_reports, path)


def test_a_file_that_is_not_utf_8_says_where_and_what_to_do(write):
    path = write("1,A,1,Mühle,open,20,Burning,,", header=ACCOUNTS, coding="latin-1")
    text = refusal(read_installations, path)
    assert "line 2: '1,A,1,Mühle,open" in text
    assert "byte 0xfc is not UTF-8; the file looks like Windows-1252 or Latin-1: save it as CSV in UTF-8" in text
    assert "--skip-bad" not in text
    assert "this text is UTF-16" in refusal(read_installations, write("x", header=ACCOUNTS, coding="utf-16"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty; a file of reports is expected"),
        (b"\n \n", "the file is empty"),
        (REPORTS.encode() + b"\n", "the file has a header and no rows"),
        (b"PK\x03\x04rest", "an Excel workbook; save the sheet as CSV"),
        (b"%PDF-1.7", "this is a PDF"),
        (b"PAR1 and then nothing", "the Parquet file is damaged or cut off"),
        (b"a,b\x00c\n1,2\n", "this is no text"),
        (b"year,year,verified\n1,2,3\n", "column year: the header has this column twice"),
        (REPORTS.encode() + b'\n11,A,"2013,5,,,10,,10,A\n', "line 2: a quotation mark is opened in or before this line and never closed"),
    ],
)
def test_a_file_that_is_no_table_says_what_it_is(tmp_path, data, message):
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    assert message in refusal(read_reports, path)


def test_a_file_that_is_not_there(tmp_path):
    assert "nowhere.csv: cannot be read: No such file or directory" in refusal(read_reports, tmp_path / "nowhere.csv")


def test_a_missing_column_is_named_with_the_nearest_one(write):
    text = refusal(read_reports, write(*GOOD, header=REPORTS.replace("verified_tco2e", "verifed_tco2")))
    assert "column verified_tco2e: this column is missing; did you mean to call 'verifed_tco2' so?" in text
    assert "The columns found are account_id, registry, year" in text


def test_a_file_of_another_system_is_told_what_was_expected_and_what_found(write):
    header = "regulator,account_holder_name,operator_id,installation_name,recorded_emissions_2021,cumulative_surrenders"
    text = refusal(read_reports, write("EA,x,1,y,1,1", header=header))
    assert "this is no file of reports that is known here" in text
    assert "Expected the columns account_id, year, allocated_base" in text and "or installation, year, verified" in text
    assert "found regulator, account_holder_name" in text and "column mapping" in text
    assert "this is no file of installations" in refusal(read_installations, write(*GOOD))
    assert "this is no file of transaction blocks" in refusal(read_transactions, write(*GOOD))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2,A,1,Mill,open,20,Burning,,", "column installation_id: '1': A_1 was given in line 2 already"),
        ("1,A,2,Mill,open,20,Burning,,", "column account_id: '1': 1 was given in line 2 already"),
        ("2,A,2,Mill,asleep,20,Burning,,", "column account_status: 'asleep': the status is open or closed"),
        ("2,A,2,Mill,open,77,Burning,,", "column activity_code: '77': unknown activity code; the codes are 20, 21"),
        ("2,A,2,Mill,open,20,Burning,95,10", "column lat: '95': degrees lie between -90 and 90"),
        ("2,A,2,Mill,open,20,Burning,north,10", "column lat: 'north': not a number of degrees"),
        ("2,A,,Mill,open,20,Burning,,", "column installation_id: empty, but needed"),
    ],
)
def test_faults_of_installations(write, row, message):
    path = write("1,A,1,Mill,open,20,,0,0", row, header=ACCOUNTS)
    codes = {"20": "Combustion", "21": "Refining"}
    assert message in refusal(read_installations, path, activities=codes)
    installations, faults = read_installations(path, activities=codes, skip_bad=True)
    assert len(installations) == 1 and len(faults) == 1
    # Zero, zero is how the account list prints an unknown place; the sector is filled from the codes.
    assert installations.lookup("A_1")["latitude"] is None
    assert installations.lookup("A_1")["sector"] == "Combustion"


def test_installations_in_our_own_columns_come_back_as_they_were(tmp_path, registered):
    registered.frame.write_csv(tmp_path / "own.csv")
    assert read_installations(tmp_path / "own.csv")[0] == registered


def test_nace_codes_may_repeat_and_not_contradict(write):
    assert read_nace(write("A_1,1.1", "A_1,1.1", "A_2,", header="installation,nace")).rows() == [("A_1", "1.1")]
    text = refusal(read_nace, write("A_1,1.1", "A_1,2.2", header="installation,nace"))
    assert "line 2, column nace: '1.1': this installation has several different codes" in text


BLOCKS = "block_id,transaction_id,timestamp,type_main,type_supplementary,transferring_account,acquiring_account,unit_type,project_id,amount"


def test_blocks_are_put_in_the_order_they_happened(write):
    rows = ["1,T2,2007-02-21T12:30:24,10,2,5,6,X,,7", "9,T1,2006-01-01 00:00:00.500,5,1,5,6,X,12,3", "8,T1,2006-01-01 00:00:00.500,4,3,5,5,X,,3"]
    frame, faults = read_transactions(write(*rows, header=BLOCKS))
    assert faults == []
    assert frame["block_id"].to_list() == [8, 9, 1]
    assert frame["type"].to_list() == ["4-3", "5-1", "10-2"]
    assert frame["kind"].to_list() == ["cancellation", "retirement", "surrender"]
    assert frame["timestamp"][0].isoformat(timespec="milliseconds") == "2006-01-01T00:00:00.500"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,T,21.02.2007,10,2,5,6,X,,7", "column timestamp: '21.02.2007': no moment in the form"),
        ("1,T,2007-02-30 12:00:00,10,2,5,6,X,,7", "no moment in the form"),
        ("1,T,2007-02-20 12:00:00,10,2,5,6,X,,0", "column amount: '0': a block has one unit at least"),
        ("1,T,2007-02-20 12:00:00,10,2,5,6,X,,1.5", "column amount: '1.5': not a whole number of units"),
        ("7,T,2007-02-20 12:00:00,10,2,5,6,X,,1", "column block_id: '7': 7 was given in line 2 already"),
        ("1,T,2007-02-20 12:00:00,10,2,,6,X,,1", "column transferring_account: empty, but needed"),
    ],
)
def test_faults_of_blocks(write, row, message):
    path = write("7,T,2007-02-20 12:00:00,10,99,5,6,X,,1", row, header=BLOCKS)
    assert message in refusal(read_transactions, path)
    frame, faults = read_transactions(path, skip_bad=True)
    assert frame["kind"].to_list() == ["other"] and len(faults) == 1


def test_totals_are_checked_against_their_parts(write):
    header = "year,allocated_base,allocated_4star,allocated_5star,verified_tco2e,installations_with_verified,allocated_total"
    frame = read_totals(write("2014,1,2,3,9,4.0,6", "2013,1,1,1,9,4.0,3", header=header))
    assert frame["year"].to_list() == [2013, 2014] and frame["installations_with_verified"].to_list() == [4, 4]
    assert frame["surrendered"].to_list() == [None, None]
    assert "column allocated_total: '7': the three parts add up to 6" in refusal(read_totals, write("2014,1,2,3,9,4.0,7", header=header))


def test_activity_is_read_with_exact_ratios(write):
    header = "installation,unit,year,product,quantity,load,leakage_listed"
    activity, _ = read_activity(write("A,1,2020,power,5,0.512345,yes", "A,2,2020,power,5,,", header=header))
    assert [str(load) for load in activity.frame["load"].drop_nulls()] == ["0.512345"]
    assert activity.frame["leakage_listed"].to_list() == [True, False]
    text = refusal(read_activity, write("A,1,2020,power,5,0.1234567,perhaps", header=header))
    assert "'0.1234567': not a number of at most six decimals" in text and "'perhaps': neither true nor false" in text
    assert "A/1/2020 was given in line 2 already" in refusal(read_activity, write(*["A,1,2020,power,5,,"] * 2, header=header))


def test_a_file_of_other_installations_says_so_first(write, registered):
    text = refusal(read_reports, write(*GOOD, "77,A,2013,,,,1,,1,A"), registered)
    assert "belong to other installations" not in text
    others = [f"{number},A,2013,,,,1,,1,A" for number in range(70, 80)]
    path = write(GOOD[0], *others)
    assert refusal(read_reports, path, registered).startswith(
        f"{path}: these rows belong to other installations than those given (10 of 11 rows).\n{path} line 3, column account_id: '70'"
    )


def test_more_than_a_system_can_have_emitted_is_another_systems_file(write, registered):
    path = write(*GOOD, "12,B,2016,,,,20,,20,A")
    assert read_reports(path, registered, most_total={2013: 10, 2014: 12, 2016: 20})[1] == []
    text = refusal(read_reports, path, registered, most_total={2013: 9, 2014: 12}, skip_bad=True)
    assert text == f"{path}, column verified: '10': the sum of 2013 is above 9, which is beyond this system; is it another's file?"
