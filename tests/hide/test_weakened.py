"""Attacks that the sale withstands, and that succeed where the defence against them is taken out.

Without the second half a test of the first would prove nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.evidence import key_evidence
from offchain.crypto.sealing import ORDER, point_of
from offchain.crypto.settlement import LONGEST_WINDOW
from offchain.hide.sale.listings import Sale
from tests.hide.listing_driver import PRICES, list_args, make_listing, open_shop
from tests.hide.weakened import SALE, WEAKENINGS
from tests.kit.mock_contracts import compile_mocks, deploy_token
from tests.kit.permits import signed_permit
from tests.kit.refusals import refusal
from tests.kit.sale import NO_KEY, OPEN, SEALED, STAKE
from tests.kit.weakened import check_attack, compile_switched, nobodys_files


@pytest.fixture(scope="module")
def weak(contract, deployer):
    """Weakened sales by name."""
    copies = compile_switched(WEAKENINGS, SALE)
    return {name: deployer.deploy(code) for name, code in copies.items()}


def opens(contract, seller, **changes):
    """A listing with these terms; None where the contract refuses them."""
    listing = make_listing(contract, seller, **changes)[0]
    if refusal(contract.list, *list_args(listing, 0), sender=seller):
        return None
    return open_shop(contract, seller, **changes)


def keeps_what_was_paid_for_ever(contract, seller, buyer, stranger):
    """A key that is due in 136 years: the buyer has neither key nor money until then."""
    shop = opens(contract, seller, delivery_time=2**32 - 1)
    if shop is None:
        return False
    shop.buy(buyer)
    shop.go_to(shop.now + LONGEST_WINDOW)
    return not shop.goes("refund", *shop.refund_args(buyer), sender=buyer)


def settles_before_anybody_can_look(contract, seller, buyer, stranger):
    """One second for disputes: in the block after the delivery of a spoilt file it is too late."""
    shop = opens(contract, seller, dispute_time=1, spoilt=(0, 1))
    if shop is None:
        return False
    shop.buy(buyer)
    shop.deliver(buyer)
    shop.lapse(buyer)
    return not shop.goes("proveSpoiltChunk", *shop.chunk_proof(buyer, 1), sender=buyer)


def cheats_more_than_it_can_repay(contract, seller, buyer, stranger):
    """A seller without funds spoils a chunk: the buyer is owed a stake that is not there."""
    shop = open_shop(contract, seller, funds=0, settlement=SEALED)
    return shop.refusal_of_buy(buyer) is None


def fills_the_funds_for_nothing(contract, seller, buyer, stranger):
    """To its key nothing can be sealed: the stake is held from others, and the price comes back."""
    shop = open_shop(contract, seller, funds=STAKE, settlement=SEALED)
    args = shop.buy_args(0, NO_KEY)
    if not shop.goes("buy", *args, sender=stranger, value=PRICES[0]):
        return False
    contract.buy(*args, value=PRICES[0], sender=stranger)
    refused_others = shop.refusal_of_buy(buyer) is not None
    shop.lapse(stranger)
    sale = Sale.of(shop.listing, 0, 0, NO_KEY).args()
    return refused_others and shop.goes("refund", shop.args, sale, stranger, sender=stranger)


def seals_rubbish_in_the_sellers_name(contract, seller, buyer, stranger):
    """A stranger delivers, so that the seller loses its stake."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer)
    args = (shop.args, buyer, shop.sale(buyer).args(), 5, bytes(32))
    return shop.goes("sealKey", *args, sender=stranger)


def complains_of_another_delivery(contract, seller, buyer, stranger):
    """A buyer seals itself a wrong key and shows that."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer)
    proof = shop.key_proof(buyer, shop.deliver(buyer))
    forged = key_evidence(shop.secret(buyer), *shop.seal_args(buyer, 0, bytes(32)))
    return shop.goes("proveWrongKey", *proof[:3], forged, sender=buyer)


def seals_to_no_point(contract, seller, buyer, stranger):
    """A seller names a point that is none, and the buyer cannot show what came of it."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer)
    proof = shop.key_proof(buyer, shop.deliver_words(buyer, 5, bytes(32)))
    return not shop.goes("proveWrongKey", *proof, sender=buyer)


def complains_by_another_secret(contract, seller, buyer, stranger):
    """A buyer of the right key has a second secret ready, whose point has an account like the
    first's: of n secrets it finds two that agree in 2 log2(n) bits."""
    found: dict[str, int] = {}
    for secret in range(1, 2**10):
        even = secret if point_of(secret).y % 2 == 0 else ORDER - secret
        tail = point_of(even).account[-4:]
        if tail in found:
            break
        found[tail] = even
    shop = open_shop(contract, seller, settlement=SEALED)
    key = point_of(found[tail]).x
    contract.buy(*shop.buy_args(0, key), value=PRICES[0], sender=buyer)
    shop.sales[buyer.address] = Sale.of(shop.listing, 0, 0, key)
    shop.secrets[buyer.address] = even
    return shop.goes("proveWrongKey", *shop.key_proof(buyer, shop.deliver(buyer)), sender=buyer)


