"""Charts: what they show, what they leave out, and that they are pictures."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from tonne.reports import charts
from tonne.reports.data import RunData


def _texts(svg: str) -> str:
    return " | ".join(" ".join(node.itertext()) for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text"))


def _rows(picture: Any) -> list[dict[str, Any]]:
    """All data rows of a chart, however deep."""
    found: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for rows in (node.get("values"), *node.get("datasets", {}).values()):
                found.extend(row for row in rows or () if isinstance(row, dict))
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(picture.to_dict())
    return found


@pytest.mark.parametrize("name", charts.CHARTS)
def test_every_chart_is_a_png_and_an_svg(whole: RunData, name: str) -> None:
    picture = charts.chart(name, whole)
    image = charts.png(picture, 1.0)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    assert width > 500 and height > 150 and len(image) > 5_000
    drawing = charts.svg(picture)
    assert ElementTree.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg"
    assert "European Union Emissions Trading System" in _texts(drawing) and "2018 to 2019" in _texts(drawing)


def test_supply_has_cap_parts_and_emissions_in_millions_of_the_systems_units(whole: RunData) -> None:
    picture = charts.chart("supply", whole)
    found = {(row["year"], row["what"]): row["value"] for row in _rows(picture)}
    assert found[2018, "Cap"] == pytest.approx(1_892.980626)
    assert found[2019, "Auctioned"] == 589 and found[2019, "Allocated free"] == 720
    assert found[2018, "Verified emissions"] == pytest.approx(1_683.113624)
    said = _texts(charts.svg(picture))
    assert "million EU allowances" in said and "one tonne of CO2e" in said and "1,000" in said and "e+" not in said


def test_short_tons_and_the_label_are_said(plain: RunData) -> None:
    said = _texts(charts.svg(charts.chart("supply", plain)))
    assert "million CO2 allowances" in said and "short ton" in said and "SYNTHETIC" in said
    assert "Allocated free" not in said and "Auctioned" in said


def test_circulation_draws_thresholds_only_in_the_years_the_law_had_them(whole: RunData, plain: RunData) -> None:
    rows = _rows(charts.chart("circulation", whole))
    thresholds = {(row["year"], row["what"], row["units"]) for row in rows if "threshold" in row["what"]}
    assert thresholds == {(2019, "upper threshold", 833_000_000), (2019, "lower threshold", 400_000_000)}
    assert {row["units"] for row in rows if row["what"] == "Circulation, published"} == {1_654_909_824, 1_385_496_166}
    assert [row["year"] for row in rows if row["what"] == "Held in the reserve"] == [2019]
    assert {row["what"] for row in _rows(charts.chart("circulation", plain))} == {"Circulation, computed"}


def test_allocation_shows_the_largest_sectors_and_adds_up_the_rest(whole: RunData) -> None:
    rows = [row for row in _rows(charts.chart("allocation", whole)) if "units" in row]
    names = list(dict.fromkeys(row["sector"] for row in rows))
    assert len(names) == charts.SECTORS_SHOWN and names[0] == "sector 01" and names[-1] == "4 other sectors"
    assert sum(row["units"] for row in rows if row["what"] == "Verified emissions") == whole.sectors["verified"].sum()
    assert "nothing" not in names


def test_where_nothing_is_given_free_only_emissions_are_drawn(plain: RunData) -> None:
    said = _texts(charts.svg(charts.chart("allocation", plain)))
    assert "Verified emissions by sector" in said and "Allocated free" not in said and "%" not in said


def test_where_nearly_all_comply_the_bars_are_of_the_others_and_every_count_is_written(whole: RunData, plain: RunData) -> None:
    said = _texts(charts.svg(charts.chart("compliance", whole)))
    assert "all but A" in said and "8,203" in said and "171" in said and "surrendered too little" in said
    alone = _texts(charts.svg(charts.chart("compliance", plain)))
    assert "40" in alone and "%" not in alone


def test_where_few_comply_all_letters_are_bars(plain: RunData) -> None:
    from dataclasses import replace

    import polars as pl

    half = pl.DataFrame({"year": [2023, 2023], "status": ["A", "B"], "installations": [20, 20]})
    said = _texts(charts.svg(charts.chart("compliance", replace(plain, compliance=half))))
    assert "% of installations" in said and "all but A" not in said


def test_an_unknown_chart_is_refused_with_the_names_there_are(whole: RunData) -> None:
    with pytest.raises(KeyError, match="no chart 'prices'; there are supply, circulation, auctions, allocation, compliance"):
        charts.chart("prices", whole)


def test_charts_without_figures_are_left_out_with_the_reason(empty: RunData) -> None:
    drawn, missing = charts.charts(empty)
    assert not drawn and set(missing) == set(charts.CHARTS)
    assert missing["allocation"] == "no sector has an allocation or verified emissions"
    with pytest.raises(charts.NothingToDraw, match="no units were in circulation"):
        charts.chart("circulation", empty)


def test_the_specification_carries_its_data(whole: RunData) -> None:
    import json

    assert json.loads(charts.spec(charts.chart("supply", whole)))["$schema"].startswith("https://vega.github.io/schema/vega-lite")


def test_clearing_prices_stand_between_their_bounds(whole: RunData, plain: RunData) -> None:
    rows = _rows(charts.chart("auctions", whole))
    assert [(row["day"], row["price"]) for row in rows if row["what"] == "Clearing price"] == [
        ("2018-03-05", "10.00"), ("2018-09-03", "13.00"), ("2019-03-04", "25.10"),
    ]  # fmt: skip
    assert [row["value"] for row in rows if row["what"] == "Floor"] == [9.0, 9.0, 9.5, 9.75]
    assert [row["value"] for row in rows if row["what"] == "Nothing sold"] == [9.75]
    said = _texts(charts.svg(charts.chart("auctions", whole)))
    for words in ("Clearing price", "Floor", "Ceiling", "Nothing sold", "EUR for one EU allowance"):
        assert words in said
    with pytest.raises(charts.NothingToDraw, match="no auction with bids"):
        charts.chart("auctions", plain)
