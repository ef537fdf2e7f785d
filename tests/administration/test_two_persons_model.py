"""Steps of proposals in any order, by anybody, early and late, against a model in plain words that says what each is answered: nothing is approved
before it is proposed, run before it is approved, run twice, or spent twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from small_offices import office

PEOPLE = {"ann": "alice", "bea": "alice", "bob": "bob", "adam": "administrator", "mia": "administrator"}
PERSONS = st.sampled_from(["ann"] * 4 + ["bea"] * 6 + ["bob", "adam"])
ACCOUNTS = {"operator:A1": "alice", "alice-2": "alice", "operator:B1": "bob", "tom-1": "tom"}
TARGETS = st.sampled_from(["alice-2", "tom-1", "tom-1", "operator:B1"])
QUANTITIES = st.sampled_from([1, 1, 300, 400, 600, 600, 1_001])
MINUTES = st.sampled_from([1, 30, 90, 300, 300, 1440, 1440, 3000])
STEPS = (
    ["propose"] * 6 + ["approve"] * 9 + ["run"] * 5 + ["wait"] * 7 + ["trust"] * 3 + ["freeze", "freeze", "reject", "lapse", "take_back", "take_back"]
)
BEGIN = datetime.fromisoformat("2026-11-25T09:30:00+01:00")  # a Wednesday; December 2026 has no change of clocks


@dataclass
class Proposal:
    person: str
    participant: str
    target: str
    quantity: int
    made: datetime
    state: str = "awaiting_approval"
    approver: str = ""
    runs: datetime | None = None
    trusted: bool = False


def working_day_after(day: datetime, count: int) -> datetime:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def on(day: datetime, hour: int) -> datetime:
    return datetime.combine(day.date(), time(hour), tzinfo=day.tzinfo)


def runs(now: datetime, trusted: bool) -> datetime:
    """The law of 2026 in the test's own words."""
    working = now.weekday() < 5
    if trusted:
        if working and now <= on(now, 16):
            return max(now, on(now, 10))
        return on(working_day_after(now, 1), 10)
    start = now if working else on(working_day_after(now, 1), 10)
    return on(working_day_after(start, 1 if start < on(start, 12) else 2), 12)


