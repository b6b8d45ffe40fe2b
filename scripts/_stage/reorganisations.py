"""What a reorganisation may take back, and how a party outlasts it on a chain that is not local."""

from __future__ import annotations

import time

import ape
import click

from scripts._stage.index import NodeRefused
from scripts._stage.node import ask
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


def why_not(address: str, pays: int, poll_seconds: float) -> str | None:
    """Why nothing should be sent to a contract, in words; None where all is well.

    A call to nobody succeeds, and what it `pays`, in wei, is nobody's. So coins wait until
    `DEEPEST` blocks lie on the contract's creation, not longer than four times as many blocks take.
    Raises Stopped.
    """
    provider = ape.chain.provider
    local, told, end = provider.network.is_local, False, time.monotonic() + _longest()
    while provider.get_code(address):
        # Each height anew: what was seen to be there may have been taken back.
        old = max(0, ape.chain.blocks.height - DEEPEST) if pays and not local else None
        if old is None or provider.get_code(address, block_id=old):
            return None
        if time.monotonic() >= end:
            return f"fewer than {_TOLD} the contract's creation, as the node shows the chain"
        if not told:
            click.echo(f"waiting until {_TOLD} the creation of {address}", err=True)
            told = True
        PULSE.rest(poll_seconds)
    return "the chain that the node shows has no contract there"


def waits_for_what_it_answers(call: dict[str, str], poll_seconds: float) -> bool:
    """Whether one had to wait until a call, as `eth_call` takes it, would have been right
    `DEEPEST` blocks ago: what it answers to cannot be taken back any more then.

    Who shows a key for a purchase that is taken back gave it for nothing, whether the call is
    mined or not. Not longer than four times as many blocks take. Raises NodeBusy, Stopped.
    """
    waited, end = False, time.monotonic() + _longest()
    while not _was_right(call) and time.monotonic() < end:
        if not waited:
            click.echo(f"waiting until {_TOLD} what is answered", err=True)
        waited = True
        PULSE.rest(poll_seconds)
    return waited


def _was_right(call: dict[str, str]) -> bool:
    old = max(0, ape.chain.blocks.height - DEEPEST)
    try:
        ask("eth_call", [call, hex(old)])
    except NodeRefused:
        return False
    return len(ape.chain.provider.get_code(call["to"], block_id=old)) > 0


def _longest() -> float:
    return 4.0 * DEEPEST * (ape.chain.provider.network.block_time or 12)
