"""Append, read, find, head, meta, snapshots, chunks; what a second writer and a stale writer get. Each test on both stores."""

from __future__ import annotations

import hashlib
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import chain, execute
from tonne.administration.events import GENESIS, Entry
from tonne.store import (
    Head,
    StoreDamaged,
    StoreDuplicate,
    StoreError,
    StoreLocked,
    StoreMissing,
    StoreMoved,
    StoreReadOnly,
    StoreStopped,
    StoreTooLarge,
    open_log,
)
from tonne.store import log as log_module
from tonne.store.postgres_log import PostgresLog
from tonne.store.sqlite_log import SqliteLog


def test_a_new_log_is_empty(where: str) -> None:
    with open_log(where) as log:
        assert log.head() == Head(0, GENESIS)
        assert list(log.read()) == []
        assert log.find("c1") is None
        assert log.meta() == {}
        assert log.latest_snapshot() is None
        assert log.verify_chain() == []


def test_what_was_appended_is_read_back_field_by_field(where: str) -> None:
    entries = chain(3) + []
    entries += chain(500, after=entries[-1], tables=bytes(range(256)) * 20)
    with open_log(where) as log:
        log.append(entries[:1])
        log.append(entries[1:3])
        log.append(entries[3:])
        assert list(log.read()) == entries
    with open_log(where) as log:
        assert list(log.read()) == entries
        assert log.head() == Head(503, entries[-1].hash)
        assert log.find("c77") == entries[76]
        assert log.find("c504") is None
        assert log.find("a\0b") is None


def test_large_groups_take_the_bulk_path_and_read_back_the_same(where: str) -> None:
    entries = chain(12, tables=bytes(range(256)) * 4096)  # 12 MB: PostgreSQL takes COPY
    with open_log(where) as log:
        log.append(entries)
        assert list(log.read()) == entries


def test_nothing_to_append_is_nothing(where: str) -> None:
    with open_log(where) as log:
        log.append([])
        log.append_batches([])
        assert log.head().sequence == 0


def test_reading_a_part(where: str) -> None:
    days = [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 5)]
    entries: list[Entry] = []
    for day in days:
        entries += chain(4, after=entries[-1] if entries else None, day=day)
    with open_log(where) as log:
        log.append(entries)

        def numbers(**how: object) -> list[int]:
            return [entry.sequence for entry in log.read(**how)]  # type: ignore[arg-type]

        assert numbers(after=9) == [10, 11, 12]
        assert numbers(after=12) == []
        assert numbers(last=2) == [1, 2]
        assert numbers(after=3, last=5) == [4, 5]
        assert numbers(until=date(2023, 12, 31)) == []
        assert numbers(until=date(2024, 1, 2)) == list(range(1, 9))
        assert numbers(until=date(2024, 1, 4)) == list(range(1, 9))
        assert numbers(until=date(2024, 1, 5)) == list(range(1, 13))
        assert numbers(after=6, until=date(2024, 1, 2), last=7) == [7]


def test_reading_streams_while_the_writer_goes_on(where: str) -> None:
    entries = chain(50)
    with open_log(where) as log:
        log.append(entries[:10])
        reading = log.read()
        assert next(reading).sequence == 1
        log.append(entries[10:])
        rest = [entry.sequence for entry in reading]
        assert rest[:9] == list(range(2, 11))
        unfinished = log.read()
        next(unfinished)
        unfinished.close()
        assert len(list(log.read())) == 50


def test_a_reader_elsewhere_sees_what_is_committed_and_is_never_blocked(where: str) -> None:
    entries = chain(4)
    with open_log(where) as writer, open_log(where, mode="read") as reader:
        assert reader.head().sequence == 0
        writer.append(entries[:2])
        assert reader.head().sequence == 2
        writer.append(entries[2:])
        assert list(reader.read()) == entries
        with pytest.raises(StoreReadOnly, match="opened for reading"):
            reader.append(chain(1, after=entries[-1]))
        with pytest.raises(StoreReadOnly):
            reader.set_meta("a", "b")


