"""`ape run sell`: its help, and one clear line for whatever cannot be done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import ape
import pytest
from click.testing import CliRunner, Result

from offchain.crypto.evidence import key_evidence
from offchain.crypto.settlement import NATIVE
from offchain.hide import networks
from offchain.hide.sale.errors import SaleError
from offchain.roles import Action, Clock
from scripts import sell
from scripts._hide import names
from scripts._hide.chain import SaleChain
from scripts._hide.stories import STORIES
from scripts._stage.chain import ActionRefused
from scripts._stage.table import Pause
from tests.hide.listing_driver import PRICES, ListingDriver, open_shop
from tests.kit.sale import OPEN, SEALED, SOME_KEY

NOWHERE = "0x000000000000000000000000000000000000dEaD"
REFUSED = {
    "story": (["--story", "lucky"], "'lucky' is not one of"),
    "settlement": (["--settlement", "closed"], "'closed' is not one of"),
    "settlement of the story": (
        ["--story", "wrong-key", "--settlement", "open"],
        "settlement: open, the story needs sealed",
    ),
    "too few prices": (["--prices", "1 ether"], "prices: 1 for 3 levels"),
    "prices that fall": (
        ["--prices", "3 gwei,2 gwei,4 gwei"],
        "prices: 2000000000 wei after 3000000000 wei, must rise",
    ),
    "price in words": (["--prices", "1 ether,plenty,3 ether"], "prices: 'plenty' is no amount"),
    "price zero": (["--prices", "0,1 ether,2 ether"], "prices: 0 is 0 wei, must be 1 to 2^96 - 1"),
    "stake zero": (["--stake", "0 ether"], "stake: 0 ether is 0 wei, must be 1 to 2^96 - 1"),
    "token nowhere": (["--token", NOWHERE], f"token: no contract lives at {NOWHERE}"),
    "pay to nobody": (["--pay-to", "0x" + "00" * 20], "pay-to: nobody has the account of zero"),
    "no such level": (["--buyers", "1,4"], "buyers: level 4, must be 1 to 3"),
    "level zero": (["--buyers", "0"], "buyers: level 0, must be 1 to 3"),
    "no level": (["--buyers", "1,best"], "buyers: 'best' is no level"),
    "downgrade": (["--buyers", "3+1"], "buyers: 3+1, levels must rise"),
    "too many buyers": (["--buyers", ",".join("1" * 29)], "29 buyers, but only 28 test accounts"),
    "alone": (["--story", "collusion", "--buyers", "1"], "it takes 2 to pool"),
    "levels in words": (["--levels", "low,high"], "levels are numbers by commas"),
    "level out of range": (["--levels", "0.3,0.5,1.2"], "above 0 and below 1, not 1.2"),
    "levels twice": (["--levels", "0.3,0.3,0.5"], "asked for once"),
    "epsilon": (["--epsilon", "65"], "from 1 to 64, not 65"),
    "tolerance": (["--tolerance", "1"], "1.0 is not in the range 0<x<1"),
    "device": (["--device", "abacus"], "'abacus'"),
    "dataset": (["--dataset", "no/such/folder"], "'no/such/folder' is no directory"),
    "too few images": (["--test", "5001"], "5000 are available"),
    "ipfs": (["--ipfs", "http://127.0.0.1:9"], "no IPFS node answers at http://127.0.0.1:9 ("),
    "window": (["--window-minutes", "9"], "9.0 is not in the range 10<=x<=10000"),
}


@pytest.fixture
def invoke(project, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs the command on the tests' chain, in an empty folder."""
    monkeypatch.setenv("APE_FOUNDRY_HOST", ape.chain.provider.uri)
    places = ["--reports", str(tmp_path / "reports"), "--keep", str(tmp_path / "keep")]
    return lambda *options: CliRunner().invoke(sell.cli, [*places, *options])


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, tmp_path, what: str) -> None:
    """The line names value and bound; chain and files stay as they were."""
    options, words = REFUSED[what]
    height = ape.chain.blocks.height
    result = invoke(*options)
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code != 0
    assert words in message
    assert "\n" not in message
    assert ape.chain.blocks.height == height
    assert not list(tmp_path.iterdir())


def test_help_explains_every_option_and_names_every_story() -> None:
    """No option without a word on it, no story and no network left out."""
    assert (*STORIES,) == sell.STORY_NAMES
    assert tuple(networks.NETWORKS) == names.NETWORKS
    text = CliRunner().invoke(sell.cli, ["--help"]).output
    for option in sell.cli.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]
    for name in (*STORIES, "all"):
        assert name in "".join(text.split())


def test_help_loads_no_library_that_takes_seconds() -> None:
    """`--help` answers at once: neither torch nor matplotlib is imported for it."""
    code = "import json, sys, scripts.sell; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "matplotlib", "torchvision"} & set(json.loads(done.stdout))


# ---------------------------------------------------------------- what the contract refuses


def _buy(shop: ListingDriver, level: int, pays: int) -> Action:
    _, key = shop.one_time_key()
    return Action("buy", shop.buy_args(level, key), pays)


def _wrong_price(shop, buyer, other):
    return _buy(shop, 0, PRICES[0] - 1), "WrongPayment (paid 999, due 1000)"


def _unknown_listing(shop, buyer, other):
    cheaper = replace(shop.listing, stake=1)
    words = (cheaper.terms(), *shop.buy_args(0, SOME_KEY)[1:])
    return Action("buy", words, PRICES[0]), "UnknownListing (id "


