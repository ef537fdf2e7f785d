"""By keys alone: from the login to a surrender that is proposed, the trader's ticket, dialogs that keep the focus and give it back.

No mouse is touched. Wherever the focus stops on the way it can be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from browser_people import Person

Come = Callable[..., Person]


def test_an_operator_surrenders_by_keys(come: Come) -> None:
    """Login, home, the form with what is owed in it, the review with its code: proposed."""
    person = come()
    person.go("/login")
    person.press("Tab")
    assert person.page.evaluate("document.activeElement.matches('.skip')")
    person.seen()
    person.press("Enter")
    person.tab_to('main form:has(input[value="operator"]) button')
    person.follow()
    assert person.path == person.here("/home")

    person.begin()
    person.press("Tab", "Enter")  # past the navigation
    person.tab_to('main a[href$="/surrender"]')
    person.follow()
    person.tab_to("main [name=quantity]")
    owed = person.value("quantity")
    assert int(owed) > 0
    person.press("Control+a")
    person.page.keyboard.type("25")
    person.follow()
    assert "25" in person.text(".sentence")
    person.tab_to("main [name=code]")
    person.page.keyboard.type(person.hint('main form[action$="/propose"]'))
    person.tab_to('main form[action$="/propose"] button')
    person.follow()
    assert "/tasks/" in person.path and person.steps == 3
    person.press("g", "h")
    person.page.wait_for_url("**/home")


def test_faults_have_the_focus_and_lead_to_their_field(come: Come) -> None:
    person = come("operator")
    person.go(person.here("/surrender"))
    person.tab_to("main [name=quantity]")
    person.press("Control+a")
    person.page.keyboard.type("1.5")
    person.forgiven = ("422",)
    person.follow()
    assert person.page.evaluate("document.activeElement.id") == "faults"
    person.tab_to("#faults a")
    person.press("Enter")
    person.until("() => document.activeElement.name === 'quantity'")
    assert person.value("quantity") == "1.5" and person.page.locator("#field-quantity[aria-invalid=true]").count() == 1


def test_dialogs_and_menus_keep_the_focus_and_give_it_back(come: Come) -> None:
    person = come("operator")
    page = person.page
    person.tab_to("main a")
    before = page.evaluate("document.activeElement.outerHTML")
    person.press("?")
    page.wait_for_selector("#keys[open]")
    for _ in range(6):
        person.press("Tab")
        person.seen()
        assert page.evaluate("document.activeElement === document.body || document.querySelector('#keys').contains(document.activeElement)")
    person.press("Escape")
    assert page.locator("#keys[open]").count() == 0
    assert page.evaluate("document.activeElement.outerHTML") == before

    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    person.tab_to(".top-language summary")
    person.press("Enter")
    person.tab_to(".top-language [data-language]", 5)
    person.press("Escape")
    assert page.evaluate("document.activeElement.matches('.top-language summary')") and page.locator(".top-language[open]").count() == 0


def test_rows_are_walked_and_opened_by_keys(come: Come) -> None:
    person = come("verifier")
    person.press("j", "j", "k", "j")
    person.seen()
    person.follow()
    assert "/reports/" in person.path


def test_a_trader_orders_and_stops_by_keys(come: Come) -> None:
    """Arrows move the price by a step, with Shift by ten; b and s choose the side; Enter reviews, Enter places, Ctrl+. stops."""
    person = come("trader")
    page = person.page
    person.tab_to('main a[href*="/trade"]')
    person.follow()
    page.wait_for_selector("[data-stream-state=open]")
    step = Decimal(page.locator("form[data-ticket]").get_attribute("data-step") or "0")
    person.begin()
    person.press("s")
    assert page.locator("#ticket").get_attribute("data-side") == "sell"
    person.press("b")
    assert page.locator("#ticket").get_attribute("data-side") == "buy"
    assert page.evaluate("document.activeElement.name") == "quantity"
    page.keyboard.type("50")
    person.tab_to("#ticket [name=price]", 5)
    if not person.value("price"):
        person.press("ArrowUp")
    best = Decimal(person.value("price"))
    person.press("ArrowUp")
    assert Decimal(person.value("price")) == best + step
    for _ in range(3):
        person.press("Shift+ArrowDown")
    assert Decimal(person.value("price")) == best + step - 30 * step
    person.press("Enter")
    person.until("() => document.activeElement?.matches('#ticket [data-focus]')")
    person.seen()
    person.press("Escape")
    person.until("() => document.activeElement?.name === 'quantity'")
    assert person.value("quantity") == "50"
    person.press("Enter")
    person.until("() => document.activeElement?.matches('#ticket [data-focus]')")
    before = page.locator("[data-region=orders] tbody tr").count()
    person.press("Enter")
    page.wait_for_selector("#ticket .notice-success")
    assert page.locator("[data-region=orders] tbody tr").count() == before + 1
    person.follow("Control+.")
    assert person.path == person.here("/trade/stop")
    assert page.evaluate("document.activeElement.matches('main form [data-focus]')")
    person.seen()
    person.follow()
    assert page.locator("main .notice-danger").count() == 1
