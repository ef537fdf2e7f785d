"""Who bears a default: the defaulter first, then the house, then the members who stand behind each other, to the last cent.

The order (CPMI-IOSCO principles 4 and 13 name the layers; a clearing house's rulebook their sizes):

    defaulter_margin   the defaulter's collateral for margin
    defaulter_fund     its own contribution to the default fund
    house_capital      the clearing house's own money before others'
    default_fund       the other members' contributions, in proportion to them
    house_second       more of the house's own money, after the fund (0 where there is none)
    assessment         what members must bring on top, up to a multiple of their contribution, in proportion to it
    haircut            of the gains owed to members (only where they are given), in proportion to them
    uncovered          what nobody bears
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tonne.clearing.exact import shares, whole
from tonne.units import DOWN, INT64_MAX, Money, Rate, fraction, multiply

LAYERS = ("defaulter_margin", "defaulter_fund", "house_capital", "default_fund", "house_second", "assessment", "haircut")
HOUSE = -1
"""The member number of the clearing house itself."""
_WORDS = {
    "defaulter_margin": "the defaulter's margin bears",
    "defaulter_fund": "its share of the default fund bears",
    "house_capital": "the house's own capital bears",
    "default_fund": "the other members' default fund bears",
    "house_second": "more of the house's own capital bears",
    "assessment": "assessments on the members bear",
    "haircut": "cuts of the gains owed to members bear",
}


class Row(NamedTuple):
    """What one member (HOUSE: the house) had in a layer and what of it the loss took, in minor units."""

    layer: str
    member: int
    available: int
    used: int


class Returned(NamedTuple):
    """What a recovery gives back to one member of one layer."""

    layer: str
    member: int
    amount: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A loss and who bore it. rows: in the order of LAYERS, then by member; what they used and `uncovered` add up to the loss."""

    loss: int
    rows: tuple[Row, ...]
    uncovered: int
    currency: str

    def used(self, layer: str) -> int:
        """What a layer bore. Raises ValueError for a layer that there is not."""
        if layer not in LAYERS:
            raise ValueError(f"no layer {layer!r}; there are {', '.join(LAYERS)}")
        return sum(row.used for row in self.rows if row.layer == layer)

    def table(self, names: Sequence[str] | None = None) -> Any:
        """A Polars table: layer, member, available, used (minor units); the last row is what stays uncovered."""
        import polars as pl

        def name(member: int) -> str:
            return "house" if member == HOUSE else str(member) if names is None else names[member]

        rows = [(row.layer, name(row.member), row.available, row.used) for row in self.rows]
        rows.append(("uncovered", "", 0, self.uncovered))
        return pl.DataFrame(rows, schema={"layer": pl.String, "member": pl.String, "available": pl.Int64, "used": pl.Int64}, orient="row")

    def sentence(self) -> str:
        """The whole in words: who bore how much, and whether anything is left."""
        borne = [f"{_WORDS[layer]} {Money(self.used(layer), self.currency)}" for layer in LAYERS if self.used(layer)]
        left = f"{Money(self.uncovered, self.currency)} stays uncovered" if self.uncovered else "nothing stays uncovered"
        return f"Of a loss of {Money(self.loss, self.currency)} {', '.join([*borne, left])}."


def waterfall(
    losses: Mapping[int, int],
    *,
    margin: Any,
    fund: Any,
    house_capital: int = 0,
    house_second: int = 0,
    assessment_multiple: Rate = 0,
    gains: Any = None,
    currency: str = "EUR",
) -> Waterfall:
    """Lays losses of close-outs on the layers, in minor units.

    losses: by defaulting member (0 or below: it brought a gain, nothing of its own is touched); several may default at once: each one's margin and
    contribution bear its own loss only, and go back to it otherwise. margin, fund: of all members. assessment_multiple: the most that a survivor must
    bring on top, as a multiple of its contribution (rounded down). gains: variation margin owed to members, where it may be cut. Shares of survivors
    are in proportion, with the last cents to the largest remainders. Raises ValueError for negative resources or a defaulter that is no member.
    """
    margins, contributions = whole("margin", margin), whole("default fund", fund)
    members = len(contributions)
    owed = np.zeros(members, dtype=np.int64) if gains is None else np.maximum(whole("gains", gains), 0)
    if len(margins) != members or len(owed) != members:
        raise ValueError(f"{members} contributions, {len(margins)} margins, {len(owed)} gains: one each a member")
    if np.any(margins < 0) or np.any(contributions < 0) or min(house_capital, house_second) < 0 or fraction(assessment_multiple) < 0:
        raise ValueError("margins, contributions, the house's capital and the multiple of assessments are not negative")
    if any(not 0 <= member < members for member in losses):
        raise ValueError(f"a defaulter is a member from 0 to {members - 1}")
    rows: list[Row] = []
    left = {member: max(int(loss), 0) for member, loss in sorted(losses.items())}
    total = sum(left.values())
    if total > INT64_MAX:
        raise OverflowError(f"a loss of {total} does not fit 64 bits")
    for layer, own in (("defaulter_margin", margins), ("defaulter_fund", contributions)):
        for member, loss in left.items():
            used = min(loss, int(own[member]))
            rows.append(Row(layer, member, int(own[member]), used))
            left[member] = loss - used
    survivors = np.array([member for member in range(members) if member not in losses], dtype=np.int64)
    mutual = contributions[survivors]
    open_loss = sum(left.values())
    for layer, alone, together in (
        ("house_capital", house_capital, None),
        ("default_fund", 0, mutual),
        ("house_second", house_second, None),
        ("assessment", 0, multiply(mutual, assessment_multiple, rounding=DOWN)),
        ("haircut", 0, owed[survivors]),
    ):
        borne = _laid_on(layer, open_loss, alone, together, survivors.tolist())
        rows += borne
        open_loss -= sum(row.used for row in borne)
    return Waterfall(total, tuple(rows), open_loss, currency)


def _laid_on(layer: str, loss: int, alone: int, together: Any, survivors: list[int]) -> list[Row]:
    """A layer of the house's own, or one that the survivors share in proportion."""
    if together is None:
        return [Row(layer, HOUSE, alone, min(loss, alone))] if alone else []
    available = [int(amount) for amount in together]
    if not any(available):
        return []
    used = shares(min(loss, sum(available)), available)
    return [Row(layer, member, most, int(part)) for member, most, part in zip(survivors, available, used, strict=True)]


def recovered(result: Waterfall, amount: int) -> tuple[tuple[Returned, ...], int]:
    """A recovery (money that came in after all, from the defaulter's estate) goes back in reverse order: what stayed uncovered first (its rows name
    the layer `uncovered`, member HOUSE, for whoever went short), then the last layer used, in proportion to what each bore; what remains after all is
    the estate's.

    Returns the rows and that remainder. Raises ValueError for a negative amount.
    """
    if amount < 0:
        raise ValueError("a recovery is not negative")
    found = []
    left = min(amount, result.uncovered)
    if left:
        found.append(Returned("uncovered", HOUSE, left))
    left = amount - left
    for layer in reversed(LAYERS):
        bearers = [row for row in result.rows if row.layer == layer and row.used]
        given = min(left, sum(row.used for row in bearers))
        if given:
            parts = shares(given, [row.used for row in bearers])
            found += [Returned(layer, row.member, int(part)) for row, part in zip(bearers, parts, strict=True) if part]
        left -= given
    return tuple(found), left