def _wrong_level(shop, buyer, other):
    words = (shop.listing.terms(), 2, *shop.buy_args(0, SOME_KEY)[2:])
    return Action("buy", words, PRICES[0]), "UnknownListing (id "


def _second_purchase(shop, buyer, other):
    shop.buy(buyer)
    return _buy(shop, 1, PRICES[1]), "SaleUnderWay (state 1)"


def _same_level_again(shop, buyer, other):
    shop.buy(buyer)
    shop.deliver(buyer)
    shop.accept(buyer)
    return _buy(shop, 0, 0), "LevelNotAbove (level 0, owned 1)"


def _after_closing(shop, buyer, other):
    shop.contract.close(shop.args, sender=shop.seller)
    return _buy(shop, 0, PRICES[0]), "ListingIsClosed (id "


def _late_dispute(shop, buyer, other):
    shop.buy(buyer)
    proof = shop.key_proof(buyer, shop.deliver(buyer, bytes(range(32))))
    shop.lapse(buyer)
    return Action("proveWrongKey", proof), "TooLate (now_ "


def _anothers_key(shop, buyer, other):
    shop.buy(buyer)
    secret, _ = shop.one_time_key()
    args = list(shop.key_proof(buyer, shop.deliver(buyer, bytes(range(32)))))
    _, x, sealed, *_ = args[3]
    args[3] = key_evidence(secret, x, sealed)
    return Action("proveWrongKey", tuple(args)), "NotTheSecret"


def _early_refund(shop, buyer, other):
    shop.buy(buyer)
    return Action("refund", shop.refund_args(buyer)), "TooEarly (now_ "


BY_BUYER = {
    "wrong price": _wrong_price,
    "unknown listing": _unknown_listing,
    "wrong level": _wrong_level,
    "second purchase": _second_purchase,
    "same level again": _same_level_again,
    "after closing": _after_closing,
    "late dispute": _late_dispute,
    "another's key": _anothers_key,
    "early refund": _early_refund,
}


@pytest.mark.parametrize("what", BY_BUYER)
def test_a_refused_call_is_told_by_its_error_and_costs_gas_alone(
    contract, seller, buyer, other, what: str
) -> None:
    """One line with all values; the money is where it was, and the adapter remembers the call."""
    shop = open_shop(contract, seller, settlement=SEALED)
    action, words = BY_BUYER[what](shop, buyer, other)
    chain = SaleChain(contract, shop.id, NATIVE, 0, closing=0)
    held, before = shop.balance, shop.money(buyer)
    with pytest.raises(ActionRefused) as refused:
        chain.send(action, buyer)
    line = refused.value.message
    assert line.startswith(f"{action.call} by {buyer.address} refused: {words}")
    assert "\n" not in line
    assert shop.balance == held
    assert before - shop.money(buyer) == chain.fees().get(str(buyer.address), 0)
    assert chain.refused == [action.call]


def test_a_late_delivery_is_refused(contract, seller, buyer) -> None:
    """The seller is told, and the buyer can have its money."""
    shop = open_shop(contract, seller, settlement=OPEN)
    shop.buy(buyer)
    shop.lapse(buyer)
    chain = SaleChain(contract, shop.id, NATIVE, 0, closing=0)
    with pytest.raises(ActionRefused, match=r"publishKey by .* refused: TooLate"):
        chain.send(Action("publishKey", shop.publish_args(buyer)), seller)
    shop.refund(buyer)


def test_a_buyer_goes_home_from_no_listing_that_was_only_taken_back(shop, buyer) -> None:
    """A reorganisation takes the listing's block; what made it is offered again. With the listing
    there and nothing bought, all is over for it."""
    token = shop.listing.token
    there = SaleChain(shop.contract, shop.id, token, 0, buyer=str(buyer.address))
    gone = SaleChain(shop.contract, b"\1" * 32, token, 0, buyer=str(buyer.address))
    assert there.pause(there.read(), Clock(1, 1)) is None
    assert gone.pause(gone.read(), Clock(1, 1)) == Pause(None)


def test_the_events_of_a_listing_tell_what_the_contract_keeps(shop, buyer, other) -> None:
    """Roles see the same money, states and windows as the chain, whatever pays."""
    chain = SaleChain(shop.contract, shop.id, shop.listing.token, 0, closing=0)

    def compare() -> None:
        session = chain.read()
        assert session.listed.levels == shop.listing.levels
        assert session.listed.hold(7) == shop.listing.hold(7)
        assert (session.funds, session.held) == (shop.funds, shop.held)
        for account in (buyer, other):
            state, level, owned, deadline, content = shop.status(account)
            purchase = session.purchases.get(str(account.address))
            if purchase is None:
                assert state == 0
                continue
            assert (purchase.state, purchase.owned) == (state, owned)
            if state in (1, 2):
                assert (purchase.level, purchase.deadline) == (level, deadline)
                assert purchase.sale.digest() == content

    compare()
    shop.buy(buyer, 1)
    shop.buy(other, 0)
    compare()
    shop.deliver(buyer)
    compare()
    shop.accept(buyer)
    compare()
    shop.buy(buyer, 2)
    shop.lapse(buyer)
    compare()
    shop.settle(buyer, other)
    compare()
    shop.refund(other)
    shop.refund(buyer)
    compare()


def test_a_listing_that_nobody_made_is_said_to_be_none(contract) -> None:
    """By its id and its contract."""
    session = SaleChain(contract, b"\1" * 32, NATIVE, 0, closing=0).read()
    with pytest.raises(SaleError, match=f"no listing 0x0101.* at {contract.address}"):
        _ = session.listed
