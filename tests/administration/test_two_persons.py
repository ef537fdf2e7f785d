"""What one person proposes and another approves: carried out at once, reserved and run later, taken back, or ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from small_markets import Desk, emitted, eu
from small_offices import THURSDAY, TO_OWN, TO_TOM, WEDNESDAY, approved, at, available, office, proposed, state_of

import tonne
from tonne.administration.effect import INNER
from tonne.administration.handlers import HANDLERS
from tonne.administration.permissions import TWO_PERSONS
from tonne.administration.propose import due
from tonne.ledger import TransferFlag, transfers


@pytest.fixture
def desk() -> Iterator[Desk]:
    market = office()
    yield market
    market.check()


def test_what_may_be_proposed_is_what_its_own_handler_does() -> None:
    assert {verb: HANDLERS[verb] for verb in TWO_PERSONS} == INNER


YEAR = {"year": 2026}


# -- a transfer that waits


def test_a_transfer_is_proposed_approved_reserved_and_run(desk: Desk) -> None:
    effect = proposed(desk, "p", "transfer", TO_TOM | {"quantity": 600}, reason="sold")
    assert effect == {
        "moves": [TO_TOM | {"quantity": 600}],
        "count": 1,
        "changes": [],
        "trusted": False,
        "first": True,
        "at_once": False,
        "runs": "2026-11-26T12:00:00+01:00",
        "cancel_until": "2026-11-26T10:00:00+01:00",
        "trusted_from": None,
    }
    assert (state_of(desk, "p"), available(desk, "operator:A1")) == ("awaiting_approval", 1_000)
    reply = approved(desk, "p", when=at("11:59"))
    assert reply.events == (
        {
            "event": "proposal_scheduled",
            "proposal": "p",
            "person": "bea",
            "moment": "2026-11-25T11:59:00+01:00",
            "trusted": False,
            "runs": "2026-11-26T12:00:00+01:00",
            "cancel_until": "2026-11-26T10:00:00+01:00",
        },
    )
    assert (state_of(desk, "p"), desk.held("operator:A1"), available(desk, "operator:A1"), desk.held("tom-1")) == ("scheduled", 1_000, 400, 0)
    assert "runs at 2026-11-26T12:00:00+01:00" in desk.refuse("not_due", "run_scheduled", proposal="p", **at("11:59", THURSDAY))
    desk.accept("run_scheduled", by="law", proposal="p", **at("12:00", THURSDAY))
    assert (state_of(desk, "p"), desk.held("operator:A1"), available(desk, "operator:A1"), desk.held("tom-1")) == ("completed", 400, 400, 600)
    ended = desk.state.proposals["p"]
    assert (ended["approver"], ended["approved"], ended["closed"], ended["body"]) == (
        "bea",
        "2026-11-25T11:59:00+01:00",
        "2026-11-26T12:00:00+01:00",
        {},
    )
    assert desk.refuse("proposal_closed", "run_scheduled", by="law", proposal="p", **at("12:00", THURSDAY)) == "proposal 'p' is completed"


def test_the_delay_counts_from_the_approval(desk: Desk) -> None:
    assert proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1}, when=at("11:59"))["runs"] == "2026-11-26T12:00:00+01:00"
    assert approved(desk, "p", when=at("12:01")).events[0]["runs"] == "2026-11-27T12:00:00+01:00"


def test_an_older_delay_is_that_of_its_day() -> None:
    desk = eu(2019)
    moment = {"day": "2019-03-08", "moment": "2019-03-08T18:00:00+01:00"}
    assert proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1}, when=moment)["runs"] == "2019-03-12T12:00:00+01:00"
    assert proposed(desk, "q", "transfer", TO_TOM | {"quantity": 1}, when=moment)["cancel_until"] == "2019-03-12T12:00:00+01:00"
    desk.check()


def test_where_the_law_delays_nothing_it_is_done_with_the_approval() -> None:
    desk = Desk(tonne.rulebook("rggi"), "2024-01-01", 2024)
    for who in ("tom", "tia"):
        desk.accept("register_participant", participant=who, name=who, role="trader", country="")
        desk.accept("open_account", by=who, account=f"{who}-1", kind="trading")
    desk.accept("add_unit_type", code="X", kind="allowance", measure="short_ton", vintage=2023)
    desk.accept("open_balance", account="tom-1", unit="X", quantity=5, source="a test", year=2024)
    when = {"day": "2024-01-06", "moment": "2024-01-06T23:00:00-05:00"}
    effect = proposed(desk, "p", "transfer", {"from": "tom-1", "to": "tia-1", "unit": "X", "quantity": 5}, by="tom", when=when)
    assert (effect["at_once"], effect["runs"], effect["trusted"]) == (True, None, False)
    assert [event["event"] for event in approved(desk, "p", by="tom", when=when).events] == ["proposal_completed", "moved"]
    assert (desk.held("tia-1", "X"), state_of(desk, "p")) == (5, "completed")
    desk.check()


def test_own_accounts_trust_each_other_inside_the_window(desk: Desk) -> None:
    effect = proposed(desk, "p", "transfer", TO_OWN | {"quantity": 5})
    assert (effect["trusted"], effect["at_once"], effect["runs"]) == (True, True, None)
    approved(desk, "p")
    assert (state_of(desk, "p"), desk.held("alice-2")) == ("completed", 5)
    proposed(desk, "q", "transfer", TO_OWN | {"quantity": 5}, when=at("16:30"))
    assert approved(desk, "q", when=at("16:31")).events[0]["runs"] == "2026-11-26T10:00:00+01:00"
    assert proposed(desk, "r", "transfer", TO_OWN | {"quantity": 5}, when=at("16:32"))["first"] is False
    desk.accept("run_scheduled", proposal="q", **at("10:00", THURSDAY))
    assert desk.held("alice-2") == 10


def test_units_are_not_spent_twice(desk: Desk) -> None:
    for id in ("p", "q"):
        proposed(desk, id, "transfer", TO_TOM | {"quantity": 600})
    approved(desk, "p")
    reason = desk.refuse("insufficient_balance", "approve", by="alice", proposal="q", person="bea", **at("11:31"))
    assert reason.endswith("before this command it has 400") and state_of(desk, "q") == "awaiting_approval"
    body = {"verb": "transfer", "body": TO_OWN | {"quantity": 401}, "person": "ann"}
    reason = desk.refuse("insufficient_balance", "propose", by="alice", **body, **at("11:32"))
    assert reason == "account 'operator:A1' holds 1,000, of which 600 are set aside; 401 EUA are to leave it"
    desk.refuse("insufficient_balance", "transfer", from_="operator:A1", to="tom-1", unit="EUA", quantity=401)
    desk.accept("withdraw_proposal", by="alice", proposal="p", person="ann", **at("11:33"))
    approved(desk, "q", when=at("11:34"))
    assert available(desk, "operator:A1") == 400


def test_a_scheduled_transfer_is_taken_back_in_time(desk: Desk) -> None:
    for id in ("p", "q", "r"):
        proposed(desk, id, "transfer", TO_TOM | {"quantity": 300})
        approved(desk, id)
    desk.accept("withdraw_proposal", by="alice", proposal="p", person="cat", reason="a mistake", **at("10:00", THURSDAY))
    ended = desk.state.proposals["p"]
    assert (ended["state"], ended["closed_by"], ended["why"], available(desk, "operator:A1")) == ("cancelled", "cat", "a mistake", 400)
    late = at("10:01", THURSDAY)
    assert "until 2026-11-26T10:00:00+01:00" in desk.refuse("too_late", "withdraw_proposal", by="alice", proposal="q", person="ann", **late)
    assert "is not 'bob'" in desk.refuse("not_permitted", "withdraw_proposal", by="bob", proposal="q", person="ann", **late)
    desk.accept("withdraw_proposal", proposal="q", person="adam", reason="stolen", **late)
    assert available(desk, "operator:A1") == 700
    desk.refuse("proposal_closed", "withdraw_proposal", by="alice", proposal="p", person="ann", **late)
    desk.refuse("proposal_closed", "run_scheduled", proposal="q", **at("12:00", THURSDAY))
    desk.accept("run_scheduled", proposal="r", **at("12:00", THURSDAY))
    assert desk.held("tom-1") == 300


def test_nobody_lets_reserved_units_go_beside_the_proposal() -> None:
    """Not even a market without second persons: a row that posts or voids the reservation is refused."""
    desk = office(two_persons=False)
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 300})
    approved(desk, "p")
    pending = desk.state.books.transfer(desk.state.proposals["p"]["pending"])
    for flag in (TransferFlag.VOID, TransferFlag.POST):
        row = transfers(1)
        row["reference"], row["from_account"], row["to_account"] = pending.id, pending.from_account, pending.to_account
        row["flags"] = int(flag)
        for by in ("alice", "administrator"):
            assert "withdraw the proposal" in desk.refuse("not_permitted", "transfer", by, tables={"transfers": row})
    assert available(desk, "operator:A1") == 700
    desk.check()


# -- what must hold when it runs


def run(desk: Desk, id: str, **rest: Any) -> tuple[str, str]:
    desk.accept("run_scheduled", by="law", proposal=id, **at("12:00", THURSDAY), **rest)
    ended = desk.state.proposals[id]
    return ended["state"], ended.get("refusal", "")


@pytest.mark.parametrize(
    ("account", "flags", "name"),
    [
        ("operator:A1", ["BLOCKED"], "account_blocked"),
        ("operator:A1", ["ONE_WAY"], "account_one_way"),
        ("operator:A1", ["CLOSED"], "from_account_closed"),
        ("tom-1", ["CLOSED"], "to_account_closed"),
    ],
)
def test_an_account_that_was_blocked_in_between(desk: Desk, account: str, flags: list[str], name: str) -> None:
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 300})
    approved(desk, "p")
    desk.accept("set_account_flags", account=account, flags=flags)
    assert run(desk, "p") == ("refused", name)
    assert (available(desk, "operator:A1"), desk.held("tom-1")) == (1_000, 0)
    assert desk.state.proposals["p"]["why"]


def test_a_right_that_was_removed_in_between(desk: Desk) -> None:
    for id in ("p", "q", "r"):
        proposed(desk, id, "transfer", TO_TOM | {"quantity": 300})
    for id in ("p", "q"):
        approved(desk, id)
    refused = desk.refuse("right_removed", "approve", by="alice", proposal="r", person="bea", without_right=["ann", "zoe"], **at("11:31"))
    assert refused == "ann may no longer act for the participant"
    desk.refuse("malformed", "approve", by="alice", proposal="r", person="bea", without_right="ann", **at("11:31"))
    assert run(desk, "p", without_right=["bea"]) == ("refused", "right_removed")
    assert run(desk, "q", without_right=["zoe"]) == ("completed", "")
    assert (available(desk, "operator:A1"), desk.held("tom-1")) == (700, 300)


def test_a_target_that_left_the_list_in_between(desk: Desk) -> None:
    proposed(desk, "t", "trust_account", {"account": "operator:A1", "target": "tom-1"})
    approved(desk, "t")
    friday = at("17:00", "2026-12-04")
    assert proposed(desk, "p", "transfer", TO_TOM | {"quantity": 300}, when=friday)["trusted"] is True
    assert approved(desk, "p", when=friday).events[0]["runs"] == "2026-12-07T10:00:00+01:00"
    proposed(desk, "d", "distrust_account", {"account": "operator:A1", "target": "tom-1"}, when=at("18:00", "2026-12-04"))
    approved(desk, "d", when=at("18:01", "2026-12-04"))
    desk.accept("run_scheduled", proposal="p", **at("10:00", "2026-12-07"))
    assert (state_of(desk, "p"), desk.state.proposals["p"]["refusal"]) == ("refused", "no_longer_trusted")
    assert available(desk, "operator:A1") == 1_000


# -- who approves, and until when


def test_nobody_approves_what_they_proposed(desk: Desk) -> None:
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1})
    assert desk.refuse("own_proposal", "approve", by="alice", proposal="p", person="ann", **at("11:30")) == (
        "ann proposed this; another person approves it"
    )
    desk.refuse("not_permitted", "approve", by="bob", proposal="p", person="bea", **at("11:30"))
    desk.refuse("not_permitted", "approve", proposal="p", person="adam", **at("11:30"))
    desk.refuse("not_permitted", "approve", by="paula", proposal="p", person="bea", **at("11:30"))
    assert (
        desk.refuse("unknown_proposal", "approve", by="alice", proposal="x", person="bea", **at("11:30")) == "nothing was proposed under the id 'x'"
    )
    desk.refuse("unknown_proposal", "approve", by="alice", proposal="missing", person="bea", **at("11:30"))


def test_administrators_decide_about_what_administrators_proposed(desk: Desk) -> None:
    proposed(
        desk, "p", "amend", {"parameter": "penalty.amount", "from": "2027-01-01", "value": 5, "source": "a test"}, by="administrator", person="adam"
    )
    desk.refuse("own_proposal", "approve", by="mia", proposal="p", person="adam", **at("11:30"))
    assert desk.state.amendments == []
    approved(desk, "p", by="mia", person="mia")
    assert desk.state.amendments[0]["parameter"] == "penalty.amount"


def test_a_proposal_expires(desk: Desk) -> None:
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1}, when=at("11:00"))
    assert desk.state.proposals["p"]["expires"] == "2026-11-27T11:00:00+01:00"
    friday = "2026-11-27"
    desk.refuse("not_due", "lapse", proposal="p", **at("11:00", friday))
    assert due(desk.state, datetime.fromisoformat("2026-11-27T11:00:00+01:00")) == []
    reason = desk.refuse("proposal_expired", "approve", by="alice", proposal="p", person="bea", **at("11:01", friday))
    assert reason == "proposal 'p' could be approved until 2026-11-27T11:00:00+01:00; propose it again"
    assert due(desk.state, datetime.fromisoformat("2026-11-27T11:01:00+01:00")) == [("lapse", {"proposal": "p"})]
    desk.accept("lapse", by="law", proposal="p", **at("11:01", friday))
    assert state_of(desk, "p") == "expired"
    desk.refuse("proposal_closed", "lapse", by="law", proposal="p", **at("11:02", friday))
    desk.refuse("proposal_closed", "approve", by="alice", proposal="p", person="bea", **at("11:02", friday))
    proposed(desk, "q", "transfer", TO_TOM | {"quantity": 1}, when=at("12:00", friday))
    approved(desk, "q", when={"day": "2026-11-29", "moment": "2026-11-29T12:00:00+01:00"})


def test_how_long_it_waits_is_the_laws_where_it_says_so() -> None:
    desk = Desk(tonne.rulebook("california"), "2024-01-01", 2024)
    desk.accept("register_participant", participant="tom", name="Tom", role="trader", country="US")
    desk.accept("open_account", by="tom", account="tom-1", kind="trading")
    desk.accept("amend", parameter="registry.approval_days", **{"from": "2024-01-01"}, value=5, source="a test")
    desk.accept("deposit", account="tom-1", amount="10", currency="USD")
    when = {"day": "2024-01-02", "moment": "2024-01-02T15:04:00-08:00"}
    proposed(desk, "p", "withdraw", {"account": "tom-1", "amount": "10", "currency": "USD"}, by="tom", when=when)
    assert desk.state.proposals["p"]["expires"] == "2024-01-07T15:04:00-08:00"
    desk.check()


def test_a_rejected_proposal_is_over(desk: Desk) -> None:
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1})
    desk.refuse("malformed", "reject", by="alice", proposal="p", person="bea", **at("11:30"))
    desk.accept("reject", by="alice", proposal="p", person="bea", reason="wrong target", **at("11:30"))
    ended = desk.state.proposals["p"]
    assert (ended["state"], ended["closed_by"], ended["why"]) == ("rejected", "bea", "wrong target")
    for verb in ("approve", "reject", "withdraw_proposal"):
        desk.refuse("proposal_closed", verb, by="alice", proposal="p", person="bea", reason="r", **at("11:31"))


# -- moments


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "noon",
        "2026-11-25",
        "2026-11-25T11:00:00",
        "2026-11-25T25:00:00+01:00",
        "0001-01-01T00:00:00+14:00",
        "2026-11-23T11:00:00+01:00",
        11,
        None,
    ],
)
def test_a_moment_has_an_offset_and_is_of_the_day(desk: Desk, moment: Any) -> None:
    body = {"verb": "transfer", "body": TO_TOM | {"quantity": 1}, "person": "ann"}
    desk.refuse("malformed", "propose", by="alice", day=WEDNESDAY, moment=moment, **body)


def test_a_moment_may_be_written_in_any_zone(desk: Desk) -> None:
    when = {"day": WEDNESDAY, "moment": "2026-11-24T23:30:00-11:00"}
    assert proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1}, when=when)["runs"] == "2026-11-26T12:00:00+01:00"
    assert desk.state.proposals["p"]["moment"] == "2026-11-25T11:30:00+01:00"
    earlier = {"day": WEDNESDAY, "moment": "2026-11-25T10:29:59Z"}
    desk.refuse("clock_backwards", "approve", by="alice", proposal="p", person="bea", **earlier)


# -- what is refused when it is proposed


@pytest.mark.parametrize(
    ("name", "by", "words"),
    [
        ("malformed", "alice", {"verb": "orders", "body": {}}),
        ("malformed", "alice", {"verb": "transfer", "body": ["from"]}),
        ("malformed", "alice", {"verb": "transfer", "body": TO_TOM}),
        ("malformed", "alice", {"verb": "surrender", "body": YEAR, "tables_": {"surrenders": [1]}}),
        ("malformed", "alice", {"verb": "surrender", "body": YEAR, "tables_": {"surrenders": [{"installation": "A1", "quantity": [1]}]}}),
        ("malformed", "alice", {"verb": "surrender", "body": YEAR, "tables_": {"surrenders": [{"installation": "A1", "quantity": 2**63}]}}),
        ("malformed", "alice", {"verb": "surrender", "body": YEAR, "tables_": {"surrenders": [{"quantity": 1}, {"quantity": "1"}]}}),
        ("unknown_account", "alice", {"verb": "transfer", "body": TO_TOM | {"to": "nowhere", "quantity": 1}}),
        ("not_permitted", "alice", {"verb": "transfer", "body": TO_TOM | {"from": "operator:B1", "quantity": 1}}),
        ("not_permitted", "alice", {"verb": "amend", "body": {}}),
        ("not_permitted", "paula", {"verb": "transfer", "body": TO_TOM | {"quantity": 1}}),
        ("insufficient_balance", "alice", {"verb": "transfer", "body": TO_TOM | {"quantity": 1_001}}),
        ("same_account", "alice", {"verb": "transfer", "body": TO_TOM | {"to": "operator:A1", "quantity": 1}}),
        ("insufficient_balance", "alice", {"verb": "surrender", "body": YEAR, "tables_": {"surrenders": [{"installation": "A1", "quantity": 9999}]}}),
        ("not_eligible", "alice", {"verb": "cancel", "body": {"from": "operator:A1", "unit": "EUR", "quantity": 1, "reason": "r"}}),
    ],
)  # fmt: skip
def test_a_proposal_is_refused_by_what_would_refuse_it(desk: Desk, name: str, by: str, words: dict[str, Any]) -> None:
    desk.refuse(name, "propose", by=by, person="ann", **words, **at("11:00"))
    assert desk.state.proposals == {}


def test_a_blocked_account_is_said_to_be_when_it_is_proposed(desk: Desk) -> None:
    desk.accept("set_account_flags", account="operator:A1", flags=["BLOCKED"])
    body = {"verb": "transfer", "body": TO_TOM | {"quantity": 1}, "person": "ann"}
    desk.refuse("account_blocked", "propose", by="alice", **body, **at("11:00"))


# -- other verbs, through tables too


def test_units_are_surrendered_cancelled_and_money_withdrawn_by_two(desk: Desk) -> None:
    desk.accept("deposit", account="operator:A1", amount="50.00", currency="EUR")
    effect = proposed(desk, "s", "surrender", {"year": 2026}, rows={"surrenders": [{"installation": "A1", "quantity": 40}]})
    assert effect["moves"] == [{"from": "operator:A1", "to": "surrendered", "unit": "EUA", "quantity": 40}]
    assert (effect["at_once"], effect["trusted"], effect["first"]) == (True, None, None)
    proposed(desk, "c", "cancel", {"from": "operator:A1", "unit": "EUA", "quantity": 7, "reason": "a gift"})
    proposed(desk, "w", "withdraw", {"account": "operator:A1", "amount": "50.00", "currency": "EUR"})
    for id in "scw":
        approved(desk, id)
    assert (desk.held("surrendered"), desk.held("cancelled"), desk.held("operator:A1"), desk.held("operator:A1", "EUR")) == (40, 7, 953, 0)


def test_a_correction_and_a_closure_by_two_administrators(desk: Desk) -> None:
    emitted(desk, 2026, A1=100)
    correction = {"installation": "A1", "year": 2026, "verified": 90, "reason": "a slip"}
    effect = proposed(desk, "p", "correct_report", correction, by="administrator", person="adam")
    assert effect["changes"][0]["verified"] == 90
    proposed(desk, "q", "close_installation", {"installation": "B1", "year": 2026}, by="administrator", person="adam")
    for id in "pq":
        approved(desk, id, by="administrator", person="mia")
    assert desk.state.reports.frame["verified"].to_list() == [90]


def test_reports_and_deposits_may_be_by_two_as_well(desk: Desk) -> None:
    """Their tables come as rows, and stand in the log as those of the verb itself."""
    rows = {"installation": "A1", "year": 2026}
    proposed(desk, "p", "report", {}, rows={"reports": [rows | {"emissions": 70}]})
    approved(desk, "p")
    proposed(desk, "q", "verify", {}, by="vera", person="vic", rows={"reports": [rows | {"verified": 70}]})
    assert state_of(desk, "q") == "awaiting_approval" and desk.state.reports.frame["verified"].to_list() == [None]
    approved(desk, "q", by="vera", person="vlad")
    assert desk.state.reports.frame["verified"].to_list() == [70]
    for id in ("r", "s"):
        proposed(desk, id, "deposit", {"currency": "EUR"}, by="administrator", person="adam", rows={"deposits": [{"account": "tom-1", "minor": 5}]})
    approved(desk, "r", by="administrator")
    assert desk.held("tom-1", "EUR") == 5


# -- whether two are needed


MOVES: dict[str, dict[str, Any]] = {
    "transfer": TO_TOM | {"quantity": 1},
    "cancel": {"from": "operator:A1", "unit": "EUA", "quantity": 1, "reason": "r"},
    "withdraw": {"account": "operator:A1", "amount": "1", "currency": "EUR"},
    "surrender": {"year": 2026},
}


@pytest.mark.parametrize("verb", MOVES)
def test_in_such_a_market_holders_move_nothing_alone(desk: Desk, verb: str) -> None:
    tables = {"surrenders": {"installation": ["A1"], "quantity": [1]}} if verb == "surrender" else {}
    reason = desk.refuse("needs_second_person", verb, by="alice", tables=tables, **MOVES[verb])
    assert reason == f"{verb} is proposed by one person and approved by another: send `propose`, then `approve`"
    desk.refuse("needs_second_person", verb, by="administrator", tables=tables, person="adam", **MOVES[verb])


def test_rows_of_transfers_are_no_way_around(desk: Desk) -> None:
    row = transfers(1)
    row["from_account"], row["to_account"] = desk.state.accounts.number("operator:A1"), desk.state.accounts.number("tom-1")
    row["unit"], row["quantity"] = desk.state.unit("EUA"), 1
    desk.refuse("needs_second_person", "transfer", by="alice", tables={"transfers": row})


def test_in_other_markets_they_do_as_ever() -> None:
    desk = office(two_persons=False)
    desk.accept("transfer", by="alice", **{**TO_TOM, "from_": "operator:A1", "quantity": 1, "person": "ann"})
    assert desk.held("tom-1") == 1
    desk.refuse("needs_second_person", "trust_account", by="alice", account="operator:A1", target="tom-1", person="ann", **at("11:00"))
    desk.refuse("needs_second_person", "distrust_account", by="alice", account="operator:A1", target="tom-1")
    desk.accept("set_account_flags", account="tom-1", flags=["BLOCKED"], person="adam")
    desk.check()


def test_one_administrator_alone_changes_neither_law_nor_figures(desk: Desk) -> None:
    amendment = {"parameter": "penalty.amount", "from": "2027-01-01", "value": 5, "source": "a test"}
    desk.refuse("needs_second_person", "amend", person="adam", **amendment)
    desk.accept("amend", **amendment)  # a program of the authority names no person
    desk.accept("register_participant", participant="z", name="Z", role="trader", person="adam")


def test_whether_two_decide_is_said_at_the_founding() -> None:
    assert office().state.two_persons is True and office(two_persons=False).state.two_persons is False
    with pytest.raises(AssertionError, match=r"malformed: two_persons is true or false, not 'yes'"):
        office(two_persons="yes")


# -- once and for ever


def test_ids_are_used_once(desk: Desk) -> None:
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1})
    other = desk.command("propose", by="alice", id="p", verb="transfer", body=TO_TOM | {"quantity": 2}, person="ann", **at("11:00"))
    assert desk.send(other).outcome == "exists_with_different_content"
    approve = desk.command("approve", by="alice", id="a", proposal="p", person="bea", **at("11:30"))
    assert [(desk.send(approve).outcome, desk.send(approve).repeated) for _ in range(2)] == [("accepted", True)] * 2
    assert available(desk, "operator:A1") == 999


def test_a_market_without_persons_is_the_same_bytes_as_before() -> None:
    """The log of such a market has the same hash as one of a version that knew no persons, and its snapshots are read."""
    state = eu().state
    assert sorted(json.loads(state._parts()["head"])) == ["amendments", "done", "notices", "system", "today", "unit_codes"]


def test_the_order_of_proposals_is_not_in_the_hash() -> None:
    desk = office()
    for id in ("p", "q"):
        proposed(desk, id, "transfer", TO_TOM | {"quantity": 1})
    before = desk.state.hash()
    desk.state.proposals = dict(reversed(desk.state.proposals.items()))
    assert desk.state.hash() == before


def test_the_clock_is_told_what_fell_due(desk: Desk) -> None:
    for id, clock in (("late", "12:30"), ("soon", "12:31"), ("open", "12:32")):
        proposed(desk, id, "transfer", TO_TOM | {"quantity": 1}, when=at("11:00"))
        if id != "open":
            approved(desk, id, when=at("11:30" if id == "soon" else clock))
    noon = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
    assert due(desk.state, noon) == [("run_scheduled", {"proposal": "soon"})]
    later = datetime.fromisoformat("2026-11-27T12:00:00+01:00")
    assert due(desk.state, later) == [
        ("run_scheduled", {"proposal": "soon"}),
        ("lapse", {"proposal": "open"}),
        ("run_scheduled", {"proposal": "late"}),
    ]