def test_a_command_id_is_stored_once(where: str) -> None:
    first = chain(2)
    again = Entry.chained(
        sequence=3,
        command_id="c1",
        kind="k",
        actor="a",
        day=date(2024, 1, 1),
        outcome="accepted",
        command=b"",
        events=b"",
        tables=b"",
        previous=first[-1].hash,
    )
    with open_log(where) as log:
        log.append(first)
        with pytest.raises(StoreDuplicate, match=r"stored already.*find\(command_id\)"):
            log.append([again])
        with pytest.raises(StoreStopped, match="stored already") as stopped:
            log.append(chain(1, after=first[-1]))
        assert isinstance(stopped.value.__cause__, StoreDuplicate)
        assert log.head().sequence == 2, "reading goes on"
    with open_log(where) as log:
        log.append(chain(1, after=first[-1]))
        assert log.verify_chain() == []


@pytest.mark.parametrize("what", ["sequence", "previous", "inside"])
def test_entries_that_do_not_continue_the_log_are_refused_whole(where: str, what: str) -> None:
    entries = chain(6)
    wrong = {"sequence": entries[3:], "previous": chain(1, after=chain(2, name="other")[-1]), "inside": [entries[2], entries[4]]}[what]
    with open_log(where) as log:
        log.append(entries[:2])
        with pytest.raises(StoreMoved, match=r"does not continue the log, which ends at [23]"):
            log.append(wrong)
    with open_log(where) as log:
        assert [entry.sequence for entry in log.read()] == [1, 2]


def test_a_head_that_someone_else_moved_is_noticed(where: str) -> None:
    entries = chain(3)
    with open_log(where) as log:
        log.append(entries[:1])
        execute(where, ("UPDATE log_head SET sequence = ?", (7,)))
        with pytest.raises(StoreMoved, match="someone else wrote"):
            log.append(entries[1:])
        execute(where, ("UPDATE log_head SET sequence = ?", (1,)))
        assert [entry.sequence for entry in log.read()] == [1]


def test_a_second_writer_is_refused_by_name(where: str) -> None:
    with open_log(where) as log:
        with pytest.raises(StoreLocked, match=r"another writer has it open .*\d+.*Stop that process"):
            open_log(where, patience_s=0.2)
        log.append(chain(1))
    with open_log(where) as log:
        log.append(chain(1, after=next(log.read())))


def test_a_closed_log(where: str) -> None:
    log = open_log(where)
    log.close()
    log.close()
    with pytest.raises(StoreStopped, match="closed"):
        log.append(chain(1))
    with pytest.raises(StoreError, match="closed"):
        log.head()
    assert "closed" in repr(log)


def test_nothing_there(where: str) -> None:
    with pytest.raises(StoreMissing):
        open_log(where, mode="read")
    with pytest.raises(StoreMissing):
        open_log(where, create=False)
    with pytest.raises(ValueError, match="mode"):
        open_log(where, mode="append")  # type: ignore[arg-type]


def test_meta(where: str) -> None:
    with open_log(where) as log:
        log.set_meta("system", "rggi")
        log.set_meta("system", "eu-ets")
        log.set_meta("名", "碳")
    with open_log(where, mode="read") as log:
        assert log.meta() == {"system": "eu-ets", "名": "碳"}


def test_large_tables_are_chunked_and_nobody_notices(where: str) -> None:
    sizes = [0, 999, 1000, 1001, 2000, 25_001]
    entries: list[Entry] = []
    for size in sizes:
        entries += chain(1, after=entries[-1] if entries else None, tables=bytes(i % 251 for i in range(size)))
    with open_log(where, chunk_bytes=1000) as log:
        log.append(entries[:4])
        log.append(entries[4:])
        assert list(log.read()) == entries
        assert log.find("c6") == entries[5]
    counted = execute(where, "SELECT sequence, count(*) FROM log_chunks GROUP BY sequence ORDER BY sequence")
    assert counted == [(4, 2), (5, 2), (6, 26)]
    with open_log(where, mode="read") as log:
        assert list(log.read()) == entries, "a reader needs not know the size of the chunks"
        assert log.verify_chain() == []
    execute(where, "DELETE FROM log_chunks WHERE sequence = 5 AND number = 1")
    with open_log(where, mode="read") as log:
        assert [(fault.sequence, fault.command_id) for fault in log.verify_chain()] == [(5, "c5")]
        with pytest.raises(StoreDamaged, match="1 of 2 chunks"):
            list(log.read())


def test_a_command_too_large_for_any_store(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "FIELD_BYTES_MAX", 10)
    with open_log(where) as log, pytest.raises(StoreTooLarge, match="Carry bulk in the entry's tables"):
        log.append(chain(1))


