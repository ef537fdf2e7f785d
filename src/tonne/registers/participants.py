"""Who takes part: operators, verifiers, traders, auctioneers, venues, banks, the administrator, the public."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from tonne.registers.errors import RegisterError

if TYPE_CHECKING:
    from tonne.registers.installations import Installations

ROLES = ("administrator", "operator", "verifier", "trader", "auctioneer", "venue", "bank", "public")


@dataclass(frozen=True, slots=True)
class Participant:
    """One who may act. `country` is the code of where they are established, or None."""

    id: str
    name: str
    role: str
    country: str | None = None

    def __post_init__(self) -> None:
        if not self.id or self.id != self.id.strip() or not self.id.isprintable():
            raise RegisterError(f"participants: an id is a word without blanks around it and without signs that cannot be seen, not {self.id!r}")
        if not self.name.strip():
            raise RegisterError(f"participants: {self.id!r} has no name")
        if self.role not in ROLES:
            raise RegisterError(f"participants: {self.id!r} has the role {self.role!r}; the roles are {', '.join(ROLES)}")


@dataclass(frozen=True, slots=True)
class Operator(Participant):
    """A participant that answers for installations (their keys)."""

    installations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Named, not super(): a slotted dataclass is a new class, and the empty super() would still look at the old one.
        Participant.__post_init__(self)
        if self.role != "operator":
            raise RegisterError(f"participants: {self.id!r} has installations, so its role is operator, not {self.role!r}")
        if len(set(self.installations)) != len(self.installations):
            raise RegisterError(f"participants: {self.id!r} names an installation twice")


class Participants(Mapping[str, Participant]):
    """Participants by id, in the order of their ids. Never changed: every change is a new one.

    Raises `RegisterError` if an id comes twice or an installation has two operators.
    """

    def __init__(self, members: Iterable[Participant] = ()) -> None:
        found: dict[str, Participant] = {}
        operators: dict[str, str] = {}
        for member in members:
            if member.id in found:
                raise RegisterError(f"participants: the id {member.id!r} comes twice")
            found[member.id] = member
            for installation in member.installations if isinstance(member, Operator) else ():
                other = operators.setdefault(installation, member.id)
                if other != member.id:
                    raise RegisterError(f"participants: installation {installation!r} has two operators, {other!r} and {member.id!r}")
        self._members = MappingProxyType(dict(sorted(found.items())))
        self._operators = MappingProxyType(operators)

    def __getitem__(self, key: str) -> Participant:
        return self._members[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"Participants({len(self)})"

    def __hash__(self) -> int:
        return hash(tuple(self._members.values()))

    def lookup(self, participant: str) -> Participant:
        """One participant; `RegisterError` if there is none with this id."""
        found = self._members.get(participant)
        if found is None:
            raise RegisterError(f"participants: {participant!r} is not registered")
        return found

    def with_role(self, role: str) -> tuple[Participant, ...]:
        """All that have the role, by id."""
        if role not in ROLES:
            raise RegisterError(f"participants: no role {role!r}; the roles are {', '.join(ROLES)}")
        return self._by_role.get(role, ())

    @cached_property
    def _by_role(self) -> dict[str, tuple[Participant, ...]]:
        found: dict[str, list[Participant]] = {}
        for member in self._members.values():
            found.setdefault(member.role, []).append(member)
        return {role: tuple(members) for role, members in found.items()}

    def operator_of(self, installation: str) -> Participant:
        """The operator that answers for the installation; `RegisterError` if nobody does."""
        found = self._operators.get(installation)
        if found is None:
            raise RegisterError(f"participants: nobody answers for installation {installation!r}")
        return self._members[found]

    def add(self, *members: Participant) -> Participants:
        """With more participants; `RegisterError` if an id is there already."""
        return Participants([*self._members.values(), *members])

    def replace(self, member: Participant) -> Participants:
        """With the participant of the same id exchanged (a new name, another installation)."""
        self.lookup(member.id)
        return Participants([*(other for other in self._members.values() if other.id != member.id), member])

    def to_bytes(self) -> bytes:
        """JSON, sorted: equal registers give equal bytes."""
        rows = [{key: value for key, value in asdict(member).items() if value not in (None, ())} for member in self._members.values()]
        return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Participants:
        try:
            rows = json.loads(data)
            return cls(_member(row) for row in rows)
        except (ValueError, TypeError, AttributeError) as error:
            raise RegisterError(f"participants: these bytes are no stored register: {error}") from None

    @classmethod
    def operators(cls, installations: Installations) -> Participants:
        """One operator per account holder and registry, its id the registry and the key of its first installation ('AT-AT_17').

        The same holder's name in two registries makes two operators: names are no identity across registries. An installation without a
        holder's name is its own operator.
        """
        import polars as pl

        holder = pl.coalesce("operator", pl.lit("operator of ") + pl.col("installation"))
        grouped = (
            installations.frame.select("registry", "country", "installation", holder.alias("holder"))
            .group_by("registry", "holder", maintain_order=True)
            .agg(pl.col("country").first(), pl.col("installation").sort())
        )
        return cls(
            Operator(id=f"{registry or 'operator'}-{keys[0]}", name=name, role="operator", country=country, installations=tuple(keys))
            for registry, name, country, keys in grouped.rows()
        )


def _member(row: dict) -> Participant:  # type: ignore[type-arg]
    if "installations" in row:
        return Operator(**{**row, "installations": tuple(row["installations"])})
    return Participant(**row)
