"""Lists of trusted accounts, and accounts that are frozen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from small_exchanges import exchange, say, send
from small_markets import Desk, eu
from small_offices import THURSDAY, TO_TOM, WEDNESDAY, approved, at, office, proposed, state_of

from tonne.administration.propose import due
from tonne.administration.trust import is_trusted
from tonne.ledger import AccountFlag

PAIR = {"account": "operator:A1", "target": "tom-1"}
#: A market's own words beside the proposal's.
WHO: dict[str, Any] = {"person": "adam"}


@pytest.fixture
def desk() -> Iterator[Desk]:
    market = office()
    yield market
    market.check()


def trusts(desk: Desk, moment: str, source: str = "operator:A1", target: str = "tom-1") -> bool:
    number = desk.state.accounts.number
    return is_trusted(desk.state, number(source), number(target), datetime.fromisoformat(moment))


# -- trusted accounts


def test_two_persons_put_an_account_on_the_list_and_it_counts_later(desk: Desk) -> None:
    effect = proposed(desk, "t", "trust_account", PAIR, when=at("11:30", THURSDAY))
    assert (effect["trusted_from"], effect["at_once"], effect["moves"]) == ("2026-12-02T12:00:00+01:00", True, [])
    assert desk.state.trusted == {}
    desk.refuse("own_proposal", "approve", by="alice", proposal="t", person="ann", **at("11:40", THURSDAY))
    approved(desk, "t", when=at("11:40", THURSDAY))
    assert desk.state.trusted == {
        "operator:A1": {"tom-1": {"from": "2026-12-02T12:00:00+01:00", "since": "2026-11-26T11:40:00+01:00", "person": "ann"}}
    }
    assert not trusts(desk, "2026-12-02T11:59:59+01:00") and trusts(desk, "2026-12-02T12:00:00+01:00")
    assert not trusts(desk, "2026-12-02T12:00:00+01:00", "operator:B1") and not trusts(desk, "2026-12-02T12:00:00+01:00", "tom-1", "operator:A1")
    before, after = at("11:59", "2026-12-02"), at("12:00", "2026-12-02")
    assert proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1}, when=before)["runs"] == "2026-12-03T12:00:00+01:00"
    assert proposed(desk, "q", "transfer", TO_TOM | {"quantity": 2}, when=after)["at_once"] is True
    approved(desk, "q", when=after)
    assert desk.held("tom-1") == 2


def test_the_day_shown_is_the_day_it_works_around_a_holiday(desk: Desk) -> None:
    """Thursday and Friday before Christmas; the 24th, 25th and the 1st are holidays of the holder's country, as an amendment says."""
    desk.accept("register_participant", participant="alice", name="Alice", role="operator", country="XX")
    days = ["2026-12-24", "2026-12-25", "2027-01-01"]
    desk.accept("amend", parameter="registry.public_holidays", from_=WEDNESDAY, value={"XX": days}, source="a test")
    for id, day, counts in (("t", "2026-12-17", "2026-12-23"), ("u", "2026-12-18", "2026-12-28")):
        pair = PAIR if id == "t" else PAIR | {"target": "operator:B1"}
        shown = proposed(desk, id, "trust_account", pair, when=at("15:00", day))["trusted_from"]
        approved(desk, id, when=at("15:01", day))
        assert shown == f"{counts}T12:00:00+01:00" == desk.state.trusted["operator:A1"][pair["target"]]["from"]
    eve = at("13:00", "2026-12-23")
    assert proposed(desk, "p", "transfer", TO_TOM | {"quantity": 1}, when=eve)["at_once"] is True
    other = TO_TOM | {"quantity": 1, "to": "operator:B1"}
    assert proposed(desk, "q", "transfer", other, when=eve)["runs"] == "2026-12-29T12:00:00+01:00"
    assert proposed(desk, "r", "transfer", other, when=at("12:00", "2026-12-28"))["at_once"] is True


def test_an_older_law_counts_to_the_same_hour() -> None:
    desk = eu(2019)
    moment = {"day": "2019-03-07", "moment": "2019-03-07T11:30:00+01:00"}
    assert proposed(desk, "t", "trust_account", PAIR, when=moment)["trusted_from"] == "2019-03-13T11:30:00+01:00"
    desk.check()


