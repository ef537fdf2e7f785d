"""`tonne auction clear`: bids of a file, the law of a system and a day, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app

UK = "bidder,price,quantity,kind\nA,50.00,4000,compliance\nB,40.00,3000,compliance\nC,30.00,2000,bank\nD,21.00,5000,bank\n"


def call(*args: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["auction", "clear", *args])
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "bids.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def of_json(*args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call(*args, "--json").stdout)
    return found


def test_rules_and_reserve_come_from_the_law_of_the_day(tmp_path: Path) -> None:
    found = of_json(written(tmp_path, UK), "--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01")
    assert found["system"] == "uk-ets"
    assert found["rules"]["undersubscribed"] == "partial_at_lowest_bid"
    assert found["rules"]["lot"] == 500
    assert found["terms"]["reserve"] == "22.00"
    assert found["terms"]["sources"] == {"reserve": "the law"}
    sheet = found["sheet"]
    assert (sheet["outcome"], sheet["price"], sheet["sold"], sheet["unsold"]) == ("partial", "30.00", 9000, 1000)
    assert sheet["percent_won_by_compliance"] == "77.78"
    assert found["awards"][0] == {"bidder": "A", "bids": 1, "quantity": 4000, "counted": 4000, "award": 4000, "cost": "120000.00"}
    assert [bid["reason"] for bid in found["bids"]] == [None, None, None, "below_reserve"]


def test_the_secondary_price_and_a_reserve_of_ones_own(tmp_path: Path) -> None:
    file = written(tmp_path, UK)
    matched = of_json(file, "--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", "--secondary", "45")
    assert (matched["sheet"]["price"], matched["sheet"]["sold"]) == ("50.00", 4000)
    own = of_json(file, "--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", "--reserve", "35")
    assert (own["sheet"]["price"], own["sheet"]["sold"], own["terms"]["sources"]) == ("40.00", 7000, {"reserve": "given"})


def test_what_is_printed(tmp_path: Path) -> None:
    result = call(written(tmp_path, UK), "--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01")
    lines = result.stdout.splitlines()
    assert lines[0] == "PARTIAL (undersubscribed): uk-ets on 2024-05-01"
    assert lines[1] == "price 30.00 GBP, 9,000 sold, 1,000 unsold of 10,000 offered"
    assert lines[2] == "  reserve 22.00 GBP (the law)"
    for part in ("Awards", "120,000.00", "Bids that did not get all they asked for", "below the reserve", "Results sheet", "cover ratio", "0.90"):
        assert part in result.stdout
    assert all(len(line) <= 120 for line in lines)
    cancelled = call(written(tmp_path, UK), "--rules", "eu-ets", "--offered", "100000", "--on", "2024-05-01")
    assert cancelled.stdout.startswith("CANCELLED (undersubscribed): eu-ets")
    assert "Nothing was sold." in cancelled.stderr


def test_limits_and_containment_of_the_law(tmp_path: Path) -> None:
    text = "bidder,price,quantity\n" + "".join(f"B{number},13.50,6000000\n" for number in range(5)) + "B9,12.00,2000000\n"
    args = (written(tmp_path, text), "--rules", "rggi", "--offered", "23121000", "--on", "2021-12-01", "--withholding-left", "0")
    found = of_json(*args)
    assert found["terms"]["bid_limit"] == 5_780_250
    assert found["terms"]["containment"] == [{"trigger": "13.00", "units": 11_976_778}]
    assert [bid["counted"] for bid in found["bids"]] == [*[5_780_000] * 5, 2_000_000], "trimmed to whole lots of 1,000"
    assert {bid["reason"] for bid in found["bids"][:5]} == {"over_limit"}
    assert (found["sheet"]["price"], found["sheet"]["containment_sold"]) == ("13.00", 5 * 5_780_000 - 23_121_000)
    emptied = of_json(*args, "--containment-left", "1000")
    assert (emptied["sheet"]["price"], emptied["sheet"]["containment_sold"]) == ("13.50", 1000)


def test_equal_prices_by_time_of_entry(tmp_path: Path) -> None:
    rows = [(11000, (1000, 1500, 2500)), (10500, (1000, 2000)), (10300, (1000, 1000, 2000)), (10000, (1000, 2000))]
    bids = [(price, units) for price, all_units in rows for units in all_units]
    lines = [f"B{number},{price},{units},13:{number:02}:00" for number, (price, units) in enumerate(bids)]
    text = "bidder,price,quantity,time\n" + "\n".join(reversed(lines)) + "\n"
    found = of_json(written(tmp_path, text), "--rules", "k-ets", "--offered", "14000", "--on", "2020-01-08", "--reserve", "10000")
    awards = {bid["bidder"]: bid["award"] for bid in found["bids"]}
    assert found["terms"]["bid_limit"] == 2100, "15 % of the offer"
    assert found["bids"][0]["bidder"] == "B0"
    assert (awards["B2"], awards["B8"], awards["B9"]) == (2100, 1000, 1400), "B9 stands first in the file and came last"


def test_the_seed_draws_ties(tmp_path: Path) -> None:
    file = written(tmp_path, "bidder,price,quantity\n" + "".join(f"B{number},60,500\n" for number in range(6)))
    args = (file, "--rules", "eu-ets", "--offered", "500", "--on", "2024-05-01")
    winners = {of_json(*args, "--seed", str(seed))["awards"][0]["bidder"] for seed in range(8)}
    assert len(winners) > 2
    assert call(*args, "--seed", "7").stdout == call(*args, "--seed", "7").stdout


def test_a_joint_offer_sells_consigned_units_first(tmp_path: Path) -> None:
    offers = tmp_path / "offers.csv"
    offers.write_text("jurisdiction,category,vintage,quantity\nhere,state,2016,41999\nhere,consigned,2016,15559\nthere,state,2016,10117\n", "utf-8")
    file = written(tmp_path, "bidder,price,quantity\nA,30,4000\nB,31,3000\n")
    args = (file, "--rules", "california", "--offers", str(offers), "--on", "2024-05-01")
    found = of_json(*args)
    assert found["sheet"]["offered"] == 67_675
    assert [row["sold"] for row in found["offers"]] == [0, 5954, 1046]  # 7,000 x 10,117 / 67,675 = 1,046.46
    assert "Sold of what was offered" in call(*args).stdout
    assert "no place in the order of sale for gift" in _with_gift(offers, args)
    for wrong in ((file, "--rules", "california"), (*args, "--offered", "5")):
        assert "give the units on offer, or a file of them" in call(*wrong, code=2).stderr.replace("\n", " ")


def _with_gift(offers: Path, args: tuple[str, ...]) -> str:
    offers.write_text(offers.read_text("utf-8").replace("consigned", "gift"), "utf-8")
    said: str = call(*args, code=1).stderr
    return said


def test_bad_files_and_bad_options(tmp_path: Path) -> None:
    bad = written(tmp_path, "bidder,price,quantity\nA,50.005,4000\n,40,3000\nC,30,-2000\nD,21,5001\n")
    said = call(bad, "--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", code=1).stderr
    for part in (
        "line 2, column price",
        "line 3, column bidder",
        "line 4, column quantity",
        "line 5, column quantity: '5001': an odd lot",
        "4 faults in all",
    ):
        assert part in said
    good = written(tmp_path, UK)
    for args, code, part in (
        (("--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", "--reserve", "cheap"), 2, "is no price"),
        (("--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", "--reserve", "55,10"), 2, "use a point for decimals"),
        (("--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", "--ceiling", "20"), 1, "20.00 GBP lies below the reserve of 22.00 GBP"),
        (("--rules", "uk-ets", "--offered", "5,000"), 2, "write 5000"),
        (("--rules", "new-zealand", "--offered", "5000"), 1, "did you mean 'nz-ets'?"),
        (("--rules", "uk-ets", "--offered", "10000", "--on", "2024-05-01", "--reserve", "22.005"), 1, "reserve: price_off_tick: 22.005"),
        (("--rules", "uk-ets", "--offered", "-5"), 2, "offered"),
        (("--rules", "ontario-eps", "--offered", "5"), 1, "no `auction_format`"),
        (("--rules", "uk-ets", "--offered", "5", "--on", "2001-01-01"), 1, "2001-01-01"),
        (("--rules", "rggi", "--offered", "5", "--on", "2024-05-01", "--containment-left", "many"), 2, "write whole numbers"),
        (("--rules", "no-such", "--offered", "5"), 1, "no-such"),
    ):
        assert part in call(good, *args, code=code).stderr.replace("\n", " "), args
    assert "no such file" in call(str(tmp_path / "none.csv"), "--rules", "uk-ets", "--offered", "5", "--on", "2024-05-01", code=1).stderr.lower()


MIXED = "bidder,price,quantity,kind,comment\nAlpha,70,2000,bank,x\nalpha,60,1500,fund,\nGamma,57,1000,bank,\nDelta,57,1000,bank,\nEps,50,500,bank,\n"


def test_a_tie_the_losers_and_the_capped_are_told(tmp_path: Path) -> None:
    file = written(tmp_path, MIXED)
    args = (file, "--rules", "uk-ets", "--offered", "4000", "--on", "2024-05-01", "--ceiling", "65")
    found = of_json(*args)
    tie = {"price": "57.00", "bidders": ["Gamma", "Delta"], "bid_for": 2000, "awarded": 500, "by": "lot", "seed": 0}
    assert found["tie"] == tie
    assert [bid["reason"] for bid in found["bids"]] == [None, None, "tie", "tie", "below_the_price"]
    assert [bid["capped"] for bid in found["bids"]] == [True, False, False, False, False]
    lines = call(*args).stdout.splitlines()
    assert "tie at 57.00 GBP: Gamma and Delta, by lot (seed 0)" in lines
    assert "1 bid is capped at the ceiling: bid above 65.00 GBP, counted at it" in lines
    for bidder, why in (("Alpha", "capped at the ceiling"), ("Gamma", "tie"), ("Eps", "below the price")):
        assert any(f" {bidder} " in line and line.rstrip().endswith(why) for line in lines), bidder
    whole = of_json(file, "--rules", "uk-ets", "--offered", "5500", "--on", "2024-05-01")
    assert whole["tie"] is None, "both are served"
    last = written(tmp_path, "bidder,price,quantity\nA,60,1000\nB,50,1000\n")
    alone = of_json(last, "--rules", "uk-ets", "--offered", "1500", "--on", "2024-05-01")
    assert (alone["tie"], alone["bids"][1]["reason"]) == (None, "units_ran_out")
    equal = written(tmp_path, "bidder,price,quantity\n" + "".join(f"B{number},60,4000\n" for number in range(9)))
    shared = call(equal, "--rules", "california", "--offered", "16000", "--on", "2024-05-01").stdout.replace("\n", " ")
    assert "tie at 60.00 USD: B0, B1, B2, B3, B4, B5 and 3 more, pro rata" in shared
    nothing = of_json(file, "--rules", "eu-ets", "--offered", "100000", "--on", "2024-05-01")
    assert {bid["reason"] for bid in nothing["bids"]} == {"nothing_sold"}
    assert nothing["notes"][-1] == "Nothing was sold."


def test_a_tie_by_time(tmp_path: Path) -> None:
    file = written(tmp_path, "bidder,price,quantity,time\n" + "".join(f"B{number},10000,1000,10:{59 - number}\n" for number in range(8)))
    args = (file, "--rules", "k-ets", "--offered", "7000", "--on", "2020-01-08", "--reserve", "9000")
    found = of_json(*args)
    assert (found["tie"]["by"], found["tie"]["seed"]) == ("time", None)
    assert [bid["bidder"] for bid in found["bids"] if bid["award"] < 1000] == ["B0"], "it came last"
    assert ", B2 and 2 more, by time\n" in call(*args).stdout


def test_notes_of_the_file_and_the_offer(tmp_path: Path) -> None:
    args = (written(tmp_path, MIXED), "--rules", "uk-ets", "--offered", "4001", "--on", "2024-05-01")
    notes = [
        "Columns of the file that are not read: comment.",
        "'Alpha' and 'alpha' differ only in capitals; they count as 2 bidders.",
        "4,001 units on offer are no whole number of lots of 500: 1 unit fills no lot.",
        "No percentage for compliance: no bidder is of the kind compliance; the kinds are bank, fund (--compliance KIND).",
    ]
    result = call(*args, "--json")
    found = json.loads(result.stdout)
    assert found["notes"] == notes == result.stderr.splitlines()
    assert found["sheet"]["percent_won_by_compliance"] is None
    shown = call(*args).stdout
    assert [f"note: {note}" for note in notes] == [line for line in shown.splitlines() if line.startswith("note: ")]
    assert "percent won by compliance" not in shown
    assert of_json(*args, "--compliance", "bank,fund")["sheet"]["percent_won_by_compliance"] == "100.00"
    renamed = written(tmp_path, MIXED.replace("bidder", "who"))
    assert of_json(renamed, *args[1:], "--columns", "bidder=who")["awards"] == found["awards"]
    for columns, code, part in (("who", 2, "write OURS=THEIRS"), ("firm=who", 1, "no column 'firm'"), ("bidder=whom", 1, "this column is missing")):
        assert part in call(renamed, *args[1:], "--columns", columns, code=code).stderr.replace("\n", " ")
    for near, ours in (("Kind", "kind"), ("kinds", "kind")):
        said = call(written(tmp_path, MIXED.replace("kind", near)), *args[1:], code=1).stderr
        assert f"column {near}: did you mean `{ours}`?" in said


@pytest.mark.parametrize(("system", "why"), [("k-ets", "the law has a formula only"), ("hubei-pilot-ets", "the law has no figure for 2026-08-03")])
def test_an_unknown_reserve_is_no_absent_one(tmp_path: Path, system: str, why: str) -> None:
    args = (written(tmp_path, "bidder,price,quantity\nA,20000,1000\n"), "--rules", system, "--offered", "1000", "--on", "2026-08-03")
    assert f"reserve: NOT KNOWN ({why})" in call(*args).stdout
    assert any("reserve price" in note for note in of_json(*args)["notes"])
    given = call(*args, "--reserve", "10000").stdout
    assert "NOT KNOWN" not in given


def test_containment_of_unknown_size_and_what_is_left_by_tier(tmp_path: Path) -> None:
    args = (written(tmp_path, "bidder,price,quantity\nA,260,4000\nB,255,9000\n"), "--rules", "nz-ets", "--offered", "4000", "--on", "2026-08-03")
    found = of_json(*args)
    assert found["terms"]["containment"] == [{"trigger": "203.00", "units": None}, {"trigger": "254.00", "units": None}]
    assert found["sheet"]["containment_available"] is None
    assert sum("no size for the containment reserve" in note for note in found["notes"]) == 2
    shown = call(*args).stdout
    assert "containment size not known at 203.00 NZD, size not known at 254.00 NZD" in shown
    for given in (("--containment-left", "3000", "--containment-left", "1000"), ("--containment-left", "3000;1000")):
        by_tier = of_json(*args, *given)
        assert [tier["units"] for tier in by_tier["terms"]["containment"]] == [3000, 1000]
        assert (by_tier["sheet"]["containment_sold"], by_tier["notes"]) == (4000, [])
    for values, system, part in (
        (("3,000,000",), "nz-ets", "as 3000000"),
        (("3000",), "nz-ets", "1 value, and the law of 2026-08-03 has 2 tiers (at 203.00, 254.00)"),
        (("1;2;3",), "nz-ets", "3 values"),
        (("",), "nz-ets", "0 values"),
        (("3000",), "uk-ets", "has no tier"),
    ):
        options = [word for value in values for word in ("--containment-left", value)]
        said = call(args[0], "--rules", system, *args[3:], *options, code=2).stderr
        assert part in " ".join(said.split()), values


@pytest.mark.parametrize("system", ["california", "quebec", "washington", "rggi", "eu-ets", "nz-ets", "germany-nehs", "swiss-ets"])
def test_every_system_with_auctions_clears_some_bids(tmp_path: Path, system: str) -> None:
    file = written(tmp_path, "bidder,price,quantity\n" + "".join(f"B{number},62.00,10000\n" for number in range(40)))
    tiers = {"rggi": ("--containment-left", "0"), "nz-ets": ("--containment-left", "0;0")}.get(system, ())
    args = (file, "--rules", system, "--offered", "200000", "--on", "2026-08-03", "--withholding-left", "0", "--reserve", "60")
    found = of_json(*args, *tiers)
    assert (found["sheet"]["outcome"], found["sheet"]["price"]) == ("cleared", "62.00")
    assert found["sheet"]["sold"] == 200_000
    assert sum(one["award"] for one in found["awards"]) == found["sheet"]["sold"]
