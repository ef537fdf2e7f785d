"""The table of verbs: one handler each."""

from __future__ import annotations

from tonne.administration import allocate, amend, award, bank, found, issue, penalise, purchase, report, sell, stabilise, surrender, transfer
from tonne.administration.decision import Handler

HANDLERS: dict[str, Handler] = {
    "found": found.found,
    "register_participant": found.register_participant,
    "register_installations": found.register_installations,
    "close_installation": found.close_installation,
    "open_account": found.open_account,
    "open_accounts": found.open_accounts,
    "set_account_flags": found.set_account_flags,
    "add_unit_type": found.add_unit_type,
    "issue": issue.issue,
    "open_balance": issue.open_balance,
    "entitle": allocate.entitle,
    "file_activity": allocate.file_activity,
    "pre_allocate": allocate.pre_allocate,
    "allocate": allocate.allocate,
    "final_allocate": allocate.final_allocate,
    "award": award.award,
    "purchase": purchase.purchase,
    "auction_calendar": sell.auction_calendar,
    "auction": sell.auction,
    "sell": sell.sell,
    "transfer": transfer.transfer,
    "cancel": transfer.cancel,
    "import_transfers": transfer.import_transfers,
    "report": report.report,
    "verify": report.verify,
    "correct_report": report.correct_report,
    "report_deadline": report.report_deadline,
    "verify_deadline": report.verify_deadline,
    "bring_forward": surrender.bring_forward,
    "surrender": surrender.surrender,
    "interim_surrender": surrender.interim_surrender,
    "surrender_deadline": surrender.surrender_deadline,
    "penalise": penalise.penalise,
    "publish_circulation": stabilise.publish_circulation,
    "stabilise": stabilise.stabilise,
    "invalidate": stabilise.invalidate,
    "carry_over": bank.carry_over,
    "amend": amend.amend,
}
