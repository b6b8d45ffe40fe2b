"""What a cheated buyer proves, and what nobody proves against an honest seller."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.crypto.disputable import encrypt_chunks
from offchain.crypto.evidence import key_evidence
from offchain.crypto.sealing import FIELD, ORDER, new_secret
from offchain.hide.sale.listings import Sale, SaleState
from tests.hide.listing_driver import PRICES, key_of, open_shop
from tests.kit.refusals import refused
from tests.kit.sale import OPEN, PLENTY, SEALED, STAKE, spoil
from tests.kit.snapshots import undone

FUZZ = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def prove(shop, name, args, buyer):
    """A proof, and the refund after it: the buyer gets its price and the stake, to the wei."""
    before = shop.balance
    receipt = getattr(shop.contract, name)(*args, sender=buyer)
    assert shop.state(buyer) is SaleState.CHEATED
    assert shop.balance == before
    refunded = shop.refund(buyer)
    (log,) = shop.contract.Refunded.from_receipt(refunded)
    assert log.amount == before - shop.balance == shop.sale(buyer).paid + STAKE
    return receipt


# ---------------------------------------------------------------- the cheated buyer


@pytest.mark.parametrize("delivered", [bytes(32), b"\xff" * 32, b"\1" * 32])
def test_a_wrong_key_costs_the_seller_its_stake(contract, seller, buyer, currency, delivered):
    shop = open_shop(contract, seller, settlement=SEALED, token=currency)
    shop.buy(buyer, 1)
    proof = shop.key_proof(buyer, shop.deliver(buyer, delivered))
    receipt = prove(shop, "proveWrongKey", proof, buyer)
    (log,) = contract.WrongKeyProved.from_receipt(receipt)
    assert (bytes(log.id), log.buyer) == (shop.id, buyer.address)
    assert (shop.funds, shop.held, shop.balance) == (PLENTY - STAKE, 0, PLENTY - STAKE)


@pytest.mark.parametrize("x", [0, 5, ORDER, FIELD, 2**256 - 1])
def test_a_point_that_is_none_counts_as_a_wrong_key(contract, seller, buyer, x):
    """What was sealed to it could be opened by nobody, and no product could be shown."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer)
    proof = shop.key_proof(buyer, shop.deliver_words(buyer, x, b"\1" * 32))
    prove(shop, "proveWrongKey", proof, buyer)


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("chunk", [0, 3, 5])
def test_a_spoilt_chunk_costs_the_seller_its_stake(shop, contract, buyer, level, chunk):
    """The first, one in the middle, and the last, which is shorter; by either settlement."""
    cheat = open_shop(
        contract, shop.seller, settlement=shop.listing.settlement, token=shop.token,
        spoilt=(level, chunk), stake=STAKE, task=b"\x0e" * 32,
    )  # fmt: skip
    assert cheat.files[level].shape.count == 6
    cheat.buy(buyer, level)
    cheat.deliver(buyer)
    before = cheat.funds
    receipt = prove(cheat, "proveSpoiltChunk", cheat.chunk_proof(buyer, chunk), buyer)
    (log,) = contract.SpoiltChunkProved.from_receipt(receipt)
    assert (bytes(log.id), log.buyer, log.chunk) == (cheat.id, buyer.address, chunk)
    paid = 0 if cheat.sealed else PRICES[level]
    assert before - cheat.funds == STAKE + paid
    assert (cheat.funds, cheat.held) == (PLENTY - STAKE, 0)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 16, 17])
def test_a_true_complaint_succeeds_at_any_size(contract, seller, buyer, count):
    """FairSwap's published code reverts on sizes but one; here of 32-byte chunks, each of them."""
    shop = open_shop(contract, seller, prices=(100,), settlement=OPEN)
    plain = encrypt_chunks(shop.domain(0), shop.keys[0], bytes(range(1, 33)) * count, 32)
    file = plain
    for chunk in range(count):
        file = spoil(file, chunk)
    shop = open_shop(contract, seller, prices=(100,), files=[file], settlement=OPEN)
    shop.buy(buyer)
    shop.deliver(buyer)
    for chunk in range(count):
        proof = shop.chunk_proof(buyer, chunk)
        assert shop.refusal("proveSpoiltChunk", *proof, sender=buyer) is None


def test_a_true_complaint_succeeds_on_65536_chunks(contract, seller, buyer):
    """At both ends and in the middle; and an honest chunk beside the spoilt ones is still right."""
    count, spoilt = 2**16, (0, 40_000, 2**16 - 1)
    shop = open_shop(contract, seller, prices=(100,))
    file = encrypt_chunks(shop.domain(0), shop.keys[0], bytes(32 * count), 32)
    for chunk in spoilt:
        file = spoil(file, chunk)
    shop = open_shop(contract, seller, prices=(100,), files=[file])
    shop.buy(buyer)
    shop.deliver(buyer)
    for chunk in (*spoilt, 1):
        outcome = shop.refusal("proveSpoiltChunk", *shop.chunk_proof(buyer, chunk), sender=buyer)
        assert outcome == (None if chunk in spoilt else refused("ChunkIsRight", chunk))


