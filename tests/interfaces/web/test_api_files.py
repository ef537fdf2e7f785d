"""Files of many rows: all or none, every fault with its line, nothing that is not what it says."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from api_market import SYSTEM, Api, api

M = f"/{SYSTEM}"
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with api(tmp_path_factory.mktemp("files")) as found:
        yield found


def send(there: Api, path: str, data: bytes | str, persona: str, kind: str = CSV, key: str = "") -> Any:
    return there.post(f"{M}{path}", None, persona, key, content=data.encode() if isinstance(data, str) else data, headers={"content-type": kind})


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


def test_reports_are_filed_verified_and_seen(there: Api) -> None:
    answer = send(there, "/reports/bulk", "installation,year,emissions\nmill-1,2025,1200\nmill-2,2025,0\n", "mill", key="reports-of-mill")
    assert answer.json()["outcome"] == "accepted", answer.text
    again = send(there, "/reports/bulk", "installation,year,emissions\nmill-1,2025,1200\nmill-2,2025,0\n", "mill", key="reports-of-mill")
    assert again.json()["repeated"] is True
    rows = there.get(f"{M}/reports/2025", "mill").json()["rows"]
    assert {row["installation"]: row["reported"] for row in rows} == {"mill-1": 1200, "mill-2": 0}
    assert {row["installation"] for row in there.get(f"{M}/inbox", "vera").json()["rows"]} == {"mill-1", "mill-2"}
    data = parquet(installation=["mill-1", "mill-2"], year=[2025, 2025], verified=[1200, None], state=["verified", "rejected"])
    assert send(there, "/verifications/bulk", data, "vera", PARQUET).json()["outcome"] == "accepted"
    states = {row["installation"]: row["state"] for row in there.get(f"{M}/reports/2025", "mill").json()["rows"]}
    assert states == {"mill-1": "verified", "mill-2": "rejected"}


def test_every_fault_is_told_with_its_line_and_nothing_is_taken(there: Api) -> None:
    before = there.world.hall.sequence
    data = "installation,year,emissions\nforge-1,2025,1.5\nforge-2,1805,10\n,2025,7\nforge-2,2025,-3\nforge-1,2025,１２\n"
    answer = send(there, "/reports/bulk", data, "forge")
    assert (answer.status_code, answer.json()["name"]) == (422, "malformed")
    found = [(one["row"], one["column"]) for one in answer.json()["faults"]]
    assert found == [(2, "emissions"), (3, "year"), (4, "installation"), (5, "emissions"), (6, "emissions")]
    assert there.world.hall.sequence == before


def test_rows_of_others_and_rows_that_come_twice(there: Api) -> None:
    answer = send(there, "/reports/bulk", "installation,year,emissions\nforge-1,2025,5\nmill-1,2025,5\nforge-1,2025,6\n", "forge")
    assert [(one["row"], one["reason"]) for one in answer.json()["faults"]] == [
        (3, "none of yours"),
        (4, "forge-1 2025 stands in row 1 of the rows already"),
    ]


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"%PDF-1.7", CSV, 422),
        (b"PK\x03\x04zip", CSV, 422),
        (b"\x00\x01", CSV, 415),
        (gzip.compress(b"installation,year,emissions\n" * 100_000), CSV, 415),
        (b"installation,year,emissions\n", CSV, 422),
        (b"", CSV, 422),
        (b"PAR1 and no more", PARQUET, 415),
        (b"installation,year,emissions\nforge-1,2025,1\n", PARQUET, 415),
        (b"installation,year,emissions\nforge-1,2025,1\n", "application/pdf", 415),
        (b"installation,year,emissions,owner_id\nforge-1,2025,1,me\n", CSV, 422),
        (b"\xff\xfei\x00", CSV, 415),
        (b"installation,year,emissions\n" + b"a,2025,1\n" * 200_002, CSV, 413),
    ],
)
def test_what_is_no_such_file(there: Api, data: bytes, kind: str, status: int) -> None:
    answer = send(there, "/reports/bulk", data, "forge", kind)
    assert answer.status_code == status, answer.text


def test_what_is_too_large_is_refused_before_it_is_read(there: Api) -> None:
    assert send(there, "/reports/bulk", b"x" * 21_000_000, "forge").status_code == 413
    assert there.post(f"{M}/orders", {"orders": [], "pad": "x" * 1_100_000}, "anna").status_code == 413


def test_bids_from_a_file_replace_and_are_withdrawn(there: Api) -> None:
    answer = send(there, "/bids/first/bulk", "account,price,quantity\nanna,80.00,500\nanna,79.00,1000\n", "anna")
    assert answer.json()["outcome"] == "accepted", answer.text
    own = there.get(f"{M}/bids/first", "anna").json()
    assert [(one["price"], one["quantity"]) for one in own["bids"]] == [("80.00", 500), ("79.00", 1000)]
    assert there.get(f"{M}/bids/first", "ben").json()["bids"] == []
    one = there.post(f"{M}/bids/first", {"bids": [{"account": "anna", "price": "81.00", "quantity": 500}]}, "anna")
    assert one.status_code == 200
    assert there.get(f"{M}/bids/first", "anna").json()["quantity"] == 500
    assert there.post(f"{M}/bids/first/withdraw", {"account": "anna"}, "anna").status_code == 200
    assert there.get(f"{M}/bids/first", "anna").json()["bids"] == []


def test_transfers_from_a_file_are_proposed_all_or_none(there: Api) -> None:
    before = len(there.get(f"{M}/tasks", "anna").json()["rows"])
    bad = send(
        there, "/transfers/bulk", "from,to,unit,quantity\nanna,ben,EUA,600000\nanna,ben,EUA,600000\nben,anna,EUA,1\nanna,nobody,EUA,1\n", "anna"
    )
    assert bad.status_code == 422
    assert [one["row"] for one in bad.json()["faults"]] == [3, 4, 5]
    assert "insufficient_balance" in bad.json()["faults"][0]["reason"]
    assert len(there.get(f"{M}/tasks", "anna").json()["rows"]) == before
    text = "from,to,unit,quantity\nanna,ben,EUA,10\nanna,ben,EUA,20\n"
    good = send(there, "/transfers/bulk", text, "anna", key="two-transfers")
    assert good.json()["count"] == 2
    assert send(there, "/transfers/bulk", text, "anna", key="two-transfers").json() == good.json()
    for proposal in good.json()["proposals"]:
        assert there.post(f"{M}/tasks/{proposal}/approve", {}, "anna2").json()["outcome"] == "accepted"
