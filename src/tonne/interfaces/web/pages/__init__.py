"""Pages: one file a subject. Each has `router`, made by guard.pages()."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """In the order in which addresses are tried: fixed ones before those that begin with a system, the system's own page last."""
    from tonne.interfaces.web.pages import (
        account,
        accounts,
        admin,
        admin_accounts,
        admin_act,
        admin_auctions,
        admin_deadline,
        admin_entitlements,
        admin_installation,
        admin_law,
        admin_register,
        admin_runs,
        allocation,
        audit,
        audit_checks,
        bids,
        buy,
        compare,
        compliance_pages,
        data,
        demo_pages,
        find,
        help,
        history,
        home,
        identity,
        law_pages,
        login,
        market_pages,
        money_pages,
        negotiated,
        onboarding,
        operator,
        organisation,
        proposals,
        registry,
        report,
        reports,
        settings_page,
        start,
        stop,
        surrender,
        system_page,
        systems,
        technical,
        ticket,
        trader,
        transactions_pages,
        transfers,
        verifier,
        world_charts,
    )

    signing_in = (technical, login, identity, account, settings_page)
    public = (start, find, systems, compare, world_charts, data, help)
    members = (demo_pages, organisation, proposals, home)
    operators = (operator, surrender, buy, accounts, transfers, reports, report, verifier, allocation, history)
    traders = (stop, ticket, trader, bids, money_pages, negotiated)
    register = (admin_register, admin_installation, admin_entitlements, admin_accounts)
    administrators = (onboarding, admin, admin_runs, admin_deadline, admin_act, admin_auctions, *register, admin_law, audit, audit_checks)
    of_systems = (law_pages, registry, compliance_pages, transactions_pages, market_pages, system_page)
    return [one.router for one in (*signing_in, *public, *members, *operators, *traders, *administrators, *of_systems)]
