"""Pages: one file a subject. Each has `router`, made by guard.pages()."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """In the order in which addresses are tried: fixed ones before those that begin with a system."""
    from tonne.interfaces.web.pages import account, demo_pages, login, organisation, proposals, settings_page, start, systems, technical, world_charts

    from tonne.interfaces.web.pages import compare, compliance_pages, transactions_pages, data, find, help, law_pages, market_pages, registry, system_page

    from tonne.interfaces.web.pages import accounts, allocation, buy, history, home, operator, report, reports, surrender, transfers, verifier

    from tonne.interfaces.web.pages import bids, money_pages, negotiated, stop, ticket, trader

    from tonne.interfaces.web.pages import admin, admin_accounts, admin_act, admin_auctions, admin_deadline, admin_entitlements, admin_installation

    from tonne.interfaces.web.pages import admin_law, admin_register, admin_runs, audit, audit_checks, identity, onboarding


    register = (admin_register, admin_installation, admin_entitlements, admin_accounts)
    administrators = [one.router for one in (onboarding, admin, admin_runs, admin_deadline, admin_act, admin_auctions, *register, admin_law, audit, audit_checks)]
    traders = [one.router for one in (stop, ticket, trader, bids, money_pages, negotiated)]
    operators = [one.router for one in (home, operator, surrender, buy, accounts, transfers, reports, report, verifier, allocation, history)]
    public = [start.router, find.router, systems.router, compare.router, world_charts.router, data.router, help.router]
    of_systems = [law_pages.router, registry.router, compliance_pages.router, transactions_pages.router, market_pages.router, system_page.router]
    return [technical.router, login.router, identity.router, account.router, settings_page.router, *public, demo_pages.router, organisation.router, proposals.router, *operators, *traders, *administrators, *of_systems]
