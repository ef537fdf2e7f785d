"""The map of the systems by status: shapes of countries from Natural Earth, drawn here, with a dot for what is a part of a country."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tonne.interfaces.web.render import HERE, manifest

FILE = Path(__file__).with_name("map.yaml")
#: status -> colour by theme; the order is that in which a country with several systems is coloured
COLOURS: dict[str, Mapping[str, str]] = {
    "in_force": {"light": "#332288", "dark": "#88CCEE"},
    "under_development": {"light": "#997700", "dark": "#E69F00"},
    "under_consideration": {"light": "#882255", "dark": "#9D8DF1"},
    "ended": {"light": "#5A6572", "dark": "#A5B0BB"},
}
LAND = {"light": "#E3E8ED", "dark": "#2B333B"}
GROUND = {"light": "#FFFFFF", "dark": "#101418"}
SHAPES = {"in_force": "circle", "under_development": "diamond", "under_consideration": "square", "ended": "cross"}
ANTARCTICA = "010"


@cache
def places() -> Mapping[str, Mapping[str, Any]]:
    """System -> {countries: ISO numbers} or {dot: latitude, longitude}."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


@cache
def shapes() -> Mapping[str, Any]:
    """The countries as TopoJSON. Raises KeyError where the assets are not built."""
    world: dict[str, Any] = json.loads((HERE / "assets" / manifest()["world.json"]).read_text(encoding="utf-8"))
    countries = world["objects"]["countries"]
    countries["geometries"] = [shape for shape in countries["geometries"] if shape.get("id") != ANTARCTICA]
    return world


def drawn(statuses: Mapping[str, str], names: Mapping[str, str], labels: Mapping[str, str], theme: str) -> tuple[dict[str, Any], pl.DataFrame]:
    """The map as a Vega-Lite specification, and the rows it shows. statuses: system -> status; names: system -> name; labels: status -> words."""
    order = [status for status in COLOURS if status in statuses.values()]
    countries: dict[str, tuple[str, str]] = {}
    dots = []
    for system, status in sorted(statuses.items(), key=lambda one: -order.index(one[1])):  # the most binding comes last and stays
        place = places().get(system, {})
        for number in place.get("countries", ()):
            countries[number] = (status, names[system])
        if "dot" in place:
            latitude, longitude = place["dot"]
            dots.append({"name": names[system], "status": labels[status], "latitude": latitude, "longitude": longitude})
    scale = {"domain": [labels[status] for status in order], "range": [COLOURS[status][theme] for status in order]}
    filled = [{"id": number, "status": labels[status], "name": name} for number, (status, name) in countries.items()]
    data = {"values": shapes(), "format": {"type": "topojson", "feature": "countries"}}
    lookup = [{"lookup": "id", "from": {"data": {"values": filled}, "key": "id", "fields": ["status", "name"]}}]
    legend = {"orient": "bottom", "title": None, "symbolSize": 110, "symbolStrokeWidth": 0, "columns": 4, "labelFontSize": 13}
    coloured = {"field": "status", "type": "nominal", "scale": scale, "legend": legend}
    dot_scale = {"domain": scale["domain"], "range": [SHAPES[status] for status in order]}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": 960,
        "height": 470,
        "projection": {"type": "equalEarth"},
        "layer": [
            {"data": data, "mark": {"type": "geoshape", "fill": LAND[theme], "stroke": GROUND[theme], "strokeWidth": 0.6}},
            {
                "data": data,
                "transform": [*lookup, {"filter": "isValid(datum.status)"}],
                "mark": {"type": "geoshape", "stroke": GROUND[theme], "strokeWidth": 0.6},
                "encoding": {"color": coloured, "tooltip": [{"field": "name", "type": "nominal"}, {"field": "status", "type": "nominal"}]},
            },
            {
                "data": {"values": dots},
                "mark": {"type": "point", "filled": True, "size": 64, "opacity": 1, "stroke": GROUND[theme], "strokeWidth": 1.4},
                "encoding": {
                    "latitude": {"field": "latitude", "type": "quantitative"},
                    "longitude": {"field": "longitude", "type": "quantitative"},
                    "color": coloured,
                    "shape": {"field": "status", "type": "nominal", "scale": dot_scale, "legend": legend},
                    "tooltip": [{"field": "name", "type": "nominal"}, {"field": "status", "type": "nominal"}],
                },
            },
        ],
    }
    rows = [{"system": system, "name": names[system], "status": status, **_where(system)} for system, status in statuses.items()]
    frame = pl.DataFrame(
        rows,
        schema={"system": pl.String, "name": pl.String, "status": pl.String, "countries": pl.String, "latitude": pl.Float64, "longitude": pl.Float64},
    )
    return spec, frame


def _where(system: str) -> dict[str, Any]:
    place = places().get(system, {})
    latitude, longitude = place.get("dot", (None, None))
    return {"countries": " ".join(place.get("countries", ())) or None, "latitude": latitude, "longitude": longitude}
