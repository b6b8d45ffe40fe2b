"""What server and members agree to, as tables: the terms, what they cost, the worst of them."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.crypto.settlement import NATIVE
from offchain.report.money import signed
from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, plain
from offchain.seccl.announcement import Announcement
from offchain.seccl.costs import (
    Outcome,
    member_gas,
    member_outcomes,
    server_gas,
    server_outcomes,
)
from scripts._stage.money import currency
from scripts._stage.party_sheets import gas_sheet, said_sheet, time_of

BALLOTS = {
    "open": "open rankings",
    "hidden": "rankings, hidden until all have committed",
    "scores": "evaluations, which the contract sorts",
}


def terms_sheet(announced: Announcement, now: int) -> Sheet:
    """What is announced. now: Unix seconds."""
    coin, decimals = currency(announced.token)
    about = announced.about
    window = announced.upload_time / 3600
    end = announced.start + announced.rounds * (announced.upload_time + announced.evaluation_time)
    privacy = about.image_privacy
    return said_sheet(
        "The terms",
        {
            "server": announced.server,
            "members": f"{announced.least:,} to {announced.most:,}",
            "apply": f"until {time_of(announced.until)}",
            "rounds": f"{announced.rounds:,} from {time_of(announced.start)}, each twice "
            f"{window:g} h",
            "over": f"{time_of(end)}, in {(end - now) / 3600:.1f} h",
            "model": f"{plain(about.network)}, {about.parameters:,} parameters",
            "uploaded": f"{100 * about.share:g} % of them a round",
            "training": f"{about.epochs:,} epochs of batches of {about.batch:,}, learning rate "
            f"{about.learning_rate:g}",
            "images hidden": "no"
            if privacy is None
            else f"gradients of at most {privacy.clip:g}, noise of {privacy.noise:.3g} times that",
            "elected": f"{100 * announced.elected:g} % of the members a round",
            "ballots": BALLOTS[about.ballots],
            "the server's stake": f"{amount(announced.stake, decimals)} {coin} to each member",
            "a question costs": f"{amount(announced.bond, decimals)} {coin}",
            "paid in": "the native coin" if announced.token == NATIVE else announced.token,
        },
    )


def server_costs_sheet(announced: Announcement, price_gwei: float) -> Sheet:
    """Gas of a server's calls, from above. price_gwei: for a unit of gas."""
    return gas_sheet(
        server_gas(announced, announced.most),
        price_gwei,
        "all",
        f"With {announced.most:,} members, none of whom asks anything.",
    )


def member_costs_sheet(announced: Announcement, price_gwei: float) -> Sheet:
    """Gas of a member's calls, from above. price_gwei: for a unit of gas."""
    return gas_sheet(
        member_gas(announced, announced.most),
        price_gwei,
        "all, if the server does nothing",
        "Where it does what it is there for, you pay nothing. To report a member that uploaded "
        "nothing costs some 57,000.",
    )


def server_worst_sheet(announced: Announcement) -> Sheet:
    """What may happen to a server, and by whom."""
    return _worst(announced, server_outcomes(announced), "Besides gas.")


def member_worst_sheet(announced: Announcement) -> Sheet:
    """What may happen to a member, and by whom."""
    return _worst(
        announced,
        member_outcomes(announced),
        "Besides gas. What you upload is public, and tells something of your images.",
    )


def _worst(announced: Announcement, outcomes: Sequence[Outcome], note: str) -> Sheet:
    coin, decimals = currency(announced.token)
    rows = tuple(
        Row((one.what, one.by, signed(one.gain, decimals)), one.gain < 0) for one in outcomes
    )
    return Sheet("What may happen", ("what", "by", coin), 2, rows, note=note)
