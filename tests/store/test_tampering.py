"""A log that someone changed: every change is found and named by verify_chain, and neither a writer nor a replay passes over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stores import chain, execute
from tonne.administration.events import Entry, entry_hash
from tonne.store import Fault, StoreDamaged, open_log

ENTRIES = chain(9)


@pytest.fixture
def stored(where: str) -> str:
    with open_log(where) as log:
        log.append(ENTRIES)
        assert log.verify_chain() == []
    return where


def faults(where: str) -> list[Fault]:
    with open_log(where, mode="read") as log:
        return log.verify_chain()


@pytest.mark.parametrize(
    "change",
    [
        "command = ?",
        "events = ?",
        "tables = ?",
        "hash = ?",
        "kind = 'issue'",
        "actor = 'me'",
        "outcome = 'refused'",
        "day = '2024-05-02'",
        "command_id = 'x5'",
    ],
)
def test_a_changed_row_is_named(stored: str, change: str) -> None:
    execute(stored, (f"UPDATE log_entries SET {change} WHERE sequence = 5", (bytes(32),) if "?" in change else ()))
    found = faults(stored)
    assert found[0].sequence == 5
    assert found[0].command_id == ("x5" if "command_id" in change else "c5")
    assert "changed: its hash is not the hash of its fields" in found[0].what
    if "hash" in change:
        assert found[1].sequence == 6 and "does not follow entry 5" in found[1].what
    else:
        assert len(found) == 1


def test_a_row_changed_with_its_hash_breaks_the_next_link(stored: str) -> None:
    row = ENTRIES[4]
    forged = entry_hash(5, row.command_id, row.kind, row.actor, row.day, row.outcome, b'{"amount":9999}', row.events, row.tables, row.previous)
    execute(stored, ("UPDATE log_entries SET command = ?, hash = ? WHERE sequence = 5", (b'{"amount":9999}', forged)))
    assert [(fault.sequence, fault.command_id) for fault in faults(stored)] == [(6, "c6")]
    with open_log(stored, mode="read") as log, pytest.raises(StoreDamaged, match=r"entry 6 \(c6\) does not link to entry 5"):
        list(log.read())


def test_a_changed_previous_is_named_twice_over(stored: str) -> None:
    execute(stored, ("UPDATE log_entries SET previous = ? WHERE sequence = 5", (bytes(32),)))
    found = faults(stored)
    assert [fault.sequence for fault in found] == [5, 5]
    assert "does not follow entry 4" in found[1].what


def test_a_deleted_row(stored: str) -> None:
    execute(stored, "DELETE FROM log_entries WHERE sequence = 5")
    assert faults(stored) == [Fault(5, None, "missing: the entry is gone")]
    with open_log(stored, mode="read") as log:
        with pytest.raises(StoreDamaged, match="entry 5 is missing"):
            list(log.read())
        assert [entry.sequence for entry in log.read(after=5)] == [6, 7, 8, 9]


def test_a_deleted_first_row_and_a_deleted_stretch(stored: str) -> None:
    execute(stored, "DELETE FROM log_entries WHERE sequence = 1 OR sequence BETWEEN 4 AND 6")
    assert faults(stored) == [Fault(1, None, "missing: the entry is gone"), Fault(4, None, "missing: entries 4 to 6 are gone")]


def test_a_deleted_last_row(stored: str) -> None:
    execute(stored, "DELETE FROM log_entries WHERE sequence = 9")
    assert faults(stored) == [Fault(9, None, "cut off: the head says 9 entries, the log ends at 8")]
    with open_log(stored, mode="read") as log, pytest.raises(StoreDamaged, match="entries 9 to 9 are missing: the tail of the log was cut off"):
        list(log.read())
    with pytest.raises(StoreDamaged, match="ends at entry 9, and it ends at 8"):
        open_log(stored)


def test_all_rows_deleted(stored: str) -> None:
    execute(stored, "DELETE FROM log_entries")
    assert faults(stored) == [Fault(9, None, "cut off: the head says 9 entries, the log ends at 0")]
    with pytest.raises(StoreDamaged, match="ends at 0"):
        open_log(stored)


def test_a_swapped_pair(stored: str) -> None:
    execute(
        stored,
        "UPDATE log_entries SET sequence = 100 WHERE sequence = 4",
        "UPDATE log_entries SET sequence = 4 WHERE sequence = 5",
        "UPDATE log_entries SET sequence = 5 WHERE sequence = 100",
    )
    found = faults(stored)
    assert {(fault.sequence, fault.command_id) for fault in found if "changed" in fault.what} == {(4, "c5"), (5, "c4")}
    assert {(fault.sequence, fault.command_id) for fault in found if "does not follow" in fault.what} == {(4, "c5"), (5, "c4"), (6, "c6")}


def test_a_row_that_was_put_in(stored: str) -> None:
    extra = chain(1, after=ENTRIES[-1], name="forged")[0]
    columns = "sequence, command_id, kind, actor, day, outcome, previous, hash, chunks, command, events, tables"
    values = (
        extra.sequence, extra.command_id, extra.kind, extra.actor, extra.day.isoformat(), extra.outcome, extra.previous, extra.hash, 0, extra.command,
        extra.events, extra.tables,
    )  # fmt: skip
    execute(stored, (f"INSERT INTO log_entries ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values))
    assert faults(stored) == [Fault(9, None, "the head says 9 entries, the log ends at 10: the head was changed")]
    with pytest.raises(StoreDamaged, match="ends at 10"):
        open_log(stored)


def test_a_changed_or_deleted_head(stored: str) -> None:
    execute(stored, ("UPDATE log_head SET hash = ?", (bytes(32),)))
    assert faults(stored) == [Fault(9, None, "the head's hash is not the last entry's: one of them was changed")]
    with pytest.raises(StoreDamaged, match="with another hash"):
        open_log(stored)
    execute(stored, "DELETE FROM log_head")
    found = faults(stored)
    assert len(found) == 1 and "its head is gone" in found[0].what
    with pytest.raises(StoreDamaged, match="its head is gone"):
        open_log(stored)


def test_a_whole_log_rebuilt_by_a_forger_is_only_found_by_a_published_head(stored: str) -> None:
    """Said plainly in verify_chain's docstring: hashes chain a log to its head, and the head has to be known elsewhere."""
    with open_log(stored, mode="read") as log:
        published = log.head()
    last = chain(1, after=ENTRIES[7], name="forged")[0]
    execute(
        stored,
        ("UPDATE log_entries SET command_id = ?, hash = ? WHERE sequence = 9", (last.command_id, last.hash)),
        ("UPDATE log_head SET hash = ?", (last.hash,)),
    )
    assert faults(stored) == []
    with open_log(stored, mode="read") as log:
        assert log.head() != published


