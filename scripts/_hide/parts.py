"""Lets seller and buyers play one listing on the connected local chain, to the last withdrawal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offchain.hide.sale.session import SaleSession
from scripts._hide.chain import SaleChain
from scripts._stage.chain import ActionRefused, clock, wait_until
from scripts._stage.table import Seat, Step, act


def play(
    chain: SaleChain,
    seats: Sequence[Seat],
    closing: int,
    tell: Callable[[Step], None],
    refused: Callable[[str, ActionRefused], None],
    at_time: Callable[[str, int], None],
    *,
    forgetful: bool = False,
) -> SaleSession:
    """Plays until nobody has anything left to do; returns the listing then.

    closing: when the seller closes, Unix seconds. refused: called with a seat's name when the chain
    would not do what it wanted. at_time: called with what happens and when, before time is moved
    there. forgetful: kill and rebuild every role before every step.
    """
    told = None
    while True:
        acted = [act(chain, seat, tell, refused, forgetful) for seat in seats]
        if any(acted):
            continue
        session, now = chain.read(), clock().now
        ahead = {p.deadline: _end_of(p.state.name) for p in session.running(now)}
        ahead |= {} if session.closed or closing <= now else {closing: "the seller closes"}
        if not ahead:
            return session
        time = min(ahead)
        # Sales of one minute end in one minute: it is said once.
        if told != (told := (ahead[time], time // 60)):
            at_time(ahead[time], time)
        wait_until(time)


def _end_of(state: str) -> str:
    return "a key is overdue" if state == "PAID" else "the time for disputes ends"
