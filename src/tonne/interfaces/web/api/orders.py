"""Orders: placed, changed and taken out of the book, one or many at a time. Answered when they are stored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator
from pydantic_core import to_json
from starlette.responses import Response

from tonne.interfaces.web.api.shared import (
    KEY_FORM,
    REFUSED,
    Asked,
    Body,
    IdempotencyKey,
    OrderNumber,
    Price,
    Quantity,
    ReceiptBody,
    Word,
    needs,
    routes,
    stored,
    told,
)
from tonne.interfaces.web.guard import TRADER, Visitor
from tonne.interfaces.web.place import Hall, Place
from tonne.interfaces.web.problems import Problem

router = routes("/{system}", "trading")
ORDERS_MOST = 1_000
MAY = TRADER.with_right("trade")
JSON_HEADERS = {"cache-control": "no-store"}


class NewOrder(Body):
    """An order for an instrument. Spot quantities are units, of what is margined lots."""

    verb: Literal["new"] = "new"
    account: Word = Field(description="your account that trades", examples=["synthetic-01"])
    instrument: Word = Field(description="code of what is listed", examples=["SPOT"])
    side: Literal["buy", "sell"]
    quantity: Quantity
    price: Price | None = Field(None, description="the limit; needed but for market orders")
    kind: Literal["limit", "market", "stop", "stop_limit"] = "limit"
    lasting: Literal["day", "gtc", "ioc", "fok"] = "day"
    stop: Price | None = None
    display: Quantity | None = Field(None, description="how much of it the book shows")
    post_only: bool = Field(False, strict=True)
    self_trade: Literal["cancel_new", "cancel_old", "cancel_both"] | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> NewOrder:
        if (self.price is None) != (self.kind in ("market", "stop")):
            raise ValueError(f"a {self.kind} order has {'a' if self.price is None else 'no'} price")
        if (self.stop is None) != (self.kind in ("limit", "market")):
            raise ValueError(f"a {self.kind} order has {'a' if self.stop is None else 'no'} stop")
        return self


class AmendOrder(Body):
    """Another price or quantity for an order that stands in the book."""

    verb: Literal["amend"]
    account: Word
    instrument: Word
    order: OrderNumber
    quantity: Quantity
    price: Price


class CancelOrder(Body):
    """An order out of the book."""

    verb: Literal["cancel"]
    account: Word
    order: OrderNumber


class Stop(Body):
    """Everything out, and nothing in until the venue revives the account: the stop button."""

    verb: Literal["kill"]
    account: Word


def _verb(value: Any) -> str | None:
    return value.get("verb", "new") if isinstance(value, dict) else getattr(value, "verb", None)


Order = Annotated[
    Annotated[NewOrder, Tag("new")] | Annotated[AmendOrder, Tag("amend")] | Annotated[CancelOrder, Tag("cancel")] | Annotated[Stop, Tag("kill")],
    Discriminator(_verb),
]


class OrdersBody(Body):
    orders: list[Order] = Field(min_length=1, max_length=ORDERS_MOST)


EXAMPLE = {"orders": [{"account": "synthetic-01", "instrument": "SPOT", "side": "buy", "quantity": 100, "price": "83.60"}]}
READ = TypeAdapter(OrdersBody)


@router.post(
    "/orders",
    allow=MAY,
    responses=REFUSED,
    response_model=ReceiptBody,
    openapi_extra={"requestBody": {"content": {"application/json": {"examples": {"one": {"value": EXAMPLE}}}}}},
)
async def orders(ask: Asked, system: Word, key: IdempotencyKey, body: OrdersBody) -> Any:
    """Place, amend or cancel orders. The events say what matched; an order that is not covered is answered by name and never reaches the book."""
    return await _answered(ask.place, ask.market, ask.visitor, key, body)


async def _answered(place: Place, market: Hall, visitor: Visitor, key: str, body: OrdersBody) -> Response:
    needs(visitor, "trade")
    rows = [one.model_dump(exclude_none=True) for one in body.orders]
    for row in rows:
        if row.get("post_only") is False:
            del row["post_only"]
    receipt = await stored(place, market, visitor, key, "orders", {"orders": rows})
    return Response(to_json(told(receipt)), 200, JSON_HEADERS, "application/json")


async def taken(request: Request, place: Place, market: Hall, visitor: Visitor) -> Response:
    """The same for a program's key, straight from the bytes: nothing else is asked so often."""
    key = request.headers.get("idempotency-key", "")
    if not KEY_FORM.fullmatch(key):
        fault = {"loc": ("header", "Idempotency-Key"), "msg": "8 to 100 letters, digits, - and _", "type": "value_error", "input": None}
        raise RequestValidationError([fault])
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "malformed", "send application/json")
    try:
        body = READ.validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_context=False)]
        ) from None
    return await _answered(place, market, visitor, key, body)