def shows_a_point_of_its_own(contract, seller, buyer, stranger):
    """A buyer that got the right key opens it by another shared point."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer)
    proof = shop.key_proof(buyer, shop.deliver(buyer))
    return shop.goes("proveWrongKey", *proof[:3], (*proof[3][:3], 1, 1), sender=buyer)


def shows_a_chunk_of_its_own(contract, seller, buyer, stranger):
    """A buyer spoils a chunk itself."""
    shop = open_shop(contract, seller)
    shop.buy(buyer)
    shop.deliver(buyer)
    *head, evidence = shop.chunk_proof(buyer, 0)
    forged = (*evidence[:3], bytes(64), *evidence[4:])
    return shop.goes("proveSpoiltChunk", *head, forged, sender=buyer)


def decrypts_by_a_key_of_its_own(contract, seller, buyer, stranger):
    """Under another key every chunk looks spoilt."""
    shop = open_shop(contract, seller)
    shop.buy(buyer)
    shop.deliver(buyer)
    proof = shop.chunk_proof(buyer, 0)
    return shop.goes("proveSpoiltChunk", *proof[:3], bytes(32), proof[4], sender=buyer)


def takes_the_money_and_waits_for_the_key(contract, seller, buyer, stranger):
    """A buyer sees the key coming and is refunded before."""
    shop = open_shop(contract, seller)
    shop.buy(buyer)
    return shop.goes("refund", *shop.refund_args(buyer), sender=buyer)


def claims_a_higher_price(contract, seller, buyer, stranger):
    """A buyer of the cheapest level is refunded the price of the best."""
    shop = open_shop(contract, seller)
    shop.buy(buyer, 0)
    shop.lapse(buyer)
    dearer = replace(shop.sale(buyer), price=PRICES[0] + STAKE)
    return shop.goes("refund", shop.args, dearer.args(), buyer, sender=buyer)


def fills_the_funds_before_a_key(contract, seller, buyer, stranger):
    """In the token of such a supply the seller's key does not get in, and is in the queue."""
    token = deploy_token(compile_mocks()["PlainToken"], stranger, [seller, buyer])
    shop = open_shop(contract, seller, settlement=OPEN, token=token)
    shop.buy(buyer)
    brim = 2**96 - 1 - shop.funds
    token.mint(stranger, brim, sender=stranger)
    fund = (shop.args, brim)
    token.approve(contract, brim, sender=stranger)
    if not shop.goes("fund", *fund, sender=stranger):
        return False
    contract.fund(*fund, sender=stranger)
    return not shop.goes("publishKey", *shop.publish_args(buyer), sender=seller)


def keeps_what_an_account_cannot_receive(contract, seller, buyer, stranger):
    """A buyer with code that takes no coins is owed its price, and names another account."""
    puppet = stranger.deploy(compile_mocks()["Puppet"], value=PRICES[0])
    shop = open_shop(contract, seller, settlement=OPEN)
    bought = contract.buy.encode_input(*shop.buy_args(0, 0))
    puppet.act(contract.address, bought, PRICES[0], sender=stranger)
    shop.sales[puppet.address] = Sale.of(shop.listing, 0)
    shop.lapse(puppet)
    puppet.prepare(1, contract.address, b"", 0, sender=stranger)
    money = contract.refund.encode_input(*shop.refund_args(puppet, to=stranger))
    return refusal(puppet.act, contract.address, money, 0, sender=stranger) is not None


def sends_the_permit_first(contract, seller, buyer, stranger):
    """Anybody may use a permit that it saw in the queue; the purchase it came with goes on."""
    token = deploy_token(compile_mocks()["PermitToken"], stranger, [seller, buyer])
    shop = open_shop(contract, seller, settlement=OPEN, token=token)
    signed = signed_permit(token, buyer, contract, PRICES[0], 2**32)
    calls = [
        contract.permit.encode_input(token.address, PRICES[0], signed),
        contract.buy.encode_input(*shop.buy_args(0, 0)),
    ]
    assert shop.goes("multicall", calls, sender=buyer)
    deadline, *signature = signed
    token.permit(buyer, contract, PRICES[0], deadline, *signature, sender=stranger)
    return not shop.goes("multicall", calls, sender=buyer)


def sells_files_of_another(contract, seller, buyer, stranger):
    """A thief lists another's commitments and brings the key that the seller published."""
    shop = open_shop(contract, seller, settlement=OPEN)
    listing = replace(shop.listing, seller=stranger.address)
    funds = 10**6
    contract.list(*list_args(listing, funds), value=funds, sender=stranger)
    contract.buy(
        listing.terms(), 0, listing.offer(0), listing.path(0), 0, 0,
        value=PRICES[0], sender=buyer,
    )  # fmt: skip
    args = (listing.args(), buyer, Sale.of(listing, 0).args(), listing.goods(0), shop.keys[0])
    return shop.goes("publishKey", *args, sender=stranger)


ATTACKS = {
    "windows of any length": keeps_what_was_paid_for_ever,
    "windows of no length": settles_before_anybody_can_look,
    "sells without funds": cheats_more_than_it_can_repay,
    "believes any one-time key": fills_the_funds_for_nothing,
    "lets anybody seal": seals_rubbish_in_the_sellers_name,
    "believes any delivery": complains_of_another_delivery,
    "asks for a shared point always": seals_to_no_point,
    "compares accounts": complains_by_another_secret,
    "believes any shared point": shows_a_point_of_its_own,
    "believes any root": shows_a_chunk_of_its_own,
    "believes any key": decrypts_by_a_key_of_its_own,
    "files belong to nobody": sells_files_of_another,
    "refunds while the key may come": takes_the_money_and_waits_for_the_key,
    "lets anybody fund": fills_the_funds_before_a_key,
    "pays the caller alone": keeps_what_an_account_cannot_receive,
    "needs its own permit": sends_the_permit_first,
    "believes any sale": claims_a_higher_price,
}


def test_every_defence_has_its_attack():
    assert ATTACKS.keys() == WEAKENINGS.keys()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_needs_the_weakness(contract, weak, seller, buyer, stranger, name):
    twin = nobodys_files() if name == "files belong to nobody" else None
    check_attack(ATTACKS[name], contract, weak[name], seller, buyer, stranger, twin=twin)
