"""A synthetic population: installations, reports and activity that add up to published totals, drawn from a seed. Nothing in it is real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tonne.registers.activity import ACTIVITY_SCHEMA, Activity
from tonne.registers.installations import INSTALLATION_SCHEMA, Installations
from tonne.registers.reports import REPORT_SCHEMA, Reports
from tonne.registers.tables import RATIO
from tonne.simulation.randomness import generator

Numbers = NDArray[np.int64]
MILLION = 1_000_000  # intensities and loads are kept in millionths, as whole numbers
HOURS = 8760
_WEIGHT_MOST = 1 << 28  # times a total below 2**34 tonnes stays inside int64

_SECTOR_KEYS = {"emissions_share", "installations_share", "products", "activity", "nace", "spread", "leakage_listed", "border_adjusted"}
_PRODUCT_KEYS = {"share", "intensity", "performance_spread", "rated_mw", "load", "heat_share", "heat_intensity", "past_intensity"}


@dataclass(frozen=True)
class Population:
    """What `generate` makes. `label` says that it is synthetic and from what; print it wherever the figures go."""

    installations: Installations
    reports: Reports
    activity: Activity
    label: str


@dataclass(frozen=True)
class _Product:
    """A product (or class of generating unit) of a sector, its profile with defaults filled in."""

    sector: str
    name: str
    share: float
    intensity: float  # tCO2 per unit of quantity
    performance_spread: float  # sigma of the logarithm of the intensity, between installations
    rated_mw: tuple[int, int] | None  # smallest and largest unit; an installation that needs more has several
    load: tuple[float, float] | None
    heat_share: tuple[float, float]  # part of the emissions that belongs to heat supplied
    heat_intensity: float  # tCO2 per GJ of that heat
    past_intensity: float | None  # tCO2 per unit of quantity in the base period; None where the law does not look back
    leakage_listed: bool
    border_adjusted: bool


def generate(
    *,
    size: int,
    seed: int,
    years: Sequence[int],
    totals: Mapping[int, int],
    sectors: Mapping[str, Mapping[str, Any]],
    registries: Sequence[str] = ("SY",),
    drift: float = 0.05,
) -> Population:
    """`size` installations over `years`; verified emissions of each year sum to `totals[year]` tonnes exactly.

    `sectors`: name -> profile. `emissions_share` and `installations_share` (relative), `spread` (sigma of the logarithm of size, default 1.2),
    `activity`, `nace` (codes), `leakage_listed`, `border_adjusted`, and `products`: a name, a sequence of names, or name -> product profile.
    A product profile, whose keys may also stand in the sector for all its products: `share` (relative, of installations), `intensity` (tCO2 per
    unit of quantity, default 1), `performance_spread` (default 0.15), and for power plants `rated_mw` (smallest, largest), `load` (least, most),
    `heat_share` (part or range of emissions that belongs to heat), `heat_intensity` (tCO2 per GJ, default 0.1). `past_intensity`, where
    the law looks back: that of the base period, from which `historical` is made and which the column `intensity` then tells.
    `drift`: sigma of the yearly change of one installation's weight.

    Sizes are lognormal inside a sector (around a middle unit's, where units have a rated size) and scaled to its share. A rated unit never
    runs above the load drawn for it, but runs below it where the totals give it less than its smallest size could make. Each unit has one
    activity row a year: summed over an installation's units, quantity x intensity + heat is its emissions, short by less than one unit of
    quantity. The same arguments give the same bytes. Raises `ValueError` for what cannot be.
    """
    _check(size, years, totals, sectors, registries, drift)
    products = [product for name, profile in sectors.items() for product in _products(name, profile)]
    sector_of, product_of = _places(size, seed, sectors, products)
    weights = _weights(seed, sectors, sector_of, _typical(products)[product_of], len(years), drift)
    emissions = np.stack([shared_out(int(totals[year]), weights[:, place]) for place, year in enumerate(years)], axis=1)
    keys = _keys(size, seed, registries)
    installations = _installations(keys, sectors, sector_of, min(years), registries)
    reports = _reports(keys, years, emissions)
    activity = _activity(keys, seed, years, emissions, products, product_of)
    of = str(min(years)) if min(years) == max(years) else f"{min(years)} to {max(years)}"
    label = (
        f"SYNTHETIC: {size:,} installations drawn from seed {seed}, scaled to the totals of {of}. "
        "No installation, operator or figure of a single installation is real."
    )
    return Population(installations, reports, activity, label)


def shared_out(total: int, weights: Numbers) -> Numbers:
    """`total` split in proportion to whole-number weights, to the last tonne (largest remainder; of equal remainders the earlier first).

    7 over weights 1, 1, 1 gives 3, 2, 2. Weights are at most 2**28 and `total` below 2**34, so nothing leaves int64.
    """
    whole = int(weights.sum())
    if whole <= 0:
        raise ValueError("nothing to share out by: all weights are zero")
    quotas, remainders = np.divmod(weights * np.int64(total), np.int64(whole))
    rest = total - int(quotas.sum())
    if rest:
        quotas[np.argsort(-remainders, kind="stable")[:rest]] += 1
    return quotas


def _check(
    size: int, years: Sequence[int], totals: Mapping[int, int], sectors: Mapping[str, Mapping[str, Any]], registries: Sequence[str], drift: float
) -> None:
    if size < 1 or not years or len(set(years)) != len(years) or not sectors or not registries or drift < 0:
        raise ValueError("a population needs one installation, year, sector and registry at least, different years, and no negative drift")
    for year in years:
        if year not in totals:
            raise ValueError(f"no total for {year}; totals are given for {sorted(totals)}")
        if not 0 <= totals[year] < 1 << 34:
            raise ValueError(f"the total of {year} is {totals[year]}; it must be zero or more and below 2**34 tonnes")
    for name, profile in sectors.items():
        if unknown := set(profile) - _SECTOR_KEYS - _PRODUCT_KEYS:
            raise ValueError(f"sector {name!r}: unknown keys {sorted(unknown)}; known are {sorted(_SECTOR_KEYS | _PRODUCT_KEYS)}")
        if profile.get("emissions_share", 0) <= 0 or profile.get("installations_share", 0) <= 0:
            raise ValueError(f"sector {name!r}: emissions_share and installations_share are needed and above zero")


def _products(sector: str, profile: Mapping[str, Any]) -> Iterator[_Product]:
    """The products of a sector, the sector's own keys standing in where a product is silent."""
    given = profile.get("products", sector)
    named = given if isinstance(given, Mapping) else {key: {} for key in ([given] if isinstance(given, str) else given)}
    for name, own in named.items():
        if unknown := set(own) - _PRODUCT_KEYS:
            raise ValueError(f"product {name!r} of {sector!r}: unknown keys {sorted(unknown)}; known are {sorted(_PRODUCT_KEYS)}")
        values = {key: profile[key] for key in _PRODUCT_KEYS & set(profile)} | dict(own)
        heat = values.get("heat_share", 0)
        product = _Product(
            sector=sector,
            name=name,
            share=float(values.get("share", 1)),
            intensity=float(values.get("intensity", 1)),
            performance_spread=float(values.get("performance_spread", 0.15)),
            rated_mw=tuple(values["rated_mw"]) if "rated_mw" in values else None,
            load=tuple(float(part) for part in values["load"]) if "load" in values else None,
            heat_share=tuple(heat) if isinstance(heat, Sequence) else (float(heat), float(heat)),
            heat_intensity=float(values.get("heat_intensity", 0.1)),
            past_intensity=float(values["past_intensity"]) if "past_intensity" in values else None,
            leakage_listed=bool(profile.get("leakage_listed", False)),
            border_adjusted=bool(profile.get("border_adjusted", False)),
        )
        in_order = product.load is None or 0 < product.load[0] <= product.load[1] <= 1
        least = 0.001 if product.rated_mw is None else 0.01  # below it the whole numbers of a large emitter leave int64
        if product.intensity < least or product.heat_intensity <= 0 or not 0 <= product.heat_share[0] <= product.heat_share[1] <= 1 or not in_order:
            raise ValueError(f"product {name!r} of {sector!r}: intensities are {least} or more, loads and heat shares rise between 0 and 1")
        if product.rated_mw is not None and (product.load is None or not 1 <= product.rated_mw[0] <= product.rated_mw[1]):
            raise ValueError(f"product {name!r} of {sector!r}: rated_mw is a smallest and a largest size, and goes with a load")
        yield product


def _places(size: int, seed: int, sectors: Mapping[str, Mapping[str, Any]], products: list[_Product]) -> tuple[Numbers, Numbers]:
    """Which sector and which product each installation has, mixed over the numbers, the counts following the shares exactly."""
    counts = shared_out(size, _whole(np.array([float(profile["installations_share"]) for profile in sectors.values()])))
    sector_of, product_of = [], []
    for place, name in enumerate(sectors):
        mine = [number for number, product in enumerate(products) if product.sector == name]
        split = shared_out(int(counts[place]), _whole(np.array([products[number].share for number in mine])))
        sector_of.append(np.full(int(counts[place]), place, dtype=np.int64))
        product_of.append(np.repeat(np.array(mine, dtype=np.int64), split))
    mixed = generator(seed, "population", "places").permutation(size)
    return np.concatenate(sector_of)[mixed], np.concatenate(product_of)[mixed]


def _typical(products: list[_Product]) -> NDArray[np.float64]:
    """The size of each product's installations beside those of the other products of its sector: a class of large units has large plants.

    Where all products of a sector have a rated size, a middle unit's emissions; 1 for every product otherwise.
    """
    rated = {product.sector for product in products} - {product.sector for product in products if product.rated_mw is None}
    typical = np.ones(len(products))
    for place, product in enumerate(products):
        if product.sector in rated and product.rated_mw is not None and product.load is not None:
            typical[place] = (product.rated_mw[0] * product.rated_mw[1]) ** 0.5 * sum(product.load) / 2 * product.intensity
    return typical


def _weights(
    seed: int, sectors: Mapping[str, Mapping[str, Any]], sector_of: Numbers, typical: NDArray[np.float64], years: int, drift: float
) -> Numbers:
    """Whole-number weights, installations x years. From here on nothing depends on the last bit of an exponential on some machine."""
    normal = generator(seed, "population", "sizes").standard_normal(sector_of.size)
    spread = np.array([float(profile.get("spread", 1.2)) for profile in sectors.values()])[sector_of]
    sizes = np.exp(np.clip(normal, -6, 6) * spread) * typical
    shares = np.array([float(profile["emissions_share"]) for profile in sectors.values()])
    sums = np.bincount(sector_of, weights=sizes, minlength=shares.size)
    sizes *= (shares / np.where(sums > 0, sums, 1))[sector_of]
    steps = generator(seed, "population", "drift").standard_normal((sector_of.size, years)) * drift
    steps[:, 0] = 0
    np.cumsum(steps, axis=1, out=steps)
    np.exp(steps, out=steps)
    steps *= sizes[:, None]
    return np.stack([_whole(steps[:, year]) for year in range(years)], axis=1)


def _whole(weights: NDArray[np.float64]) -> Numbers:
    """Weights as whole numbers in proportion, the largest being 2**28; none falls to zero."""
    return np.maximum(np.rint(weights * (_WEIGHT_MOST / weights.max())), 1).astype(np.int64)


def _keys(size: int, seed: int, registries: Sequence[str]) -> pl.DataFrame:
    """Columns registry, number (text, zero-filled), installation: in the order of the key, so that no register needs to sort them."""
    share = generator(seed, "population", "registries").integers(0, len(registries), size) if len(registries) > 1 else np.zeros(size, np.int64)
    width = max(6, len(str(size)))
    number = pl.int_range(1, size + 1, eager=True).cast(pl.String).str.zfill(width)
    registry = pl.Series(list(registries), dtype=pl.String).gather(share)
    frame = pl.DataFrame([registry.alias("registry"), number.alias("number")])
    return frame.with_columns(installation=pl.concat_str("registry", "number", separator="_"))


def _installations(
    keys: pl.DataFrame, sectors: Mapping[str, Mapping[str, Any]], sector_of: Numbers, first: int, registries: Sequence[str]
) -> Installations:
    names = list(sectors)

    def of_sector(key: str) -> pl.Series:
        texts = [None if sectors[name].get(key) is None else str(sectors[name][key]) for name in names]
        return pl.Series(key, texts, dtype=pl.String).gather(sector_of)

    frame = keys.with_columns(pl.Series("sector", names).gather(sector_of), of_sector("activity"), of_sector("nace"))
    number = pl.col("number")
    frame = frame.select(
        "installation",
        account=pl.lit("synthetic-") + number,
        registry="registry",
        name=pl.lit("Synthetic ") + pl.col("sector") + " " + number,
        operator=pl.lit("Synthetic operator ") + number,
        permit=pl.lit("SYNTHETIC-") + number,
        activity="activity",
        sector="sector",
        nace="nace",
        country="registry",
        latitude=pl.lit(None, pl.Float64),
        longitude=pl.lit(None, pl.Float64),
        opened=pl.lit(first, pl.Int32),
        closed=pl.lit(None, pl.Int32),
        status=pl.lit("open"),
    )
    return Installations(frame.select(list(INSTALLATION_SCHEMA)))


def _reports(keys: pl.DataFrame, years: Sequence[int], emissions: Numbers) -> Reports:
    order = np.argsort(np.array(years), kind="stable")
    rows = np.repeat(np.arange(keys.height), len(years))
    nothing = pl.lit(None, pl.Int64)
    frame = pl.DataFrame(
        [
            keys["installation"].gather(rows),
            pl.Series("year", np.tile(np.array(years, dtype=np.int32)[order], keys.height)),
            pl.Series("verified", emissions[:, order].ravel()),
        ]
    )
    zero = pl.lit(0, pl.Int64)
    frame = frame.with_columns(
        allocated=zero,
        allocated_transitional=zero,
        allocated_new_entrant=zero,
        reported=pl.col("verified"),
        state=pl.lit("verified"),
        surrendered=nothing,
        published_status=pl.lit(None, pl.String),
    )
    return Reports(frame.select(list(REPORT_SCHEMA)))


def _activity(keys: pl.DataFrame, seed: int, years: Sequence[int], emissions: Numbers, products: list[_Product], product_of: Numbers) -> Activity:
    """Activity rows of all products, one part per product and then together in the order of the key."""
    normal = generator(seed, "population", "performance").standard_normal(keys.height)
    even = generator(seed, "population", "operation").random((keys.height, 2))
    parts = []
    for place, product in enumerate(products):
        mine = np.flatnonzero(product_of == place)
        if mine.size:
            parts.append(_of_product(product, place, mine, years, emissions[mine], normal[mine], even[mine]))
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((rows["year"], rows["unit"], rows["row"]))
    rows = {name: values[order] for name, values in rows.items()}
    number = pl.Series(rows["product"])
    absent = pl.Series([None], dtype=pl.Int64)

    def ratio(name: str) -> pl.Series:
        values = pl.Series(name, rows[name])
        values = absent.zip_with(values < 0, values).alias(name)
        return values.to_frame().select(pl.col(name).cast(RATIO) / MILLION).to_series().cast(RATIO)

    def of_product(name: str, values: list[Any]) -> pl.Series:
        return pl.Series(name, values).gather(number)

    rated = pl.Series("rated_mw", rows["rated_mw"])
    key = keys["installation"].gather(rows["row"])
    frame = pl.DataFrame(
        [
            key,
            pl.Series("unit", rows["unit"]).cast(pl.String).str.zfill(len(str(int(rows["unit"].max())))),
            pl.Series("year", rows["year"]),
            of_product("sector", [product.sector for product in products]),
            of_product("product", [product.name for product in products]),
            pl.Series("quantity", rows["quantity"]),
            pl.Series("heat_gj", rows["heat_gj"]),
            ratio("load"),
            absent.zip_with(rated < 0, rated).alias("rated_mw"),
            of_product("leakage_listed", [product.leakage_listed for product in products]),
            of_product("border_adjusted", [product.border_adjusted for product in products]),
            ratio("intensity"),
            pl.Series("historical", rows["historical"]),
        ]
    )
    return Activity(frame.select(list(ACTIVITY_SCHEMA)))


def _of_product(
    product: _Product, place: int, mine: Numbers, years: Sequence[int], emissions: Numbers, normal: NDArray[np.float64], even: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Columns of the activity of one product's installations, in whole numbers (ratios in millionths, -1 for none)."""
    performance = np.exp(np.clip(normal, -4, 4) * product.performance_spread)
    intensity = np.maximum(np.rint(product.intensity * performance * MILLION), 1).astype(np.int64)
    share = np.rint((product.heat_share[0] + even[:, 0] * (product.heat_share[1] - product.heat_share[0])) * 1000).astype(np.int64)
    heat_intensity = max(round(product.heat_intensity * MILLION), 1)
    # Heat first, rounded down; the product answers for all emissions that the whole gigajoules do not.
    heat = emissions * share[:, None] // 1000 * MILLION // heat_intensity
    quantity = (emissions * MILLION - heat * heat_intensity) // intensity[:, None]
    units, rated, load = np.ones(mine.size, dtype=np.int64), np.full(mine.size, -1, dtype=np.int64), None
    if product.rated_mw is not None and product.load is not None:
        drawn = np.rint((product.load[0] + even[:, 1] * (product.load[1] - product.load[0])) * 1000).astype(np.int64)
        needed = -(-quantity.max(axis=1) * 1000 // (HOURS * drawn))  # MW to run the busiest year at the load drawn
        units = np.maximum(-(-needed // product.rated_mw[1]), 1)
        rated = np.maximum(-(-needed // units), product.rated_mw[0])
    row = np.repeat(np.arange(mine.size), units)
    unit = np.arange(row.size) - np.repeat(np.cumsum(units) - units, units)
    quantity = quantity[row] // units[row, None] + (unit[:, None] < quantity[row] % units[row, None])
    heat = heat[row] // units[row, None] + (unit[:, None] < heat[row] % units[row, None])
    if product.rated_mw is not None:
        load = quantity * MILLION // (HOURS * rated[row])[:, None]
    span = len(years)
    past = np.full(mine.size, max(round(product.intensity * MILLION), 1), dtype=np.int64)
    told = intensity
    if product.past_intensity is not None:  # plants lay closer together then: who is worse than its like has grown worse since
        past = np.maximum(np.rint(product.past_intensity * np.sqrt(performance) * MILLION), 1).astype(np.int64)
        told = past
    historical = quantity[:, 0] * past[row] // MILLION
    return {
        "row": np.repeat(mine[row], span),
        "unit": np.repeat(unit + 1, span),
        "year": np.tile(np.array(years, dtype=np.int32), row.size),
        "quantity": quantity.ravel(),
        "heat_gj": heat.ravel(),
        "load": np.full(row.size * span, -1, dtype=np.int64) if load is None else load.ravel(),
        "rated_mw": np.repeat(rated[row], span),
        "intensity": np.repeat(told[row], span),
        "historical": np.repeat(historical, span),
        "product": np.full(row.size * span, place, dtype=np.int64),
    }
