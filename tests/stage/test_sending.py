"""What is sent on a public testnet behind a hosted node (tests/kit/hosted.py) is sent once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

import ape
import pytest
import requests
from web3.exceptions import TransactionNotFound

import scripts._stage.chain as stage
from offchain.errors import SoukError
from scripts._stage import node, reorganisations
from scripts._stage.chain import ActionRefused, Waited, logs_of, look, transact
from scripts._stage.index import Index, NodeRefused
from scripts._stage.node import have_patience
from scripts._stage.outbox import Outbox, Patience
from scripts._stage.pool import GWEI
from scripts._stage.pulse import PULSE, STANDING
from scripts._stage.reorganisations import DEEPEST
from tests.kit.hosted import hosted
from tests.stage.fake_pool import Killed


@pytest.fixture
def fickle_node(project, mocks):
    """A node that hangs up before or after every fifth request, with Ape connected to it."""
    with hosted() as proxy:
        have_patience(backoff_seconds=0.001)
        yield proxy


@pytest.fixture
def coin(fickle_node, mocks, deployer, monkeypatch, tmp_path):
    """A token, and an outbox in a folder of the test's own."""
    monkeypatch.setattr(stage, "chain_home", lambda: tmp_path)
    stage._LOOK.set(None)
    coin = deployer.deploy(mocks["PlainToken"])
    coin.mint(deployer, 10, sender=deployer)
    return coin


def test_each_call_is_sent_once_though_answers_are_lost(fickle_node, coin, deployer, stranger):
    before = coin.balanceOf(stranger)
    nonce = deployer.nonce
    fickle_node.trouble = 0.2
    for _ in range(10):
        transact(coin.transfer, (stranger, 1), deployer)
    fickle_node.trouble = 0
    assert coin.balanceOf(stranger) == before + 10
    assert deployer.nonce == nonce + 10


def killed_while_it_pays(coin, account, to) -> None:
    """Its transaction is mined, and nobody got the receipt."""

    def kill(*_: object) -> NoReturn:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Outbox, "_receipt_given", kill)
        with pytest.raises(Killed):
            transact(coin.transfer, (to, 1), account)


def test_who_looks_sees_what_a_killed_process_sent_and_pays_again(coin, deployer, stranger):
    look()
    killed_while_it_pays(coin, deployer, stranger)
    transact(coin.transfer, (stranger, 1), deployer)  # wanted by who had not seen the first
    assert coin.balanceOf(stranger) == 1
    killed_while_it_pays(coin, deployer, stranger)
    look()
    transact(coin.transfer, (stranger, 1), deployer)
    assert coin.balanceOf(stranger) == 3


def test_logs_of_a_machine_that_is_behind_show_no_more_than_it_has(coin, deployer, stranger):
    """The block of the look came from one that is not."""
    killed_while_it_pays(coin, deployer, stranger)
    look()
    height = ape.chain.blocks.height
    with pytest.MonkeyPatch.context() as patch:
        end = Index._end
        patch.setattr(Index, "_end", lambda self, query, _: end(self, query, height - 1))
        logs_of(str(coin.address), 0, [])
    transact(coin.transfer, (stranger, 1), deployer)
    assert coin.balanceOf(stranger) == 1


def test_a_refusal_costs_nothing_and_is_told_in_words(fickle_node, coin, stranger):
    balance, nonce = stranger.balance, stranger.nonce
    with pytest.raises(ActionRefused) as refusal:
        transact(coin.transfer, (ape.accounts.test_accounts[0], 10**30), stranger)
    assert "ERC20InsufficientBalance" in refusal.value.message
    assert (stranger.balance, stranger.nonce) == (balance, nonce)