def test_all_who_were_cheated_are_served(contract, seller, accounts, settlement):
    """Each finds its own, whoever comes first and whatever the seller withdraws before."""
    buyers = accounts[14:20]
    hold = STAKE if settlement else STAKE + PRICES[0]
    shop = open_shop(
        contract, seller, funds=len(buyers) * hold, settlement=settlement, spoilt=(0, 2)
    )
    for one in buyers:
        shop.buy(one, 0)
        shop.deliver(one)
    free = shop.funds - shop.held
    if free:
        shop.withdraw(free)
    for one in reversed(buyers):
        contract.proveSpoiltChunk(*shop.chunk_proof(one, 2), sender=one)
    for one in buyers:
        shop.refund(one)
    assert (shop.funds, shop.held, shop.balance) == (0, 0, 0)


def test_a_cheated_upgrade_leaves_what_was_owned(contract, seller, buyer, settlement):
    shop = open_shop(contract, seller, settlement=settlement, spoilt=(2, 0))
    shop.buy(buyer, 0)
    shop.deliver(buyer)
    shop.accept(buyer)
    owned = shop.status(buyer)
    shop.buy(buyer, 2)
    shop.deliver(buyer)
    prove(shop, "proveSpoiltChunk", shop.chunk_proof(buyer, 0), buyer)
    assert shop.status(buyer) == owned
    assert shop.funds == PLENTY + PRICES[0] - STAKE


# ---------------------------------------------------------------- the honest seller


@given(st.data())
@FUZZ
def test_no_evidence_convicts_a_seller_that_sealed_the_right_key(contract, seller, buyer, data):
    """Any words for any part of the evidence: each is refused, and by a reason that fits."""
    word = st.one_of(st.integers(0, 2**256 - 1), st.sampled_from([0, 1, ORDER, ORDER - 1, FIELD]))
    with undone():
        shop = open_shop(contract, seller, settlement=SEALED)
        shop.buy(buyer, 1)
        proof = shop.key_proof(buyer, shop.deliver(buyer))
        assert shop.refusal("proveWrongKey", *proof, sender=buyer).name == "KeyIsRight"
        evidence = list(proof[3])
        for place in data.draw(st.sets(st.integers(0, 4), min_size=1)):
            value = data.draw(word)
            evidence[place] = value.to_bytes(32, "big") if place == 2 else value
        outcome = shop.refusal("proveWrongKey", *proof[:3], tuple(evidence), sender=buyer)
        assert outcome.name in {"WrongDelivery", "NotTheSecret", "SharedPointMismatch"}


@given(st.data())
@FUZZ
def test_no_evidence_convicts_a_seller_whose_file_is_right(contract, seller, buyer, data):
    """Any chunk, leaf, place, shape, path or key instead of its own."""
    with undone():
        shop = open_shop(contract, seller, settlement=SEALED)
        shop.buy(buyer, 1)
        shop.deliver(buyer)
        chunk = data.draw(st.integers(0, 5))
        proof = shop.chunk_proof(buyer, chunk)
        outcome = shop.refusal("proveSpoiltChunk", *proof, sender=buyer)
        assert outcome == refused("ChunkIsRight", chunk)
        key, evidence = proof[3], list(proof[4])
        small = st.integers(0, 500)
        word = st.binary(min_size=32, max_size=32)
        for place in data.draw(st.sets(st.integers(0, 7), min_size=1)):
            if place < 3:
                evidence[place] = data.draw(small)
            elif place == 3:
                evidence[3] = data.draw(st.binary(max_size=130))
            elif place == 4:
                evidence[4] = data.draw(word)
            elif place < 7:
                path = list(evidence[place])
                change = data.draw(st.sampled_from(["drop", "add", "swap"]))
                if change == "drop":
                    path = path[1:]
                elif change == "add":
                    path.append(data.draw(word))
                else:
                    path.reverse()
                evidence[place] = path
            else:
                key = data.draw(word)
        if (key, evidence) == (proof[3], list(proof[4])):
            return
        args = (*proof[:3], key, tuple(evidence))
        outcome = shop.refusal("proveSpoiltChunk", *args, sender=buyer)
        assert outcome is not None


