"""Files of sealed bids: what is read, and every way in which a row may be wrong."""

from __future__ import annotations

import gzip
from decimal import Decimal as D
from pathlib import Path

import polars as pl
import pytest

from tonne.formats.bids import read_bids, read_offers
from tonne.formats.faults import BadFile
from tonne.market.auction import AuctionRules

CENT = AuctionRules()
LOTS = AuctionRules(lot=500, min_bid=1000)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bids.csv"
    path.write_text(text, encoding="utf-8")
    return path


def reasons(path: Path, rules: AuctionRules) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(BadFile) as caught:
        read_bids(path, rules)
    return [(fault.row, fault.column, fault.reason) for fault in caught.value.faults]


def test_the_three_columns(tmp_path: Path) -> None:
    found = read_bids(written(tmp_path, "bidder,price,quantity\nB,50.00,4000\nA,40,3000\n\nB,30.5,2000\n"), CENT)
    assert found.bidders == ("B", "A")
    assert found.bids.bidder.tolist() == [0, 1, 0]
    assert found.bids.price.tolist() == [5000, 4000, 3050]
    assert found.bids.quantity.tolist() == [4000, 3000, 2000]
    assert not found.bids.non_competitive.any()
    assert found.lines.tolist() == [2, 3, 5]
    assert (found.kinds, found.limits, found.guarantees) == (None, None, None)


def test_what_else_a_file_may_say(tmp_path: Path) -> None:
    text = (
        "bidder,price,quantity,time,kind,guarantee,limit,non_competitive\n"
        "A,50,10,2026-03-04 11:00:02.5,compliance,1000.50,,no\n"
        "B,50,10,2026-03-04T11:00:01,,,700,\n"
        "A,49,10,2026-03-04 11:00:02.4,,1000.5,,false\n"
        "B,,10,2026-03-04 11:00:03,bank,,700,yes\n"
    )
    found = read_bids(written(tmp_path, text), CENT)
    assert found.lines.tolist() == [3, 4, 2, 5], "in the order of time"
    assert found.bidders == ("A", "B")
    assert found.bids.bidder.tolist() == [1, 0, 0, 1]
    assert found.bids.price.tolist() == [5000, 4900, 5000, 0]
    assert found.bids.non_competitive.tolist() == [False, False, False, True]
    assert found.kinds == ("compliance", "bank")
    assert found.limits is not None
    assert found.limits.tolist() == [-1, 700]
    assert found.guarantees is not None
    assert found.guarantees.tolist() == [100_050, -1]
    clock = read_bids(written(tmp_path, "bidder,price,quantity,time\nA,1,1,13:00:01\nB,1,1,9:59\n"), CENT)
    assert clock.lines.tolist() == [3, 2]


def test_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = "".join(f"{name},1,1,11:00:00\n" for name in "CABED")
    assert read_bids(written(tmp_path, "bidder,price,quantity,time\n" + rows), CENT).lines.tolist() == [2, 3, 4, 5, 6]


def test_every_bad_row_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "bidder,price,quantity\n"
        "A,50.005,4000\n"
        ",40.00,3000\n"
        "C,30.00,-2000\n"
        "D,21.00,5001\n"
        "E,x,5000\n"
        "F,,5000\n"
        "G,0,5000\n"
        "H,20,500\n"
        "I,20,0\n"
        "J,20,1.5\n"
        "K,-3,5000\n"
        "L,20,5000\n"
        "M,20,\n"
        "N,20\n"
        "O,20000000000,5000\n"
    )
    assert reasons(written(tmp_path, text), LOTS) == [
        (2, "price", "no multiple of the price step 0.01"),
        (3, "bidder", "empty, but needed"),
        (4, "quantity", "a bid is for more than zero units"),
        (5, "quantity", "an odd lot: no multiple of 500 units"),
        (6, "price", "not a number of at most six decimals"),
        (7, "price", "empty; only a non-competitive bid has no price"),
        (8, "price", "a price is more than zero"),
        (9, "quantity", "below the smallest bid of 1,000 units"),
        (10, "quantity", "a bid is for more than zero units"),
        (11, "quantity", "not a whole number of units; write it without separators and decimals"),
        (12, "price", "a price is more than zero"),
        (14, "quantity", "empty, but needed"),
        (15, None, "2 cells where the header has 3"),
        (16, "price", "above 1,000,000,000; is the unit right?"),
    ]


def test_a_bidder_has_one_guarantee_limit_and_kind(tmp_path: Path) -> None:
    text = "bidder,price,quantity,guarantee,limit,kind\nA,5,1,10.5,3,bank\nA,5,1,10.50,,\nA,5,1,11,4,fund\nB,5,1,11.005,-1,\nB,5,1,-2,x,\n"
    found = reasons(written(tmp_path, text), CENT)
    assert [(row, column) for row, column, _ in found] == [
        *((4, column) for column in ("guarantee", "kind", "limit")),
        *((row, column) for row in (5, 6) for column in ("guarantee", "limit")),
    ]
    assert found[0][2] == "A has another guarantee in an earlier row; a bidder has one"
    assert found[3][2] == "more than 2 decimals; the currency has no smaller coin"


def test_a_bid_without_a_price_says_so_and_has_none(tmp_path: Path) -> None:
    text = "bidder,price,quantity,non_competitive\nA,5,1,yes\nB,,1,no\nC,,1,perhaps\n"
    assert [(row, column) for row, column, _ in reasons(written(tmp_path, text), CENT)] == [
        (2, "price"),
        (3, "price"),
        (4, "non_competitive"),
        (4, "price"),
    ]


def test_times_that_are_none(tmp_path: Path) -> None:
    found = reasons(written(tmp_path, "bidder,price,quantity,time\nA,5,1,\nB,5,1,noon\nC,5,1,25:00:00\nD,5,1,11:00\n"), CENT)
    assert [(row, column) for row, column, _ in found] == [(2, "time"), (3, "time"), (4, "time")]


