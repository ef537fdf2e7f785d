"""A backup is complete or absent; a market moves from one kind of store to the other and back without losing a byte."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from stores import chain, execute
from tonne.store import StoreDamaged, StoreMissing, StoreNotEmpty, backup, open_log, restore

ENTRIES = chain(40, tables=bytes(range(256)) * 30)


def filled(where: str) -> None:
    with open_log(where, chunk_bytes=5000) as log:
        log.append(ENTRIES[:30])
        log.set_meta("system", "rggi")
        log.save_snapshot(20, b"hash", b"state" * 3000)
        log.append(ENTRIES[30:])


def same(where: str | Path) -> None:
    with open_log(where, mode="read") as log:
        assert list(log.read()) == ENTRIES
        assert log.verify_chain() == []
        assert log.meta() == {"system": "rggi"}
        assert log.latest_snapshot() == (20, b"hash", b"state" * 3000)
        assert log.head() == (40, ENTRIES[-1].hash)


def test_there_and_back(where: str, postgres: str, tmp_path: Path) -> None:
    """Store -> file -> the other kind -> file -> a new file."""
    filled(where)
    assert backup(where, tmp_path / "one.tonne").sequence == 40
    same(tmp_path / "one.tonne")
    assert restore(tmp_path / "one.tonne", postgres).sequence == 40
    same(postgres)
    backup(postgres, tmp_path / "two.tonne")
    same(tmp_path / "two.tonne")
    restore(tmp_path / "two.tonne", tmp_path / "three.db")
    same(tmp_path / "three.db")
    with open_log(tmp_path / "three.db") as log:
        log.append(chain(1, after=ENTRIES[-1]))
    assert not list(tmp_path.glob("*.partial*"))
    assert not list(tmp_path.glob("*.tonne-*")), "a backup is one file"


def test_a_backup_of_a_log_that_is_being_written(where: str, tmp_path: Path) -> None:
    filled(where)
    with open_log(where) as log:
        more = chain(2_000, after=ENTRIES[-1])
        stop = threading.Event()
        written = []

        def write() -> None:
            for entry in more:
                if stop.is_set():
                    return
                log.append([entry])
                written.append(entry.sequence)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            heads = [backup(log, tmp_path / f"{number}.tonne") for number in range(3)]
        finally:
            stop.set()
            thread.join()
        assert 40 <= heads[0].sequence <= heads[1].sequence <= heads[2].sequence <= written[-1]
    for number, head in enumerate(heads):
        with open_log(tmp_path / f"{number}.tonne", mode="read") as copy:
            assert copy.verify_chain() == []
            assert copy.head() == head
            assert [entry.sequence for entry in copy.read()] == list(range(1, head.sequence + 1))


def test_nothing_is_overwritten(where: str, tmp_path: Path) -> None:
    filled(where)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(StoreNotEmpty, match="a backup never replaces another"):
        backup(where, tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"
    with open_log(tmp_path / "other.db") as log:
        log.append(chain(3))
    with pytest.raises(StoreNotEmpty, match="40 entries are stored here"):
        restore(tmp_path / "other.db", where)
    same(where)
    with pytest.raises(StoreMissing):
        restore(tmp_path / "nothing.db", tmp_path / "new.db")


def test_a_damaged_log_gives_no_backup_and_no_restore(where: str, tmp_path: Path) -> None:
    filled(where)
    execute(where, ("UPDATE log_entries SET command = ? WHERE sequence = 35", (b"{}",)))
    with pytest.raises(StoreDamaged, match=r"35 \(c35\).*changed"):
        backup(where, tmp_path / "copy.tonne")
    assert not list(tmp_path.glob("copy*"))
    with pytest.raises(StoreDamaged, match=r"35 \(c35\).*changed"):
        restore(where, tmp_path / "target.db")
    with open_log(tmp_path / "target.db") as log:
        assert log.head().sequence == 0, "nothing half-done"


def test_an_empty_log(where: str, postgres: str, tmp_path: Path) -> None:
    open_log(where).close()
    assert backup(where, tmp_path / "empty.tonne").sequence == 0
    assert restore(tmp_path / "empty.tonne", tmp_path / "again.db").sequence == 0
