"""Mainnet's limits, under which every mechanism's longest story is played, do refuse what is beyond
them, and a command tells of it in one line."""

from __future__ import annotations

import re

import ape
import pytest

from scripts._stage.chain import ActionRefused, go_to, now, transact
from tests.kit.mainnet import CHAIN_ID, MAX_BYTES, MAX_GAS, SLOT_SECONDS, mainnet

PAIRING = "0x" + "08".rjust(40, "0")
"""The precompiled contract that is paid 34,000 gas for each 192 bytes, zeros as well."""

TAKEN = 130_816
"""Bytes that a call may pass on, in words: with what is beside them it is just small enough."""


@pytest.fixture(scope="module")
def proxy(project, mocks):
    """A chain with mainnet's limits, to which Ape is connected."""
    with mainnet() as proxy:
        yield proxy


@pytest.fixture
def call(proxy, mocks, deployer):
    """Sends so many zeros to a contract, as commands send."""
    puppet = deployer.deploy(mocks["Puppet"])
    return lambda target, zeros: transact(puppet.act, (target, bytes(zeros), 0), deployer)


def test_what_no_public_pool_takes_is_refused(proxy, call, deployer, stranger):
    """By bytes, signed: one that is as large as can be is taken, one more word is too large."""
    call(stranger, TAKEN)
    assert MAX_BYTES - 32 < proxy.sizes[-1] <= MAX_BYTES
    height = ape.chain.blocks.height
    with pytest.raises(ActionRefused) as refusal:
        call(stranger, TAKEN + 32)
    told = (
        rf"act by {deployer.address} failed: oversized data: transaction size (\d+), limit 131072"
    )
    assert MAX_BYTES < int(re.fullmatch(told, refusal.value.message)[1]) <= MAX_BYTES + 32
    assert ape.chain.blocks.height == height


def test_more_gas_than_a_transaction_may_have_is_refused(proxy, call, deployer):
    """Though a block has room for it."""
    assert call(PAIRING, 450 * 192).gas_used < MAX_GAS
    height = ape.chain.blocks.height
    with pytest.raises(ActionRefused) as refusal:
        call(PAIRING, 500 * 192)
    assert refusal.value.message == (
        f"act by {deployer.address} failed: "
        "intrinsic gas too high -- tx.gas_limit > env.cfg.tx_gas_limit_cap"
    )
    assert ape.chain.blocks.height == height


def test_blocks_have_the_times_of_slots_on_another_chain(proxy, call, stranger):
    """One after another, and where time is let pass to a moment between two slots."""
    assert ape.chain.chain_id == ape.chain.provider.web3.eth.chain_id == CHAIN_ID
    call(stranger, 0)
    before = now()
    call(stranger, 0)
    assert now() == before + SLOT_SECONDS
    go_to(before + 100)
    assert now() == before + 108
