"""Whatever the bytes, reading ends in a register or in `BadFile`."""

import gzip

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonne.formats.faults import BadFile
from tonne.formats.reports import read_reports

HEADER = b"installation,year,verified,surrendered,state\n"
BODY = b"A,2013,10,10,verified\nA,2014,,,excluded\nB,2013,5,4,verified\n"
calm = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path, data: bytes) -> None:
    path.write_bytes(data)
    for skip_bad in (False, True):
        try:
            reports, faults = read_reports(path, skip_bad=skip_bad)
            assert skip_bad or not faults
            assert reports.frame.filter(reports.frame.select("installation", "year").is_duplicated()).height == 0
        except BadFile as bad:
            assert bad.faults and str(bad).startswith(str(path))


@calm
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path, data):
    read(tmp_path / "file.csv", data)


@calm
@given(st.text(alphabet='A,B"\n\r;2013x-. é', max_size=120))
def test_any_rows_under_a_good_header(tmp_path, text):
    read(tmp_path / "file.csv", HEADER + BODY + text.encode())


@calm
@given(st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_a_good_file_with_bytes_changed(tmp_path, place, change):
    for data in (HEADER + BODY, gzip.compress(HEADER + BODY, mtime=0)):
        read(tmp_path / "file.csv.gz", data[:place] + change + data[place + len(change) :])