def test_an_account_leaves_the_list_at_once(desk: Desk) -> None:
    assert desk.refuse("nothing_to_do", "distrust_account", **PAIR) == "'tom-1' is not on the list of 'operator:A1'"
    for id, target in (("t", "tom-1"), ("u", "operator:B1")):
        proposed(desk, id, "trust_account", PAIR | {"target": target})
        approved(desk, id)
    proposed(desk, "d", "distrust_account", PAIR)
    assert desk.state.trusted["operator:A1"].keys() == {"tom-1", "operator:B1"}
    approved(desk, "d")
    assert desk.state.trusted["operator:A1"].keys() == {"operator:B1"}
    assert not trusts(desk, "2027-01-01T00:00:00+01:00")
    desk.accept("distrust_account", account="operator:A1", target="operator:B1")
    assert desk.state.trusted == {}


def test_what_cannot_be_put_on_the_list(desk: Desk) -> None:
    def refused(name: str, by: str = "alice", **body: str) -> str:
        return desk.refuse(name, "propose", by=by, verb="trust_account", body_={**PAIR, **body}, person="ann", **at("11:00"))

    assert refused("nothing_to_do", target="alice-2") == "'operator:A1' and 'alice-2' are of one holder and trust each other"
    refused("same_account", target="operator:A1")
    refused("unknown_account", target="nowhere")
    refused("not_permitted", target="surrendered")
    refused("not_permitted", by="bob")
    refused("not_permitted", by="vera")
    proposed(desk, "t", "trust_account", PAIR)
    proposed(desk, "u", "trust_account", PAIR)
    approved(desk, "t")
    assert "on the list of 'operator:A1' already" in refused("already_exists")
    desk.refuse("already_exists", "approve", by="alice", proposal="u", person="bea", **at("11:31"))
    desk.accept("freeze", account="operator:A1", reason="theft", **WHO, **at("11:40"))
    assert "blocked" in refused("account_blocked", target="operator:B1")


# -- freezes


def test_one_administrator_freezes_at_once_and_another_confirms(desk: Desk) -> None:
    desk.accept("set_account_flags", account="tom-1", flags=["ONE_WAY"])
    flags = desk.state.books.flags()[desk.state.accounts.number("tom-1")]
    desk.accept("freeze", account="tom-1", reason="a stolen password", **WHO, **at("11:00"))
    assert desk.state.freezes == {
        "tom-1": {
            "person": "adam",
            "moment": "2026-11-25T11:00:00+01:00",
            "reason": "a stolen password",
            "until": None,
            "confirm_by": "2026-11-26T11:00:00+01:00",
            "confirmed": None,
        }
    }
    assert desk.state.books.flags()[desk.state.accounts.number("tom-1")] == flags | AccountFlag.BLOCKED
    desk.refuse("nothing_to_do", "freeze", account="tom-1", reason="again", **WHO, **at("11:01"))
    assert "another administrator" in desk.refuse("own_proposal", "confirm_freeze", account="tom-1", **WHO, **at("11:02"))
    desk.refuse("not_permitted", "confirm_freeze", by="alice", account="tom-1", person="ann", **at("11:02"))
    desk.accept("confirm_freeze", by="mia", account="tom-1", person="mia", **at("11:00", THURSDAY))
    desk.refuse("nothing_to_do", "confirm_freeze", account="tom-1", person="mo", **at("11:00", THURSDAY))
    assert "until somebody lifts it" in desk.refuse("not_due", "lapse", account="tom-1", **at("11:01", THURSDAY))
    desk.accept("unfreeze", account="tom-1", reason="found", **WHO, **at("12:00", THURSDAY))
    assert (desk.state.freezes, desk.state.books.flags()[desk.state.accounts.number("tom-1")]) == ({}, flags)
    desk.refuse("unknown_freeze", "unfreeze", account="tom-1", reason="again", **WHO, **at("12:01", THURSDAY))
    desk.refuse("unknown_account", "unfreeze", account="nowhere", reason="again", **WHO, **at("12:01", THURSDAY))