def test_nothing_is_sent_to_who_is_not_there(fickle_node, coin, deployer, stranger):
    """A reorganisation takes a contract back: a call would be taken, do nothing, and cost."""
    fickle_node.direct.provider.make_request("anvil_setCode", [str(coin.address), "0x"])
    balance, nonce = deployer.balance, deployer.nonce
    with pytest.raises(ActionRefused, match="has no contract there"):
        transact(coin.transfer, (stranger, 1), deployer)
    assert (deployer.balance, deployer.nonce) == (balance, nonce)


def test_who_leaves_outlasts_reorganisations(fickle_node, coin, deployer, stranger, monkeypatch):
    """Nobody else would offer again what it sent."""
    ask = fickle_node.direct.provider.make_request
    sent = transact(coin.transfer, (stranger, 3), deployer)
    waits: list[int] = []

    def rest(_: float) -> None:
        waits.append(ape.chain.blocks.height)
        if len(waits) == 5:
            ask("anvil_reorg", [waits[-1] - sent.block_number + 1, []])
        ask("evm_mine", [])

    monkeypatch.setattr(PULSE, "rest", rest)
    monkeypatch.setattr(STANDING, "account", deployer.address)
    stage.outlast_reorganisations()
    assert coin.balanceOf(stranger) == 3
    assert 5 + DEEPEST <= len(waits) <= 7 + DEEPEST, waits


def test_nobody_pays_a_contract_that_may_be_taken_back(
    fickle_node, mocks, deployer, stranger, monkeypatch, tmp_path
):
    """Money would lie at its address before it does, and be nobody's. A call without waits for
    nothing."""
    ask = fickle_node.direct.provider.make_request
    monkeypatch.setattr(stage, "chain_home", lambda: tmp_path)
    monkeypatch.setattr(PULSE, "rest", lambda _: ask("evm_mine", []))
    puppet = deployer.deploy(mocks["Puppet"])
    made = ape.chain.blocks.height
    transact(puppet.act, (stranger, b"", 0), deployer)
    assert ape.chain.blocks.height < made + DEEPEST
    paid = transact(puppet.act, (stranger, b"", 0), deployer, 5)
    assert made + DEEPEST < paid.block_number <= made + DEEPEST + 3
    ask("anvil_setCode", [str(puppet.address), "0x"])
    with pytest.raises(ActionRefused, match="has no contract there"):
        transact(puppet.act, (stranger, b"", 0), deployer, 5)
    assert puppet.balance == 5
    monkeypatch.setattr(reorganisations, "_longest", lambda: 0)
    young = deployer.deploy(mocks["Puppet"])
    with pytest.raises(ActionRefused, match="fewer than 12 blocks lie on the contract's creation"):
        transact(young.act, (stranger, b"", 0), deployer, 5)


def test_what_is_taken_back_before_its_receipt_is_read_ends_no_party(
    fickle_node, coin, deployer, stranger, monkeypatch
):
    """It looks again."""
    look()

    def gone(*_: object) -> NoReturn:
        raise TransactionNotFound("Transaction with hash: '0x1' not found.")

    with monkeypatch.context() as patch:
        patch.setattr(type(ape.chain.provider), "get_receipt", gone)
        with pytest.raises(ActionRefused, match="was taken back a moment after it was done"):
            transact(coin.transfer, (stranger, 1), deployer)
    assert coin.balanceOf(stranger) == 1


def test_no_key_is_shown_for_what_may_be_taken_back(
    fickle_node, coin, deployer, stranger, monkeypatch
):
    """A call that shows one waits until it would have been right twelve blocks ago, and whether it
    is due is read again. A chain that takes back what it answers sees no key."""
    ask = fickle_node.direct.provider.make_request
    monkeypatch.setattr(stage, "SHOWING", {"transfer"})
    monkeypatch.setattr(PULSE, "rest", lambda _: ask("evm_mine", []))
    minted = ape.chain.blocks.height
    with pytest.raises(Waited, match="waited: whether it is due is to be read again"):
        transact(coin.transfer, (stranger, 1), deployer)
    assert minted + DEEPEST <= ape.chain.blocks.height <= minted + DEEPEST + 2
    assert coin.balanceOf(stranger) == 0
    transact(coin.transfer, (stranger, 1), deployer)
    assert coin.balanceOf(stranger) == 1


