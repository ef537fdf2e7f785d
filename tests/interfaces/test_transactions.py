"""Another registry's transaction blocks go through the ledger in time order: each posts or is refused by name, and twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest

import tonne
from tonne.interfaces.transactions import import_transactions

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "eu_ets" / "transaction_blocks_2005_2012.csv.gz"

HEAD = "block_id,transaction_id,timestamp,type_main,type_supplementary,transferring_account,acquiring_account,unit_type,project_id,amount\n"
ROWS = """\
4,T2,2006-03-02 10:00:00.000,10,2,7,8,EUA2005,,60
2,T1,2006-02-01 09:00:00.000,10,52,7,7,EUA2005,,100
9,T3,2006-04-01 09:00:00.000,10,0,8,9,CER,116,5
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "blocks.csv"
    path.write_text(HEAD + ROWS, encoding="utf-8")
    return path


def test_blocks_post_in_the_order_in_which_they_happened(small: Path, tmp_path: Path) -> None:
    with tonne.open_market(tmp_path / "m.db", "eu-ets") as desk:
        found = import_transactions(desk, small)
        state = desk.administration.state
        assert found.results == {"posted": 3}
        assert found.brought_forward == {"CER-116": 5}
        assert state.books.balance(state.accounts.number("log-7"), state.unit("EUA2005")) == 40
        assert state.books.balance(state.accounts.number("log-8"), state.unit("EUA2005")) == 60
        assert state.books.balance(state.accounts.number("log-9"), state.unit("CER-116")) == 5


def test_without_openings_what_the_file_does_not_show_is_refused_by_name(small: Path, tmp_path: Path) -> None:
    with tonne.open_market(tmp_path / "m.db", "eu-ets") as desk:
        found = import_transactions(desk, small, bring_forward=False)
        assert found.results == {"posted": 2, "insufficient_balance": 1}
        assert found.refused is not None and found.refused["number"].to_list() == [9]


def test_a_second_import_changes_nothing_whatever_the_batches(small: Path, tmp_path: Path) -> None:
    with tonne.open_market(tmp_path / "m.db", "eu-ets") as desk:
        import_transactions(desk, small)
        before, sequence = desk.administration.state.hash(), desk.administration.sequence
        again = import_transactions(desk, small)
        assert again.results == {"exists": 3}
        assert (desk.administration.state.hash(), desk.administration.sequence) == (before, sequence)
        import_transactions(desk, small, batch=2)
        books = desk.administration.state.books
        assert len(books.transfers) == 4  # three blocks and one opening


def test_the_13_219_real_blocks(tmp_path: Path) -> None:
    if not REAL.is_file():
        pytest.skip(f"the real blocks are not at {REAL}")
    with tonne.open_market(tmp_path / "m.db", "eu-ets") as desk:
        found = import_transactions(desk, REAL)
        assert (found.blocks, found.results, found.posted, found.batches) == (13_219, {"posted": 13_219}, 13_219, 402)
        assert sum(found.brought_forward.values()) == 1_103_208_675
        before = desk.administration.state.hash()
        assert import_transactions(desk, REAL).results == {"exists": 13_219}
        assert desk.administration.state.hash() == before
        desk.administration.state.books.check()
    with tonne.open_market(tmp_path / "strict.db", "eu-ets") as desk:
        strict = import_transactions(desk, REAL, bring_forward=False)
        # Only the blocks in which units come into being stand on their own: the file shows none of the holdings before it begins.
        assert strict.results == {"posted": 163, "insufficient_balance": 13_056}
        desk.administration.state.books.check()
    with tonne.open_market(tmp_path / "m.db") as desk:
        assert desk.administration.state.hash() == before