def test_a_freeze_that_nobody_confirms_lapses(desk: Desk) -> None:
    desk.accept("freeze", account="tom-1", reason="r", **WHO, **at("11:00"))
    desk.refuse("not_due", "lapse", account="tom-1", **at("11:00", THURSDAY))
    reason = desk.refuse("proposal_expired", "confirm_freeze", account="tom-1", person="mia", **at("11:01", THURSDAY))
    assert reason == "the freeze of 'tom-1' could be confirmed until 2026-11-26T11:00:00+01:00; freeze it again"
    assert due(desk.state, datetime.fromisoformat("2026-11-26T11:00:00+01:00")) == []
    assert due(desk.state, datetime.fromisoformat("2026-11-26T11:01:00+01:00")) == [("lapse", {"account": "tom-1"})]
    desk.accept("lapse", by="law", account="tom-1", **at("11:01", THURSDAY))
    assert desk.state.freezes == {}
    desk.refuse("unknown_freeze", "lapse", by="law", account="tom-1", **at("11:02", THURSDAY))


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_freeze_ends_at_its_own_end(desk: Desk, confirmed: bool) -> None:
    desk.refuse("malformed", "freeze", account="tom-1", reason="r", until="2026-11-25T11:00:00+01:00", **WHO, **at("11:00"))
    desk.refuse("malformed", "freeze", account="tom-1", reason="r", until="Friday", **WHO, **at("11:00"))
    desk.accept("freeze", account="tom-1", reason="r", until="2026-11-25T17:00:00Z", **WHO, **at("11:00"))
    if confirmed:
        desk.accept("confirm_freeze", account="tom-1", person="mia", **at("12:00"))
    desk.refuse("not_due", "lapse", account="tom-1", **at("17:59"))
    assert due(desk.state, datetime.fromisoformat("2026-11-25T18:00:00+01:00")) == [("lapse", {"account": "tom-1"})]
    desk.accept("lapse", account="tom-1", **at("18:00"))
    assert desk.state.freezes == {}


def test_a_frozen_account_moves_nothing_and_its_scheduled_transfers_end(desk: Desk) -> None:
    proposed(desk, "p", "transfer", TO_TOM | {"quantity": 300})
    approved(desk, "p")
    proposed(desk, "q", "cancel", {"from": "operator:A1", "unit": "EUA", "quantity": 1, "reason": "r"})
    desk.accept("freeze", account="operator:A1", reason="r", **WHO, **at("12:00"))
    desk.refuse("account_blocked", "approve", by="alice", proposal="q", person="bea", **at("12:01"))
    desk.accept("run_scheduled", proposal="p", **at("12:00", THURSDAY))
    assert (state_of(desk, "p"), desk.state.proposals["p"]["refusal"], desk.held("operator:A1")) == ("refused", "account_blocked", 1_000)


def test_a_freeze_is_lifted_by_its_own_verb_only(desk: Desk) -> None:
    desk.accept("freeze", account="tom-1", reason="r", **WHO, **at("12:00"))
    assert "`unfreeze`" in desk.refuse("account_frozen", "set_account_flags", account="tom-1", flags=[])
    desk.accept("set_account_flags", account="tom-1", flags=["BLOCKED", "ONE_WAY"])
    desk.accept("unfreeze", account="tom-1", reason="r", **WHO, **at("12:01"))
    assert desk.state.books.flags()[desk.state.accounts.number("tom-1")] & (AccountFlag.BLOCKED | AccountFlag.ONE_WAY) == AccountFlag.ONE_WAY


def test_what_cannot_be_frozen(desk: Desk) -> None:
    desk.refuse("not_eligible", "freeze", account="auction", reason="r", **WHO, **at("12:00"))
    desk.refuse("not_permitted", "freeze", by="alice", account="tom-1", reason="r", **WHO, **at("12:00"))
    desk.refuse("malformed", "freeze", account="tom-1", **WHO, **at("12:00"))
    desk.accept("set_account_flags", account="tom-1", flags=["BLOCKED"])
    assert desk.refuse("nothing_to_do", "freeze", account="tom-1", reason="r", **WHO, **at("12:00")) == "account 'tom-1' is blocked already"


def test_orders_are_taken_out_before_an_account_is_frozen() -> None:
    """And what a scheduled transfer reserves stands behind no order."""
    desk = exchange(people=("anna", "ben"), units=1_000)
    when = {"day": "2026-03-02", "moment": "2026-03-02T11:00:00+01:00"}
    proposed(desk, "p", "transfer", {"from": "t:anna", "to": "t:ben", "unit": "EUA", "quantity": 600}, by="anna", when=when)
    approved(desk, "p", by="anna", when=when)
    order = {"instrument": "spot", "side": "sell", "price": "80.00"}
    desk.refuse("no_cover", "orders", by="anna", orders=[say("anna", order=1, quantity=401, **order)])
    send(desk, say("anna", order=2, quantity=400, **order))
    desk.refuse("orders_open", "freeze", account="t:anna", reason="r", person="adam", **when)
    send(desk, say("anna", "kill"))
    desk.accept("freeze", account="t:anna", reason="r", person="adam", **when)
    desk.accept("run_scheduled", proposal="p", day="2026-03-03", moment="2026-03-03T12:00:00+01:00")
    assert (state_of(desk, "p"), desk.state.proposals["p"]["refusal"]) == ("refused", "account_blocked")
    desk.check()
