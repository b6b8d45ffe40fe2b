"""A buyer opens what it bought, whatever else its seller wrote about where it lies."""

from __future__ import annotations

import pytest

from offchain.crypto.settlement import Settlement
from offchain.mde.artefact import artefact_bytes
from offchain.mde.letters import Letter, Offer
from offchain.mde.owner import Owner
from offchain.mde.purchase import bought_key, fetch_bought, is_what_was_sold, offered_at
from offchain.mde.seller import Seller
from offchain.mde.training import Trainer
from offchain.storage import ContentMissing, cid_of
from tests.kit.wallets import KeyWallet
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS, MarketInMemory
from tests.offchain.mde.small import fitted, linear, small_asked, small_task


@pytest.fixture(scope="module")
def bought(tmp_path_factory):
    """A market in which one dataset was sold, and its sale."""
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    file = artefact_bytes(owner.oracle(SETTINGS["influence"]), PRICE)
    folder = tmp_path_factory.mktemp("market")
    market = MarketInMemory(folder, file, Seller, settlement=Settlement.OPEN).run()
    (sale,) = market.session.sales.values()
    return market, sale


def test_what_was_told_to_others_or_lies_nowhere_hides_nothing_bought(bought):
    """The first letter that names the dataset went to another, and the next two lead elsewhere."""
    market, sale = bought
    (true,) = {one.message.file for one in market.deals.letters if isinstance(one.message, Offer)}
    seller, buyer = market.roles[1].account, market.buyer.account
    wrong = [
        (KeyWallet("another").address, cid_of(b"for another")),
        (buyer, cid_of(b"nowhere")),
        (buyer, market.store.put(b"no file")),
    ]
    letters = [Letter(seller, to, Offer(sale.dataset, cid)) for to, cid in wrong]
    letters += market.deals.letters
    cids = offered_at(sale, letters)
    assert cids == [wrong[1][1], wrong[2][1], true]
    key = bought_key(market.session, sale, market.buyer.vault.secrets_file)
    told = market.session, sale, small_asked(), market.store
    found = fetch_bought(*told, cids, key)
    assert found.cid == true
    assert is_what_was_sold(market.session, sale, found.samples, key)
    with pytest.raises(ContentMissing):  # the twin: takes the first
        fetch_bought(*told, cids[:1], key)
