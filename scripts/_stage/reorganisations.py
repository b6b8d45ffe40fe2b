"""What a reorganisation may take back, and how a party outlasts it on a chain that is not local."""

from __future__ import annotations

import time

import ape
import click

from scripts._stage.outbox import Outbox
from scripts._stage.pulse import PULSE

DEEPEST = 12
"""Blocks that a reorganisation takes back, as far as a party reckons with it."""
_TOLD = f"{DEEPEST} blocks lie on"


def outlast(outbox: Outbox, account: str, poll_seconds: float) -> None:
    """Lets `DEEPEST` blocks pass on what an account sent, which is offered again if it is taken
    back: nobody else would do that.

    Not longer than four times as many blocks take: the account's next command offers it again.
    Raises NodeBusy, NodeRefused, Stopped.
    """
    told, end = False, time.monotonic() + _longest()
    while outbox.is_shallow(account, DEEPEST) and time.monotonic() < end:
        if not told:
            click.echo(
                f"waiting until {_TOLD} what was sent; who ends this now does the same by the "
                "account's next command",
                err=True,
            )
            told = True
        outbox.keep(account)
        PULSE.rest(poll_seconds)


def lets_pay(address: str, poll_seconds: float) -> bool:
    """Whether a contract is there, and will be: waits until `DEEPEST` blocks lie on its creation.

    Money that comes to its address before it does is nobody's. Not longer than four times as many
    blocks take. Raises Stopped.
    """
    provider, told, end = ape.chain.provider, False, time.monotonic() + _longest()
    while provider.get_code(address) and time.monotonic() < end:
        # Each height anew: what was seen to be there may have been taken back.
        if provider.get_code(address, block_id=max(0, ape.chain.blocks.height - DEEPEST)):
            return True
        if not told:
            click.echo(f"waiting until {_TOLD} the creation of {address}", err=True)
            told = True
        PULSE.rest(poll_seconds)
    return False


def _longest() -> float:
    return 4.0 * DEEPEST * (ape.chain.provider.network.block_time or 12)
