"""What a chain must have for Souk's contracts, asked before anything is paid."""

from __future__ import annotations

import ape
import click

from scripts._stage.chain import MOST_GAS
from scripts._stage.index import NodeRefused
from scripts._stage.node import ask

HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"
"""Keeps the hashes of 8,191 blocks (EIP-2935)."""

ADD_POINTS = "0x000000000000000000000000000000000000000b"
"""Adds two points of a curve, 256 bytes to 128 (EIP-2537), and came with Prague."""

_OPCODES = {
    "PUSH0 (Shanghai)": "0x5f5ff3",
    "transient storage (Cancun)": "0x60015f5d5f5c5f5260205ff3",
    "MCOPY (Cancun)": "0x5f5f5f5e5f5ff3",
}
"""Code that a chain runs which has the opcode, and stops at otherwise."""


def check_chain() -> list[str]:
    """What is only poorer here, in words.

    Raises ClickException, naming it, where the chain lacks what the contracts cannot do without.
    """
    for what, code in _OPCODES.items():
        try:
            ask("eth_call", [{"data": code}, "latest"])
        except NodeRefused as error:
            if error.code > 0:
                raise  # HTTP's word, not the chain's
            raise click.ClickException(f"this chain has no {what}: {error}") from error
    gas = int(ask("eth_getBlockByNumber", ["latest", False])["gasLimit"], 16)
    if gas < MOST_GAS:
        raise click.ClickException(
            f"blocks of this chain have {gas:,} gas, the largest call takes up to {MOST_GAS:,}"
        )
    poorer = []
    if len(ask("eth_call", [{"to": ADD_POINTS, "data": f"0x{bytes(256).hex()}"}, "latest"])) <= 2:
        poorer.append("not Prague's rules (EIP-2537): gas may cost other than the tables say")
    if not ape.chain.provider.get_code(HISTORY):
        poorer.append("no hashes of older blocks (EIP-2935): a draw must be opened within 256")
    return poorer