@pytest.mark.parametrize(
    ("step", "good", "bad"),
    [("50", "10300", "10325"), ("0.0025", "7.0025", "7.001"), ("0.01", "12.34", "12.345"), ("0.3", "0.9", "1"), ("0.00000025", "0.000001", "2.5e-7")],
)
def test_price_steps(tmp_path: Path, step: str, good: str, bad: str) -> None:
    rules = AuctionRules(price_step=D(step))
    assert read_bids(written(tmp_path, f"bidder,price,quantity\nA,{good},1\n"), rules).bids.price.tolist() == [rules.ticks(good)]
    assert [row for row, _, _ in reasons(written(tmp_path, f"bidder,price,quantity\nA,{good},1\nB,{bad},1\n"), rules)] == [3]


def test_money_of_a_currency_without_cents(tmp_path: Path) -> None:
    won = AuctionRules(price_step=D(50), decimals=0)
    found = read_bids(written(tmp_path, "bidder,price,quantity,guarantee\nA,50,1,1000\n"), won)
    assert found.guarantees is not None
    assert found.guarantees.tolist() == [1000]
    assert [row for row, _, _ in reasons(written(tmp_path, "bidder,price,quantity,guarantee\nA,50,1,1000.5\n"), won)] == [2]


def test_headers_and_files(tmp_path: Path) -> None:
    assert reasons(written(tmp_path, "bidder,price,quantity,price\nA,1,1,1\n"), CENT) == [(1, "price", "the header has this column twice")]
    assert reasons(written(tmp_path, "bidder,prize,quantity\nA,1,1\n"), CENT)[0][:2] == (1, "price")
    assert "the file is empty; a file of bids" in reasons(written(tmp_path, ""), CENT)[0][2]
    assert reasons(written(tmp_path, "bidder,price,quantity\n"), CENT)[0][2] == "the file has a header and no rows"
    with pytest.raises(BadFile) as caught:
        read_bids(written(tmp_path, "bidder,price,quantity\nA,1,-1\n"), CENT)
    assert "--skip-bad" not in str(caught.value), "no bid is left out of an auction"


@pytest.mark.parametrize(
    ("column", "ours"),
    [("limits", "limit"), ("Kind", "kind"), ("guarantees", "guarantee"), ("Non-Competitive", "non_competitive"), ("Price", "price")],
)
def test_a_column_that_is_nearly_one_of_ours_is_refused(tmp_path: Path, column: str, ours: str) -> None:
    found = reasons(written(tmp_path, f"bidder,price,quantity,{column}\nA,1,1,1\n"), CENT)
    assert [(row, name) for row, name, _ in found] == [(1, column)]
    assert f"did you mean `{ours}`?" in found[0][2]


def test_other_columns_are_named_and_not_read(tmp_path: Path) -> None:
    found = read_bids(written(tmp_path, "bidder,note,price,country,quantity,kind,kinds\nA,x,1,NZ,1,bank,y\n"), CENT)
    assert (found.ignored, found.kinds) == (("note", "country", "kinds"), ("bank",))
    assert read_bids(written(tmp_path, "bidder,price,quantity\nA,1,1\n"), CENT).ignored == ()
    mapped = read_bids(written(tmp_path, "who,price,quantity,kind,desk\nA,1,1,bank,x\n"), CENT, {"bidder": "who"})
    assert (mapped.bidders, mapped.kinds, mapped.ignored) == (("A",), ("bank",), ("desk",))
    with pytest.raises(ValueError, match="bids have no column 'firm'"):
        read_bids(written(tmp_path, "who,price,quantity\nA,1,1\n"), CENT, {"firm": "who"})


def test_money_with_a_comma(tmp_path: Path) -> None:
    found = reasons(written(tmp_path, 'bidder,price,quantity,guarantee\nA,"55,10",1,\nB,1,1,"1,000"\nC,x,1,\n'), CENT)
    comma = "use a point for decimals and no separators, as 1234.50"
    assert found == [(2, "price", comma), (3, "guarantee", comma), (4, "price", "not a number of at most six decimals")]


def test_a_mapping_gzip_and_parquet(tmp_path: Path) -> None:
    mapped = read_bids(written(tmp_path, "who;bid;units\nA;1.5;2\n"), CENT, {"bidder": "who", "price": "bid", "quantity": "units"})
    assert mapped.bids.price.tolist() == [150]
    zipped = tmp_path / "bids.csv.gz"
    zipped.write_bytes(gzip.compress(b"bidder,price,quantity\nA,1.5,2\n"))
    assert read_bids(zipped, CENT).bids.quantity.tolist() == [2]
    stored = tmp_path / "bids.parquet"
    pl.DataFrame({"bidder": ["A"], "price": ["1.5"], "quantity": [2]}).write_parquet(stored)
    assert read_bids(stored, CENT).bids.price.tolist() == [150]


def test_what_a_joint_auction_offers(tmp_path: Path) -> None:
    text = "jurisdiction,category,vintage,quantity\nhere,consigned,2016,15559000\nhere,state,2014,0\nthere,state,2016,10116952\n"
    found = read_offers(written(tmp_path, text))
    assert found.jurisdiction.tolist() == ["here", "here", "there"]
    assert found.category.tolist() == ["consigned", "state", "state"]
    assert found.vintage.tolist() == [2016, 2014, 2016]
    assert found.total == 25_675_952
    with pytest.raises(BadFile) as caught:
        read_offers(written(tmp_path, text + "here,state,2014,5\nhere,,16,-1\n"))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(5, "vintage"), (6, "category"), (6, "quantity"), (6, "vintage")]