def test_text_that_postgresql_cannot_hold_is_refused_by_both(where: str) -> None:
    with open_log(where) as log, pytest.raises(StoreError, match="NUL"):
        log.append(chain(1, name="a\0b"))


def test_snapshots_keep_the_newest_three(where: str) -> None:
    with open_log(where, chunk_bytes=1000) as log:
        log.append(chain(10))
        for sequence in (2, 4, 6, 8):
            log.save_snapshot(sequence, bytes([sequence]) * 32, bytes([sequence]) * (sequence * 700))
        log.save_snapshot(8, b"again", b"state" * 1000)
        assert log.latest_snapshot() == (8, b"again", b"state" * 1000)
        assert log.latest_snapshot(at_most=7) == (6, bytes([6]) * 32, bytes([6]) * 4200)
        assert log.latest_snapshot(at_most=3) is None
        with pytest.raises(StoreMoved, match="ends at 10"):
            log.save_snapshot(11, b"", b"")
        log.save_snapshot(10, b"empty", b"")
        assert log.latest_snapshot() == (10, b"empty", b"")
    assert execute(where, "SELECT sequence FROM log_snapshots ORDER BY sequence") == [(6,), (8,), (10,)]
    assert execute(where, "SELECT DISTINCT sequence FROM log_snapshot_chunks ORDER BY sequence") == [(6,), (8,)]


def test_a_damaged_snapshot_is_passed_over(where: str) -> None:
    with open_log(where) as log:
        log.append(chain(5))
        log.save_snapshot(3, b"three", b"state three")
        log.save_snapshot(5, b"five", b"state five")
    execute(where, ("UPDATE log_snapshot_chunks SET data = ? WHERE sequence = 5", (b"state f1ve",)))
    with open_log(where, mode="read") as log:
        assert log.latest_snapshot() == (3, b"three", b"state three")


def test_a_snapshot_beyond_a_cut_log_is_not_offered(where: str) -> None:
    entries = chain(5)
    with open_log(where) as log:
        log.append(entries)
        log.save_snapshot(3, b"three", b"state three")
        log.save_snapshot(5, b"five", b"state five")
    execute(where, "DELETE FROM log_entries WHERE sequence > 4", ("UPDATE log_head SET sequence = 4, hash = ?", (entries[3].hash,)))
    with open_log(where) as log:
        assert log.latest_snapshot() == (3, b"three", b"state three")


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(text, text, text, st.dates(), st.binary(max_size=3000), st.binary(max_size=3000)), min_size=1, max_size=12),
    cut=st.integers(0, 12),
)
def test_any_entry_survives_storage(where: str, rows: list[tuple[str, str, str, date, bytes, bytes]], cut: int) -> None:
    with open_log(where, chunk_bytes=1000) as log:
        before = list(log.read())
        entries = before[:]
        for number, (command_id, kind, actor, day, command, tables) in enumerate(rows):
            unique = f"{command_id}{len(entries)}-{number}-{hashlib.sha256(command).hexdigest()}"
            previous = entries[-1].hash if entries else GENESIS
            entry = Entry.chained(
                sequence=len(entries) + 1, command_id=unique, kind=kind, actor=actor, day=day, outcome="accepted", command=command, events=tables,
                tables=tables, previous=previous,
            )  # fmt: skip
            entries.append(entry)
        fresh = entries[len(before) :]
        log.append(fresh[:cut])
        log.append(fresh[cut:])
        assert list(log.read()) == entries
        assert all(entry.is_intact() for entry in log.read())
        assert all(right.previous == left.hash for left, right in pairwise(log.read()))
        assert log.find(fresh[0].command_id) == fresh[0]


def test_durability_is_not_left_to_defaults(where: str) -> None:
    """A kill -9 does not tell a synced file from a cached one, so the settings themselves are looked at."""
    with open_log(where) as log:
        if isinstance(log, SqliteLog):
            assert log._writer is not None
            assert log._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert log._writer.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
            return
    separator = "&" if "?" in where else "?"
    with open_log(f"{where}{separator}options=-csynchronous_commit%3Doff") as log:
        assert isinstance(log, PostgresLog) and log._writer is not None
        assert log._writer.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert log._writer.execute("SHOW fsync").fetchone() == ("on",)
