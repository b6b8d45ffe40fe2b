"""Whole sessions that go well: hidden and published, native and token, one shard to many."""

import ape
import pytest

from tests.hyperx.session_driver import OPEN, SEALED, open_session


@pytest.mark.parametrize("settlement", [OPEN, SEALED], ids=["open", "sealed"])
@pytest.mark.parametrize("coin", ["native", "token"])
@pytest.mark.parametrize("draw", [False, True], ids=["chosen sample", "random sample"])
@pytest.mark.parametrize("shards", [2, 300])
def test_the_chosen_provider_swaps_its_dataset_for_the_reward(
    factory, collector, provider, rival, token, published, coin, draw, shards, settlement
):
    """Winner: reward more. Loser: unchanged. Collector: the reward less. Contract: empty."""
    terms = {"publishedAddresses": published, "shardCount": shards, "sampleBps": 5_000}
    terms["settlement"] = settlement
    if coin == "token":
        terms["token"] = token
    fees = dict.fromkeys((collector, provider, rival), 0)
    parties = (collector, provider, rival)
    start_block = _height()
    before = {p: _balance(p, token if coin == "token" else None) for p in parties}

    driver = open_session(factory, collector, **terms)
    for p in (provider, rival):
        driver.register(p)
        if draw:
            driver.request_draw(p)
            driver.draw(p)
        else:
            driver.sample(p)
        driver.submit_features(p)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    driver.strike_deal(provider)
    driver.claim_deposit(rival)

    if coin == "native":
        fees = _fees_since(start_block, parties)
    gained = {p: driver.balance(p) - before[p] + fees[p] for p in parties}
    reward = driver.terms.reward
    assert gained == {collector: -reward, provider: reward, rival: 0}
    assert driver.balance(driver.session) == 0


def _height():
    return ape.chain.blocks.height


def _balance(account, token):
    return token.balanceOf(account) if token else account.balance


def _fees_since(block, parties):
    fees = dict.fromkeys(parties, 0)
    by_address = {p.address: p for p in parties}
    web3 = ape.chain.provider.web3
    for number in range(block + 1, ape.chain.blocks.height + 1):
        for hash_ in web3.eth.get_block(number)["transactions"]:
            receipt = web3.eth.get_transaction_receipt(hash_)
            fees[by_address[receipt["from"]]] += receipt["gasUsed"] * receipt["effectiveGasPrice"]
    return fees
