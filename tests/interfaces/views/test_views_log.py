"""The log page by page, the search box, plain values, and what a cache keeps."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from small_markets import Desk as Small
from small_markets import eu

import tonne
from tonne.administration.commands import Command
from tonne.administration.state import State
from tonne.interfaces.views import log_view, obligation
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound, nearest
from tonne.interfaces.views.plain import plain
from tonne.interfaces.views.search import GROUPS, folded, search
from tonne.store import open_log
from tonne.store.desk import Desk

ADMIN = "administrator"


def load(system: str, scenario: str) -> Any:
    return tonne.rulebook(system, scenario or None)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Any]:
    """A log of forty entries: one in four refused, ten transfers a day."""
    with forty(tmp_path / "market.db") as desk:
        yield desk.log


def forty(where: Any) -> Desk:
    desk = Desk.open(where, load, "eu-ets")
    day = date(2019, 1, 1)
    desk.call(Command("found", "found", ADMIN, day, {"system": "eu-ets", "scenario": "", "first_year": 2019}))
    desk.call(Command("tom", "register_participant", ADMIN, day, {"participant": "tom", "name": "Tom", "role": "trader", "country": "XX"}))
    for account in ("a", "b"):
        desk.call(Command(f"open:{account}", "open_account", ADMIN, day, {"account": account, "kind": "trading", "holder": "tom"}))
    desk.call(Command("give", "open_balance", ADMIN, day, {"account": "a", "unit": "EUA", "quantity": 1_000, "source": "a test", "year": 2019}))
    for n in range(35):
        body = {"from": "a", "to": "b", "unit": "EUA", "quantity": 10**6 if n % 4 == 3 else 1, "person": "p-7"}
        desk.call(Command(f"move:{n}", "transfer", "tom", date(2019, 1, 2 + n // 10), body))
    return desk


def test_pages_from_the_end_hold_every_entry_once(stored: Any) -> None:
    lines, before = [], None
    while True:
        page = log_view.page(stored, before=before, limit=7)
        assert page.of == 40
        lines += page.lines
        before = page.older
        if before is None:
            break
    assert [line.sequence for line in lines] == list(range(40, 0, -1))
    entries = {entry.sequence: entry for entry in stored.read()}
    for line in lines:
        entry = entries[line.sequence]
        assert (line.command_id, line.kind, line.actor, line.day, line.outcome) == (
            entry.command_id, entry.kind, entry.actor, entry.day, entry.outcome,
        )  # fmt: skip
        assert (line.hash, line.previous) == (entry.hash.hex(), entry.previous.hex())


def test_filters_find_all_that_pass_and_go_on_where_they_stopped(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = log_view.page(stored, outcome="insufficient_balance")
    assert [line.command_id for line in refused.lines] == [f"move:{n}" for n in range(34, -1, -1) if n % 4 == 3]
    assert all(line.refused for line in refused.lines)
    assert [line.sequence for line in log_view.page(stored, actor=ADMIN, kind="open_account").lines] == [4, 3]
    assert log_view.page(stored, kind="no such verb").lines == () and log_view.page(stored, actor="a\0b").lines == ()
    monkeypatch.setattr(log_view, "REACH", 10)
    found, before = [], None
    while True:  # a page with a filter looks ten entries back and says where to go on
        page = log_view.page(stored, before=before, actor=ADMIN)
        found += [line.sequence for line in page.lines]
        before = page.older
        if before is None:
            break
    assert found == [5, 4, 3, 2, 1]


def test_the_first_page_does_not_read_what_entries_carry(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(*_: Any) -> Any:
        raise AssertionError("the log was walked through")

    monkeypatch.setattr(type(stored), "_rows", walk)
    assert len(log_view.page(stored, limit=5).lines) == 5


def test_one_entry_in_full(stored: Any) -> None:
    seen = log_view.entry(stored, 6)
    assert (seen.line.command_id, seen.person, seen.intact, seen.linked) == ("move:0", "p-7", True, True)
    assert seen.body["quantity"] == 1 and seen.events[0]["event"] == "moved"
    (table,) = [one for one in seen.tables if one.name == "transfers"]
    assert table.rows == 1 and table.first["quantity"].to_list() == [1]
    refused = log_view.entry_of(stored, "move:3")
    assert refused.line.refused and refused.events[0]["event"] == "refused" and refused.events[0]["reason"]
    for wrong in (0, 41, -3):
        with pytest.raises(NotFound):
            log_view.entry(stored, wrong)
    with pytest.raises(NotFound):
        log_view.entry_of(stored, "move:99")


def test_the_chain_of_a_range_and_a_changed_entry(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = log_view.verify_range(stored)
    assert (whole.first, whole.last, whole.checked, whole.faults, whole.complete) == (1, 40, 40, (), True)
    assert log_view.verify_range(stored, 10, 12).checked == 3
    monkeypatch.setattr(log_view, "CHECKED", 15)
    part = log_view.verify_range(stored)
    assert (part.last, part.complete, part.faults) == (15, False, ())
    with sqlite3.connect(stored.path) as raw:
        raw.execute("UPDATE log_entries SET actor = 'eve' WHERE sequence = 8")
    broken = log_view.verify_range(stored, 5, 12)
    assert [sequence for sequence, _ in broken.faults] == [8] and not broken.complete
    with sqlite3.connect(stored.path) as raw:
        raw.execute("DELETE FROM log_entries WHERE sequence = 11")
    assert [sequence for sequence, _ in log_view.verify_range(stored, 9, 14).faults] == [11]


def test_the_head_of_each_day(stored: Any) -> None:
    frame = log_view.heads(stored)
    last: dict[date, Any] = {}
    for entry in stored.read():
        if entry.outcome == "accepted":
            last[entry.day] = entry
    assert frame.rows() == [(day, last[day].sequence, last[day].hash.hex()) for day in sorted(last, reverse=True)]
    assert log_view.heads(stored, days=2).height == 2


def test_the_market_as_it_stood_on_a_day(stored: Any) -> None:
    seen = log_view.day_summary(stored, load, date(2019, 1, 2))
    moved = sum(1 for n in range(10) if n % 4 != 3)
    trading = next(row for row in seen.holdings if row["kind"] == "trading")
    assert (seen.entries, seen.of, trading["balance"], trading["accounts"]) == (15, 40, 1_000, 2)
    assert seen.last_entry_day == date(2019, 1, 2) and moved == 8
    assert log_view.day_summary(stored, load, date(2019, 1, 1)).notices[0]["what"] == "first_year"


def test_both_stores_give_the_same_pages(where: str) -> None:
    with forty(where) as desk:
        log = desk.log
        assert [line.sequence for line in log_view.page(log, limit=3).lines] == [40, 39, 38]
        assert log_view.page(log, before=6, limit=1, actor=ADMIN).lines[0].command_id == "give"
        entries = {entry.sequence: entry for entry in log.read()}
        assert all(bytes.fromhex(line.hash) == entries[line.sequence].hash for line in log_view.page(log).lines)
        assert log_view.page(log, limit=1).lines[0].bytes == sum(map(len, (entries[40].command, entries[40].events, entries[40].tables)))
        assert log_view.heads(log)["sequence"].to_list()[0] == 40 and log_view.heads(log).height == 5
        assert log_view.entry(log, 6).linked and log_view.verify_range(log).complete


def test_an_empty_log(tmp_path: Path) -> None:
    with open_log(tmp_path / "empty.db") as log:
        assert log_view.page(log).lines == () and log_view.page(log).older is None
        assert log_view.verify_range(log).checked == 0 and log_view.heads(log).height == 0
        with pytest.raises(NotFound):
            log_view.entry(log, 1)


# -- search


def test_the_box_finds_by_id_name_permit_and_account(ran: Any, cache: Cache) -> None:
    state, today = ran.outcome.state, date(2023, 9, 1)
    row = state.installations.frame.row(17, named=True)

    def found(text: str) -> dict[str, list[str]]:
        hits = search(text, today, state=state, cache=cache)
        assert set(hits.hits) <= set(GROUPS) and all(len(rows) <= 10 for rows in hits.hits.values())
        return {group: [hit.id for hit in rows] for group, rows in hits.hits.items()}

    assert found(row["installation"])["installations"] == [row["installation"]]
    assert row["installation"] in found(row["permit"].lower())["installations"]
    assert row["installation"] in found(row["account"])["installations"]
    assert row["installation"] in found(f"  {row['name'].upper()} ")["installations"]
    assert found(f"operator:{row['installation']}")["accounts"] == [f"operator:{row['installation']}"]
    assert "installations" in search("synthetic", today, state=state, cache=cache).more
    assert found("auction:2021:1")["auctions"][0] == "auction:2021:1"
    assert found("zzz no such thing") == found("  ") == found("%%%") == {}
    assert found("synthetic 000018")["installations"] == ["SY_000018"]


def test_chinese_is_found_as_it_is_written(cache: Cache) -> None:
    books = [tonne.rulebook(name) for name in tonne.systems()]
    label = BOOK.parameters["penalty.amount"].label
    for script in ("zh-Hans", "zh-Hant", "en"):
        hits = search(label[script][:8], date(2024, 1, 1), books=[BOOK], cache=cache)
        assert "penalty.amount" in {hit.id for hit in hits.hits["law"]}
    for book in books:
        hits = search(book.system.name["zh-Hans"], date(2024, 1, 1), books=books, groups=("systems",), cache=cache)
        assert book.system.id in {hit.id for hit in hits.hits["systems"]}
    desk = eu()
    frame = {"installation": ["CN-1"], "name": ["华能北京热电厂"], "operator": ["華能集團"]}
    desk.accept("register_installations", tables={"installations": frame})
    assert search("北京热电", date(2019, 1, 1), state=desk.state).hits["installations"][0].id == "CN-1"
    assert search("華能", date(2019, 1, 1), state=desk.state).hits["installations"][0].id == "CN-1"


BOOK = tonne.rulebook("eu-ets")


def test_accents_case_and_width_do_not_matter() -> None:
    assert folded("  Zürich   ＡＢＣ\tÉcole ") == "zurich abc ecole"
    assert folded("配額") == "配額"


def test_an_exact_id_comes_first_among_thousands() -> None:
    """More hits than are looked at by hand: the ranking is over all of them."""
    desk = Small(BOOK, "2019-01-01", 2019)
    names = [f"{n}-plant" for n in range(3_000)] + ["plant"]
    desk.send(desk.command("register_installations", tables={"installations": pl.DataFrame({"installation": names, "name": names})}))
    hits = search("plant", date(2019, 1, 1), state=desk.state, groups=("installations",))
    assert hits.hits["installations"][0].id == "plant" and hits.more == ("installations",)


def test_a_very_long_text_costs_no_more_than_a_short_one(ran: Any, cache: Cache) -> None:
    hits = search("a " * 100_000, date(2023, 9, 1), state=ran.outcome.state, cache=cache)
    assert all(len(rows) <= 10 for rows in hits.hits.values())


# -- plain values


@dataclass(frozen=True)
class Sample:
    zulu: Any
    alpha: Any


def test_a_view_becomes_json_with_its_own_order_of_fields() -> None:
    frame = pl.DataFrame({"b": [1, None], "a": [Decimal("1.50"), None]}, schema={"b": pl.Int64, "a": pl.Decimal(38, 2)})
    told = plain(Sample(frame, {2020: (Decimal("1E+3"), date(2020, 1, 2), True, None), "z": frozenset({2, 1})}))
    assert json.dumps(told) == json.dumps(
        {"zulu": [{"b": 1, "a": "1.50"}, {"b": None, "a": None}], "alpha": {"2020": ["1000", "2020-01-02", True, None], "z": [1, 2]}}
    )
    assert plain(Fraction(1, 3)) == "1/3" and plain(np.int64(2**62)) == 2**62 and type(plain(np.int64(1))) is int
    assert plain(datetime(2020, 1, 2, 3, tzinfo=UTC)) == "2020-01-02T03:00:00+00:00"
    assert plain(float("nan")) is None and plain(b"\x00\xff") == "00ff" and plain(np.bool_(True)) is True
    with pytest.raises(TypeError):
        plain(object())


def test_every_view_of_an_obligation_is_plain(market: Small) -> None:
    view = obligation.obligation(market.state, "alice", date(2020, 2, 1), price=Decimal("25.10"))
    text = json.dumps(plain(view))
    assert '"price": "25.10"' in text and json.loads(text)["periods"][0]["deadline"] == "2020-04-30"


# -- keeping


def test_a_kept_value_is_made_anew_when_what_it_depends_on_changes() -> None:
    cache, made = Cache(most=2), []
    frame, other = pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]})

    def get(name: str, *depends: Any) -> int:
        return cache.get(name, depends, lambda: made.append(name) or len(made))

    assert (get("x", frame, 1), get("x", frame, 1)) == (1, 1)
    assert get("x", other, 1) == 2  # equal, and not the same
    assert get("x", other, 2) == 3 and get("x", other, True) == 4
    get("y"), get("z")
    assert get("x", other, True) == 7  # it was the oldest of three, and two are kept


def test_readers_side_by_side_index_every_notice_once(ran: Any) -> None:
    """A state is looked at by several threads at once: what it indexes for itself stays whole."""
    state = ran.outcome.state
    fresh = State.from_bytes(state.to_bytes(), BOOK)
    more = [f"x{n}" for n in range(5_000)]
    fresh.accounts.add(more, ["trading"] * 5_000, more, [None] * 5_000)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    expected = (len(state.noticed("auction_result", None)), 1)
    assert expected[0] > 100
    try:
        for _ in range(20):
            fresh._by_kind, fresh._indexed, fresh.accounts._by_holder = {}, 0, None
            assert _looked_at_by(fresh, 8) == [expected] * 8
    finally:
        sys.setswitchinterval(before)


def _looked_at_by(state: State, readers: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    start = threading.Barrier(readers)

    def look() -> None:
        start.wait()
        days = [date.fromordinal(738_000 + n) for n in range(300)]
        if all(state.law(day).day == day for day in days):
            seen.append((len(state.noticed("auction_result", None)), len(state.accounts.of_holder("x4999"))))

    threads = [threading.Thread(target=look) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def test_the_nearest_names() -> None:
    names = [f"DE_{n}" for n in range(5_000)]
    assert nearest("DE_4711", names)[0] == "DE_4711" and "DE_471" in nearest("DE_47111", names)
    assert nearest("", names) == [] and nearest("xyz", []) == []
    lost = NotFound("account", "x", ["y"])
    assert str(lost) == "no account 'x'" and isinstance(lost, KeyError)
