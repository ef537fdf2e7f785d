"""Initial margin once more, account by account in fractions: the auditor of `margin`. Slow, and written from its text, not from its code."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tonne.clearing.margin import Book, Family, scenario_loss
from tonne.units import DOWN, NEAREST, UP, fraction, round_fraction


class PlainMargin:
    """Margins of single accounts against one book; an account is a mapping of instrument codes to lots."""

    def __init__(self, book: Book, scale: int) -> None:
        """`scale`: an option's loss counts in 1/scale of the minor unit (`Losses.scale`), a future's is exact."""
        self.book = book
        self.families = {family.name: family for family in book.families}
        self.held = {one.code: one for one in book.instruments}
        self.loss: dict[tuple[str, int], Fraction] = {}
        for one in book.instruments:
            for number, scenario in enumerate(book.scenarios, 1):
                exact = scenario_loss(self.families[one.family], one, scenario)
                self.loss[one.code, number] = exact if one.option is None else Fraction(round_fraction(exact * scale, NEAREST), scale)

    def of(self, lots: Mapping[str, int]) -> dict[str, Any]:
        """By family: scan, worst, spread, delivery, credit, minimum, risk, option_value; and `required` by currency."""
        parts = {name: self._family(family, lots) for name, family in self.families.items()}
        self._credit(parts)
        required: dict[str, int] = {family.currency: 0 for family in self.book.families}
        for name, part in parts.items():
            part["risk"] = max(part["scan"] + part["spread"] + part["delivery"] - part["credit"], part["minimum"])
            required[self.families[name].currency] += part["risk"] - part["option_value"]
            del part["net"]
        return {"families": parts, "required": {currency: max(amount, 0) for currency, amount in sorted(required.items())}}

    def _family(self, family: Family, lots: Mapping[str, int]) -> dict[str, Any]:
        mine = {code: amount for code, amount in lots.items() if self.held[code].family == family.name}
        scan, worst = Fraction(0), 0
        for number in range(1, len(self.book.scenarios) + 1):
            loss = sum((amount * self.loss[code, number] for code, amount in mine.items()), Fraction(0))
            if loss > scan:
                scan, worst = loss, number
        months: dict[str, Fraction] = {}
        delivery = minimum = value = 0
        for code, amount in mine.items():
            one = self.held[code]
            delta = Fraction(1)
            if one.option is not None and one.future is not None:
                delta = one.option.delta(one.future)
                minimum += max(-amount, 0) * family.minor(family.short_option_minimum)
                if one.option.premium == "paid":
                    value += amount * round_fraction(fraction(one.price) * family.lot_value, NEAREST)
            months[one.month] = months.get(one.month, Fraction(0)) + amount * delta
            if one.delivering:
                delivery += abs(amount) * family.minor(family.delivery_charge)
        longs = sum((delta for delta in months.values() if delta > 0), Fraction(0))
        shorts = -sum((delta for delta in months.values() if delta < 0), Fraction(0))
        spread = round_fraction(min(longs, shorts) * family.minor(family.spread_charge), UP)
        return {
            "scan": round_fraction(scan, UP), "worst": worst, "spread": spread, "delivery": delivery, "credit": 0, "minimum": minimum,
            "option_value": value, "net": longs - shorts,
        }  # fmt: skip

    def _credit(self, parts: dict[str, dict[str, Any]]) -> None:
        """Opposite families save, credit by credit; a spread of deltas counts in whole ten-thousandths of a lot."""
        for credit in self.book.credits:
            first, second = (parts[name] for name in credit.families)
            if first["net"] * second["net"] >= 0:
                continue
            spreads = min(
                Fraction(round_fraction(abs(part["net"]) / each * 10_000, DOWN), 10_000)
                for part, each in zip((first, second), credit.lots, strict=True)
            )
            for name, each in zip(credit.families, credit.lots, strict=True):
                family, part = self.families[name], parts[name]
                saved = round_fraction(spreads * each * fraction(family.price_scan) * family.lot_value * fraction(credit.share), DOWN)
                part["credit"] = min(part["credit"] + saved, part["scan"])
                part["net"] -= (1 if part["net"] > 0 else -1) * spreads * each
