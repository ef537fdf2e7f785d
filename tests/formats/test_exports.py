"""Tables are written whole or not at all, by the ending of the name."""

import errno
import os

import polars as pl
import pytest

from tonne.formats.exports import ENDINGS, write_table
from tonne.formats.faults import write_rejects
from tonne.formats.writing import write_whole

FRAME = pl.DataFrame({"year": [2013, 2014], "verified": [10, None], "name": ["Mühle, 'A'", "x\ny"]})
READERS = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".csv.gz": pl.read_csv, ".json": pl.read_json}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read_back_and_equal_in_bytes(tmp_path, ending):
    first, second = write_table(FRAME, tmp_path / f"a{ending}"), write_table(FRAME, tmp_path / f"b{ending}")
    assert READERS[ending](first).equals(FRAME)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{ending}", f"b{ending}"]


def test_a_file_that_is_there_stays_unless_it_may_be_overwritten(tmp_path):
    path = write_table(FRAME, tmp_path / "a.csv")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="is there already"):
        write_table(FRAME.head(1), path)
    assert path.read_bytes() == before
    write_table(FRAME.head(1), path, overwrite=True)
    assert path.read_bytes() != before


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_table(FRAME, tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_unknown_endings_and_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.parquet, \.csv, \.csv\.gz, \.json"):
        write_table(FRAME, tmp_path / "a.xlsx")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_table(FRAME, tmp_path / "nowhere" / "a.csv")


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    old = tmp_path / "table.png"
    old.write_bytes(b"old")
    with pytest.raises(OSError) as caught:
        write_whole(old, b"new")
    assert caught.value.filename == str(old) and old.read_bytes() == b"old" and list(tmp_path.iterdir()) == [old]
    with pytest.raises(OSError, match=r"rejects\.csv"):
        write_rejects([], tmp_path / "rejects.csv")