@pytest.mark.parametrize(
    ("place", "value", "name"),
    [
        (2, 6, "ChunkOutOfRange"),
        (0, 0, "ChunkOutOfRange"),
        (1, 0, "ChunkOutOfRange"),
        (3, b"", "WrongChunkLength"),
        (3, bytes(65), "WrongChunkLength"),
        (3, bytes(64), "NotInFile"),
        (4, bytes(32), "NotInFile"),
        (5, [], "ProofLength"),
        (6, [bytes(32)] * 4, "ProofLength"),
        (5, [bytes(32)] * 3, "NotInFile"),
        (0, 341, "NotInFile"),
    ],
)
def test_bad_evidence_of_a_chunk_is_refused_by_name(contract, seller, buyer, place, value, name):
    shop = open_shop(contract, seller)
    shop.buy(buyer, 1)
    shop.deliver(buyer)
    proof = shop.chunk_proof(buyer, 1)
    evidence = list(proof[4])
    evidence[place] = value
    args = (*proof[:4], tuple(evidence))
    assert shop.refusal("proveSpoiltChunk", *args, sender=buyer).name == name
    other_key = (*proof[:3], shop.keys[0], proof[4])
    assert shop.refusal("proveSpoiltChunk", *other_key, sender=buyer).name == "NotTheKey"
    goods = (*proof[:2], shop.listing.goods(0), *proof[3:])
    assert shop.refusal("proveSpoiltChunk", *goods, sender=buyer).name == "WrongGoods"


def test_somebody_elses_key_proves_nothing(contract, seller, buyer, other):
    """Neither the wrong one-time secret nor another buyer's delivery."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer)
    shop.buy(other)
    good = shop.key_proof(buyer, shop.deliver(buyer))
    bad = shop.key_proof(other, shop.deliver(other, bytes(32)))
    assert shop.refusal("proveWrongKey", *good[:3], bad[3], sender=buyer).name == "WrongDelivery"
    foreign = key_evidence(new_secret(), *good[3][1:3])
    assert shop.refusal("proveWrongKey", *good[:3], foreign, sender=buyer).name == "NotTheSecret"
    point = (*good[3][:3], *bad[3][3:])
    outcome = shop.refusal("proveWrongKey", *good[:3], point, sender=buyer)
    assert outcome.name == "SharedPointMismatch"
    # The cheated one's proof in another's name finds no such sale there.
    assert shop.refusal("proveWrongKey", *bad, sender=buyer).name == "WrongSale"
    goods = (*bad[:2], shop.listing.goods(1), bad[3])
    assert shop.refusal("proveWrongKey", *goods, sender=other).name == "WrongGoods"


def test_a_sealed_key_is_of_its_own_contract(contract, project, deployer, seller, buyer):
    """The same one-time key at another contract of the same code: the wrong key was sealed here."""
    cheat = open_shop(contract, seller, settlement=SEALED)
    cheat.buy(buyer)
    elsewhere = project.CleanerSale.deploy(sender=deployer)
    honest = open_shop(elsewhere, seller, settlement=SEALED)
    key = cheat.sale(buyer).one_time_key
    elsewhere.buy(*honest.buy_args(0, key), value=PRICES[0], sender=buyer)
    honest.sales[buyer.address] = Sale.of(honest.listing, 0, 0, key)
    wrong = cheat.key_proof(buyer, cheat.deliver(buyer, bytes(32)))
    honest.secrets[buyer.address] = cheat.secret(buyer)
    right = honest.key_proof(buyer, honest.deliver(buyer))
    assert honest.refusal("proveWrongKey", *right, sender=buyer).name == "KeyIsRight"
    offered = (*right[:3], wrong[3])
    assert honest.refusal("proveWrongKey", *offered, sender=buyer).name == "WrongDelivery"
    assert cheat.refusal("proveWrongKey", *wrong, sender=buyer) is None
    assert honest.refusal("proveWrongKey", *wrong, sender=buyer).name == "UnknownListing"


def test_an_open_sale_knows_no_sealed_key(contract, seller, buyer):
    shop = open_shop(contract, seller)
    shop.buy(buyer)
    shop.deliver(buyer)
    args = (shop.args, shop.sale(buyer).args(), shop.listing.goods(0), (1, 5, bytes(32), 0, 0))
    assert shop.refusal("proveWrongKey", *args, sender=buyer) == refused("WrongSettlement", 0, 1)


def test_evidence_from_another_listing_is_worth_nothing(contract, project, deployer, seller, buyer):
    """A seller that is careless enough to use the same key twice: bound to task and contract."""
    cheat = open_shop(contract, seller, spoilt=(0, 1))
    cheat.buy(buyer)
    cheat.deliver(buyer)
    true = cheat.chunk_proof(buyer, 1)
    assert cheat.refusal("proveSpoiltChunk", *true, sender=buyer) is None
    keys = [key_of(i, seller.address) for i in range(3)]
    elsewhere = project.CleanerSale.deploy(sender=deployer)
    for where, changes in ((contract, {"task": b"\x0e" * 32}), (elsewhere, {})):
        honest = open_shop(where, seller, keys=keys, **changes)
        honest.buy(buyer)
        honest.deliver(buyer)
        args = (honest.args, honest.sale(buyer).args(), honest.listing.goods(0), *true[3:])
        assert honest.refusal("proveSpoiltChunk", *args, sender=buyer).name == "NotInFile"
