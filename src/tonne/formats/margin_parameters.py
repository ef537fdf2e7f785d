"""Reads what a margin is worked out from: families with their scan ranges and charges, instruments with the day's prices, credits between families.

A YAML file; every fault names its line and key. The figures are the risk people's who write it: no rate of a carbon future is public here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from tonne.formats.faults import BadFile, Fault, nearest
from tonne.units import decimals_of

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class MarginParameters:
    """Plain values, checked one by one: `families` and `instruments` by name, with the keys that were given; `credits` in order."""

    label: str
    rate: Decimal
    families: Mapping[str, Mapping[str, Any]]
    instruments: Mapping[str, Mapping[str, Any]]
    credits: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Key:
    """What a key holds: how a value is judged (None: fits, else what is wrong), and whether it has to be there."""

    judge: Callable[[Any], str | None]
    needed: bool = False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _number(value: Any) -> str | None:
    return None if _is_number(value) and value >= 0 else "a number of at least 0 is needed"


def _above_zero(value: Any) -> str | None:
    return None if _is_number(value) and value > 0 else "a number above 0 is needed"


def _rate(value: Any) -> str | None:
    return _of_one(value, 1) if _is_number(value) else "a number is needed"


def _volatility(value: Any) -> str | None:
    return _number(value) or _of_one(value, 5)


def _of_one(value: Any, most: int) -> str | None:
    """A share, not per cent: beyond `most` it was meant as per cent."""
    return None if abs(value) <= most else f"a share is needed; for {value} % write {(Decimal(value) / 100).normalize():f}"


def _month(value: Any) -> str | None:
    wrong = isinstance(value, str) and re.fullmatch(r"\d{4}-\d+", value) and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value)
    return "no such month; write it as 2026-12" if wrong else _text(value)


def _share(value: Any) -> str | None:
    return None if _is_number(value) and 0 <= value <= 1 else "a share from 0 to 1 is needed"


def _count(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else "a whole number of at least 1 is needed"


def _days(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "a whole number of days is needed"


def _text(value: Any) -> str | None:
    return None if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) else "a text is needed"


def _currency(value: Any) -> str | None:
    return None if isinstance(value, str) and len(value) == 3 and value.isupper() else "a currency's three letters are needed, like EUR"


def _truth(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false is needed"


def _one_of(*words: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in words else f"{' or '.join(words)} is needed"


def _pair(of: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    return lambda value: None if isinstance(value, list) and len(value) == 2 and not any(of(one) for one in value) else "a list of two is needed"


FAMILY = {
    "currency": _Key(_currency, needed=True),
    "lot": _Key(_count, needed=True),
    "price_scan": _Key(_number, needed=True),
    "volatility_scan": _Key(_volatility),
    "spread_charge": _Key(_number),
    "short_option_minimum": _Key(_number),
    "delivery_charge": _Key(_number),
    "extreme_multiple": _Key(_number),
    "extreme_share": _Key(_share),
}
INSTRUMENT = {
    "family": _Key(_text, needed=True),
    "tick": _Key(_above_zero, needed=True),
    "price": _Key(_number),
    "previous": _Key(_number),
    "month": _Key(_month),
    "delivering": _Key(_truth),
    "right": _Key(_one_of("call", "put")),
    "strike": _Key(_above_zero),
    "volatility": _Key(_volatility),
    "days": _Key(_days),
    "premium": _Key(_one_of("paid", "futures_style")),
    "underlying": _Key(_text),
}
CREDIT = {"families": _Key(_pair(_text), needed=True), "share": _Key(_share, needed=True), "lots": _Key(_pair(_count))}
OPTION = ("right", "strike", "volatility", "days", "premium", "underlying")
"""Keys that an option has, all of them, and nothing else."""


def read_margin_parameters(path: str | os.PathLike[str]) -> MarginParameters:
    """The parameters of a YAML file. Raises `BadFile` with every fault: unknown and missing keys, values of another kind, families and underlyings
    that are not there, prices between two ticks, a tick that is worth no whole number of the smallest coin, an option with a half of its terms."""
    from tonne.law.faults import RulebookError
    from tonne.law.text import read

    file = str(path)
    try:
        document = read(Path(path), file)
    except RulebookError as error:
        faults = [Fault(file, one.line or None, None, None, f"{one.reason}{one.suggestion and f' ({one.suggestion})'}") for one in error.faults]
        raise BadFile(faults, skippable=False) from None
    checker = _Checker(file, document.line)
    found = checker.whole(document.data)
    if checker.faults:
        raise BadFile(sorted(checker.faults, key=lambda fault: fault.row or 0), skippable=False)
    return found


class _Checker:
    """Walks the file and collects faults."""

    def __init__(self, file: str, line: Callable[[Path_], int]) -> None:
        self.file, self.line = file, line
        self.faults: list[Fault] = []

    def fault(self, path: Path_, reason: str) -> None:
        where = ".".join(map(str, path))
        self.faults.append(Fault(self.file, self.line(path), None, None, f"{where}: {reason}" if where else reason))

    def whole(self, data: Any) -> MarginParameters:
        keys = {
            "label": _Key(_text),
            "rate": _Key(_rate),
            "families": _Key(_mapping, True),
            "instruments": _Key(_mapping, True),
            "credits": _Key(_list),
        }
        top = self.fields((), data, keys)
        families = {str(name): self.fields(("families", name), value, FAMILY) for name, value in top.get("families", {}).items()}
        instruments = {str(code): self.fields(("instruments", code), value, INSTRUMENT) for code, value in top.get("instruments", {}).items()}
        credits = tuple(self.fields(("credits", place), value, CREDIT) for place, value in enumerate(top.get("credits", [])))
        for code, one in instruments.items():
            self.instrument(code, one, families, instruments)
        for place, credit in enumerate(credits):
            for name in credit.get("families", []):
                if name not in families:
                    self.fault(("credits", place, "families"), _no(name, "family", families))
        return MarginParameters(str(top.get("label", "")), Decimal(top.get("rate", 0)), families, instruments, credits)

    def fields(self, path: Path_, data: Any, keys: Mapping[str, _Key]) -> dict[str, Any]:
        """The keys of a mapping that are known and fit; a fault for each other one."""
        if not isinstance(data, dict):
            self.fault(path, f"needs the keys {', '.join(key for key, one in keys.items() if one.needed)}, and has none")
            return {}
        found = {}
        for key, value in data.items():
            if key not in keys:
                self.fault((*path, key), _no(str(key), "key", keys))
            elif (wrong := keys[key].judge(value)) is not None:
                self.fault((*path, key), f"{value!s}: {wrong}")
            else:
                found[str(key)] = value
        for key, one in keys.items():
            if one.needed and key not in data:
                self.fault(path, f"{key!r} is missing")
        return found

    def instrument(self, code: str, one: Mapping[str, Any], families: Mapping[str, Any], instruments: Mapping[str, Any]) -> None:
        """What a single value cannot show: family, tick and prices, and the terms of an option."""
        here: Path_ = ("instruments", code)
        name = str(one.get("family", ""))
        if name and name not in families:
            self.fault((*here, "family"), _no(name, "family", families))
        family = families.get(name, {})
        tick = one.get("tick")
        if tick is not None and {"lot", "currency"} <= family.keys():
            value = Fraction(tick) * family["lot"] * 10 ** decimals_of(family["currency"])
            if value.denominator != 1:
                self.fault((*here, "tick"), f"{tick} on a lot of {family['lot']:,} is no whole number of the smallest coin of {family['currency']}")
        for key in ("price", "previous"):
            if tick is not None and key in one and Fraction(one[key]) % Fraction(tick):
                self.fault((*here, key), f"{one[key]} is between two ticks of {tick}")
        given = [key for key in OPTION if key in one]
        if not given:
            for key in ("price", "previous"):
                if one.get(key) == 0:
                    self.fault((*here, key), "0: a future's price is above 0")
            if "price" not in one:
                self.fault(here, "'price' is missing; only an option can be priced from its future")
            return
        lacking = [key for key in OPTION if key not in one]
        if lacking:
            self.fault(here, f"an option needs {', '.join(OPTION)}; missing: {', '.join(lacking)}")
        below = instruments.get(str(one.get("underlying", "")))
        if "underlying" in one and below is None:
            self.fault((*here, "underlying"), _no(str(one["underlying"]), "instrument", instruments))
        elif below is not None and (any(key in below for key in OPTION) or below.get("family") != one.get("family") or below.get("price", 0) <= 0):
            self.fault((*here, "underlying"), f"{one['underlying']} must be a future of the same family with a price above 0")


def _mapping(value: Any) -> str | None:
    return None if isinstance(value, dict) and value else "at least one is needed"


def _list(value: Any) -> str | None:
    return None if isinstance(value, list) else "a list is needed"


def _no(name: str, what: str, names: Mapping[str, Any]) -> str:
    near = nearest(name, names)
    return f"no {what} {name!r}; " + (f"did you mean {near!r}?" if near else f"there are {', '.join(names) or 'none'}")