class Twos(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = office()
        self.now = BEGIN
        self.made: dict[str, Proposal] = {}
        self.held = {"operator:A1": 1_000, "alice-2": 0, "operator:B1": 500, "tom-1": 0}
        self.trusted: dict[str, datetime] = {}
        self.frozen: set[str] = set()
        self.proposals_of_trust = 0

    def send(self, expected: str, verb: str, by: str, /, **body: Any) -> None:
        moment = {"day": self.now.date().isoformat(), "moment": self.now.isoformat()}
        command = self.desk.command(verb, by=by, **body, **moment)
        reply = self.desk.send(command)
        assert reply.outcome == expected, f"{verb} {body} at {self.now}: {reply.outcome}: {reply.reason}, not {expected}"
        assert self.desk.send(command).repeated

    @property
    def free(self) -> int:
        return self.held["operator:A1"] - sum(one.quantity for one in self.made.values() if one.state == "scheduled")

    def trusts(self, target: str) -> bool:
        return ACCOUNTS[target] == "alice" or (target in self.trusted and self.trusted[target] <= self.now)

    def pick(self, which: int, state: str) -> str:
        """Mostly a proposal in a state, sometimes any, or none."""
        fitting = [id for id, one in self.made.items() if one.state == state] if which > 1 else []
        known = fitting or list(self.made)
        return known[which % len(known)] if known and which else "p99"

    # -- steps: chosen by weight in one rule, so that a walk comes to the end of what it begins

    @rule(
        what=st.sampled_from(STEPS),
        person=PERSONS,
        which=st.integers(0, 11),
        to=TARGETS,
        quantity=QUANTITIES,
        minutes=MINUTES,
        rare=st.integers(0, 5),
    )
    def anything(self, what: str, person: str, which: int, to: str, quantity: int, minutes: int, rare: int) -> None:
        match what:
            case "wait":
                self.now += timedelta(minutes=minutes)
            case "propose":
                self.propose(person if rare == 0 else "ann", to, quantity)
            case "approve":
                self.approve(person, which, rare == 0)
            case "run":
                self.run("alice" if rare == 0 else "administrator" if rare == 1 else "law", which)
            case "reject":
                self.reject(person, which)
            case "take_back":
                self.take_back(person, which)
            case "trust":
                self.trust("tom-1" if which % 2 else "operator:B1", rare < 4)
            case "freeze":
                self.frost(which < 4)
            case "lapse":
                self.lapse(which)

    def propose(self, person: str, to: str, quantity: int) -> None:
        by, id = PEOPLE[person], f"p{len(self.made)}"
        if by != "alice":
            expected = "not_permitted"
        elif "operator:A1" in self.frozen:
            expected = "account_blocked"
        else:
            expected = "accepted" if quantity <= self.free else "insufficient_balance"
        if expected == "accepted":
            self.made[id] = Proposal(person, by, to, quantity, self.now)
        body = {"from": "operator:A1", "to": to, "unit": "EUA", "quantity": quantity}
        self.send(expected, "propose", by, id=id if expected == "accepted" else "", verb="transfer", body_=body, person=person)

    def side(self, person: str, id: str) -> str:
        if id not in self.made:
            return "unknown_proposal"
        return "" if PEOPLE[person] == self.made[id].participant else "not_permitted"

    def approve(self, person: str, which: int, lost: bool) -> None:
        id = self.pick(which, "awaiting_approval")
        one, wrong = self.made.get(id), self.side(person, id)
        if one is None or wrong:
            expected = wrong
        elif person == one.person:
            expected = "own_proposal"
        elif one.state != "awaiting_approval":
            expected = "proposal_closed"
        elif self.now > one.made + timedelta(days=2):
            expected = "proposal_expired"
        elif lost:
            expected = "right_removed"
        else:
            expected = self.carry_out(one, person)
        self.send(expected, "approve", PEOPLE[person], proposal=id, person=person, without_right=["ann", "bea"] if lost else [])

    def carry_out(self, one: Proposal, approver: str) -> str:
        if "operator:A1" in self.frozen:
            return "account_blocked"
        if one.quantity > self.free:
            return "insufficient_balance"
        one.approver, one.trusted = approver, self.trusts(one.target)
        one.runs = runs(self.now, one.trusted)
        if one.runs > self.now:
            one.state = "scheduled"
        else:
            one.state = "completed"
            self.move(one)
        return "accepted"

    def move(self, one: Proposal) -> None:
        self.held["operator:A1"] -= one.quantity
        self.held[one.target] += one.quantity

    def reject(self, person: str, which: int) -> None:
        id = self.pick(which, "awaiting_approval")
        expected = self.side(person, id)
        if not expected:
            expected = "accepted" if self.made[id].state == "awaiting_approval" else "proposal_closed"
        if expected == "accepted":
            self.made[id].state = "rejected"
        self.send(expected, "reject", PEOPLE[person], proposal=id, person=person, reason="no")

    def take_back(self, person: str, which: int) -> None:
        id = self.pick(which, "scheduled")
        authority, one = PEOPLE[person] == "administrator", self.made.get(id)
        wrong = "unknown_proposal" if one is None else "" if authority else self.side(person, id)
        if one is None or wrong:
            expected = wrong
        elif one.state not in ("awaiting_approval", "scheduled"):
            expected = "proposal_closed"
        elif one.runs is not None and not authority and self.now > one.runs - timedelta(hours=2):
            expected = "too_late"
        else:
            expected, one.state = "accepted", "cancelled"
        self.send(expected, "withdraw_proposal", PEOPLE[person], proposal=id, person=person)

    def run(self, by: str, which: int) -> None:
        id = self.pick(which, "scheduled")
        one = self.made.get(id)
        if by == "alice":
            expected = "not_permitted"
        elif one is None:
            expected = "unknown_proposal"
        elif one.state != "scheduled":
            expected = "proposal_closed"
        elif one.runs is not None and self.now < one.runs:
            expected = "not_due"
        else:
            expected = "accepted"
            holds = "operator:A1" not in self.frozen and (not one.trusted or self.trusts(one.target))
            one.state = "completed" if holds else "refused"
            if holds:
                self.move(one)
        self.send(expected, "run_scheduled", by, proposal=id)

    def lapse(self, which: int) -> None:
        id = self.pick(which, "awaiting_approval")
        one = self.made.get(id)
        if one is None:
            expected = "unknown_proposal"
        elif one.state != "awaiting_approval":
            expected = "proposal_closed"
        elif self.now <= one.made + timedelta(days=2):
            expected = "not_due"
        else:
            expected, one.state = "accepted", "expired"
        self.send(expected, "lapse", "law", proposal=id)

    def trust(self, other: str, known: bool) -> None:
        """Put on the list by two of alice's persons, taken off by a program of the authority."""
        if not known:
            expected = "accepted" if other in self.trusted else "nothing_to_do"
            self.trusted.pop(other, None)
            return self.send(expected, "distrust_account", "administrator", account="operator:A1", target=other)
        expected = "account_blocked" if "operator:A1" in self.frozen else "already_exists" if other in self.trusted else "accepted"
        if expected == "accepted":
            self.trusted[other] = on(working_day_after(self.now, 4), 12)
        self.proposals_of_trust += 1
        id = f"t{self.proposals_of_trust}"
        body = {"account": "operator:A1", "target": other}
        self.send(expected, "propose", "alice", id=id if expected == "accepted" else "", verb="trust_account", body_=body, person="ann")
        if expected == "accepted":
            self.send("accepted", "approve", "alice", proposal=id, person="bea")
            assert self.desk.state.trusted["operator:A1"][other]["from"] == self.trusted[other].isoformat()
        return None

    def frost(self, freeze: bool) -> None:
        verb, there = ("freeze", bool(self.frozen)) if freeze else ("unfreeze", not self.frozen)
        expected = ("nothing_to_do" if freeze else "unknown_freeze") if there else "accepted"
        self.frozen = {"operator:A1"} if freeze else set()
        self.send(expected, verb, "administrator", account="operator:A1", reason="r", person="adam")

    # -- always

    @invariant()
    def books_and_states_are_the_models(self) -> None:
        assert {account: self.desk.held(account) for account in self.held} == self.held
        number = self.desk.state.accounts.number("operator:A1")
        assert self.desk.state.books.available(number, self.desk.state.unit("EUA")) == self.free >= 0
        assert {id: proposal["state"] for id, proposal in self.desk.state.proposals.items() if id[0] == "p"} == {
            id: one.state for id, one in self.made.items()
        }

    def teardown(self) -> None:
        self.desk.check()


TestTwos = Twos.TestCase
TestTwos.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