def test_an_account_without_coins_is_told_what_it_has_and_needs(fickle_node, coin, stranger):
    """In one line of Souk's: nodes and wallets say it each in its own way, and at length."""
    fickle_node.direct.provider.make_request("anvil_setBalance", [stranger.address, hex(10**17)])
    with pytest.raises(ActionRefused, match=r"^0x\w+ has 0\.1 ETH, 0\.2 ETH and gas are needed$"):
        transact(coin.transfer, (stranger, 0), stranger, 2 * 10**17)
    fickle_node.direct.provider.make_request("anvil_setBalance", [stranger.address, "0x0"])
    with pytest.raises(ActionRefused, match="has 0 ETH, 0 ETH and gas are needed"):
        transact(coin.transfer, (stranger, 0), stranger)


def test_nothing_is_paid_above_the_users_cap(fickle_node, coin, deployer, stranger, monkeypatch):
    """And what a node refuses does not stand in the way of what comes later."""
    fickle_node.direct.provider.make_request("anvil_setNextBlockBaseFeePerGas", [hex(50 * GWEI)])
    monkeypatch.setattr(stage, "patience", lambda: Patience(cap=GWEI, confirmations=0))
    with pytest.raises(ActionRefused, match=r"costs 50\.0 gwei, more than the 1\.0 gwei allowed"):
        transact(coin.transfer, (stranger, 1), deployer)
    monkeypatch.setattr(stage, "patience", lambda: Patience(cap=60 * GWEI, confirmations=0))
    transact(coin.transfer, (stranger, 2), deployer)
    assert coin.balanceOf(stranger) == 2


def test_a_node_that_was_asked_too_often_is_asked_again(fickle_node, monkeypatch):
    """Some say so with HTTP 200; what they refuse for another reason is not asked again."""
    said = ["daily request count exceeded, request rate limited", "Too Many Requests"] * 2
    said.append("query returned more than 10000 results")
    asked = []

    def refuse(call):
        asked.append(call["method"])
        return {"code": -32_005, "message": said[len(asked) - 1]} if len(asked) <= 5 else None

    monkeypatch.setattr(fickle_node, "check", refuse)
    with pytest.raises(NodeRefused, match="more than 10000 results"):
        node.ask("eth_chainId", [])
    assert len(asked) == 5
    assert node.ask("eth_chainId", []) == hex(11_155_111)


def test_the_key_in_a_nodes_address_shows_in_no_message(monkeypatch):
    """Hosted nodes have the user's key in their address, and libraries print addresses."""
    response = requests.Response()
    response.status_code, response.url = 401, "https://node.example/v3/SECRET"

    def refuse(*_: object) -> None:
        response.raise_for_status()

    def hang_up(*_: object) -> None:
        raise requests.ConnectionError(f"no answer from {response.url}")

    for make_request in (refuse, hang_up):
        provider = SimpleNamespace(make_request=make_request)
        web3 = SimpleNamespace(web3=SimpleNamespace(provider=provider))
        monkeypatch.setattr(node, "ape", SimpleNamespace(chain=SimpleNamespace(provider=web3)))
        with pytest.raises(SoukError) as told:
            node.ask("eth_blockNumber", [])
        assert "SECRET" not in str(told.value)


@pytest.mark.parametrize(
    "words", ["already known", "AlreadyKnown: already imported", "nonce too low"]
)
def test_what_a_node_has_already_was_not_refused(monkeypatch, words):
    """Though another machine behind the same address has not heard of it."""

    def ask(method: str, _: list[object]) -> None:
        raise NodeRefused(-32_000, words)

    monkeypatch.setattr(node, "ask", ask)
    node.ConnectedPool().send(b"raw")