def test_values_of_the_wrong_type_are_named(tmp_path: Path) -> None:
    """SQLite stores any type in any column."""
    where = str(tmp_path / "log.db")
    with open_log(where) as log:
        log.append(ENTRIES)
    execute(where, "UPDATE log_entries SET day = 'never' WHERE sequence = 3", "UPDATE log_entries SET command = 7 WHERE sequence = 5")
    execute(where, "UPDATE log_entries SET kind = CAST(x'ff80' AS TEXT) WHERE sequence = 7")
    found = faults(where)
    assert [fault.sequence for fault in found] == [3, 5, 7]
    assert all("cannot be read" in fault.what for fault in found)


def test_a_page_of_garbage_is_named_and_the_walk_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    entries: list[Entry] = []
    with open_log(path) as log:
        entries = chain(400, tables=bytes(200))
        log.append(entries)
    content = bytearray(path.read_bytes())
    start = content.index(b'{"amount":200}') // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    found = faults(str(path))
    assert any("SQLite" in fault.what for fault in found)
    unreadable = {fault.sequence for fault in found if "cannot be read" in fault.what and fault.sequence}
    assert 200 in unreadable and len(unreadable) < 60
    assert not unreadable & {1, 400}
    with open_log(path, mode="read") as log, pytest.raises(StoreDamaged):
        list(log.read())
