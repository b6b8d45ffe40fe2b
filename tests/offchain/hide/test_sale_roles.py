"""Seller and buyer of a masked dataset: what they check, deliver, prove and leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.disputable import EncryptedFile, encrypt_file
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.hide.cleaner import encode_cleaner
from offchain.hide.sale.adversaries import FalseAccuser, NeverDelivers, WrongKey, with_spoilt_chunk
from offchain.hide.sale.buyer import BAD_GOODS
from offchain.hide.sale.catalogue import Catalogue
from offchain.hide.sale.errors import SaleError
from offchain.hide.sale.events import Bought, ListingClosed
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import MASKED, keep, kept_stock
from offchain.models.canonical import to_canonical
from offchain.policy import Limit, Policy, TermsRefused
from offchain.storage import cid_from_digest, cid_of, digest_of
from offchain.task import Task
from tests.offchain.hide.sale_in_memory import (
    ANNA,
    CHAIN_ID,
    CLOSING,
    CONTRACT,
    DELIVERY_TIME,
    DISPUTE_TIME,
    FUNDS,
    LICENCE,
    PRICES,
    STAKE,
    SaleInMemory,
)
from tests.offchain.hide.small import made_up, made_up_family

BERT = "0x" + "be" * 20
OPEN, SEALED = Settlement.OPEN, Settlement.SEALED
CID = cid_of(b"a file")


def _told(files, **changes):
    """A catalogue that says this."""
    told = {"counter": "JPEG", "files": files, "masked": 0.1, "network": "plain", "regained": 0.2}
    return to_canonical(told | changes)


@pytest.fixture(params=[OPEN, SEALED], ids=["open", "sealed"])
def shop(request, tmp_path):
    """A listing that stands."""
    shop = SaleInMemory(tmp_path, request.param)
    assert shop.all(shop.seller()) == ["list"]
    return shop


@pytest.fixture
def sealed(tmp_path):
    """One under sealed settlement."""
    shop = SaleInMemory(tmp_path)
    shop.do(shop.seller())
    return shop


def delivered(shop, *wants, seller=None, buyer=None):
    """Anna, with a key."""
    anna = buyer or shop.buyer(*wants)
    assert shop.all(anna) == ["buy"]
    assert shop.do(seller or shop.seller()) in ("sealKey", "publishKey")
    return anna


# ---------------------------------------------------------------- what a seller prepares


def test_what_is_prepared_is_what_is_listed_and_the_same_again(shop):
    """Every file is in the datastore and matches its commitment; a restart lists nothing else."""
    catalogue = Catalogue.from_bytes(shop.network[shop.stock.catalogue])
    for level, cid in enumerate(catalogue.files):
        file = EncryptedFile.from_bytes(shop.network[cid])
        offer = shop.stock.listing.levels[level]
        file.require_committed(shop.session().domain(level), offer.file)
        assert offer.accuracy_bps == round(shop.family.levels[level].wanted * 10_000)
    assert shop.prepared(shop.family) == shop.stock
    assert shop.do(shop.seller()) is None


def test_keys_are_shown_by_no_message(shop):
    """Neither what is published nor how the stock prints itself has a key."""
    for key in shop.stock.keys:
        assert not any(key in content for content in shop.network.values())
        assert key.hex() not in repr(shop.stock)


@pytest.mark.parametrize("prices", [(1, 2), (1, 3, 3), (0, 1, 2)])
def test_prices_that_do_not_fit_are_refused(tmp_path, prices):
    """One price for each level, rising, above zero."""
    with pytest.raises(SaleError, match="prices"):
        SaleInMemory(tmp_path, prices=prices)


# ---------------------------------------------------------------- before a buyer pays


def _closed(shop):
    shop.now = CLOSING
    shop.do(shop.seller())


def _task_of(shop):
    return Task.from_bytes(shop.network[cid_from_digest(shop.stock.listing.task)])


def _task_gone(shop):
    del shop.network[cid_from_digest(shop.stock.listing.task)]


def _masked_gone(shop):
    del shop.network[_task_of(shop).document(MASKED)]


def _other_classes(shop):
    """Listed under a task that calls the classes of the same pictures otherwise."""
    shop.stock = shop.prepared(shop.family, task=replace(_task_of(shop), classes=("a", "b", "c")))
    shop.events.clear()
    shop.do(shop.seller())


def _file_gone(shop):
    del shop.network[Catalogue.from_bytes(shop.network[shop.stock.catalogue]).files[1]]


def _another_file(shop):
    _retell(shop, _retold(shop, lambda files: files[::-1][:1] * 3))


def _too_few_files(shop):
    _retell(shop, _retold(shop, lambda files: files[:1]))


def _cut_file(shop):
    def cut(files):
        return (files[0], shop.store.put(shop.network[files[1]][:-1]), files[2])

    _retell(shop, _retold(shop, cut))


def _no_catalogue(shop):
    _retell(shop, shop.store.put(b"come in and look"))


def _retell(shop, catalogue):
    """The listing's event names another catalogue."""
    event, time = shop.events[0]
    shop.events[0] = (replace(event, catalogue=digest_of(catalogue)), time)


def _retold(shop, change):
    told = Catalogue.from_bytes(shop.network[shop.stock.catalogue])
    return shop.store.put(replace(told, files=tuple(change(told.files))).to_bytes())


def _funds_gone(shop):
    shop.events[0] = (replace(shop.events[0][0], funds=STAKE - 1), shop.events[0][1])


def _at_most(name, most):
    return Policy({name: Limit(most=most)})


BEFORE_PAYING = {
    "closed": (_closed, Policy(), "takes no more purchases"),
    "dear": (lambda shop: None, _at_most("price", 2_499), "price: 2500, at most 2499"),
    "slow": (lambda shop: None, _at_most("delivery time", 99), "time: 100, at most 99"),
    "hasty": (
        lambda shop: None,
        Policy({"dispute time": Limit(least=61)}),
        "time: 60, at least 61",
    ),
    "no funds": (_funds_gone, Policy(), "free funds of 399 do not answer for"),
    "no task": (_task_gone, Policy(), "is not there"),
    "no data": (_masked_gone, Policy(), "is not there"),
    "other classes": (_other_classes, Policy(), "or otherwise called"),
    "no file": (_file_gone, Policy(), "is not there"),
    "another file": (_another_file, Policy(), "file is .*, committed is"),
    "too few files": (_too_few_files, Policy(), "1 files, none of level 2"),
    "cut file": (_cut_file, Policy(), "encrypted file has .* bytes, needs"),
    "no catalogue": (_no_catalogue, Policy(), "no JSON document"),
}


@pytest.mark.parametrize("what", BEFORE_PAYING)
def test_nothing_is_paid_for_what_is_not_as_it_should_be(shop, what):
    """One line says why, and the buyer keeps its money."""
    spoil, policy, words = BEFORE_PAYING[what]
    spoil(shop)
    anna = shop.buyer(1, policy=policy)
    assert shop.all(anna) == []
    with pytest.raises(Exception, match=words):
        anna.check(1)
    assert "\n" not in anna.objections[1]


def test_nothing_is_paid_in_a_token_that_its_owner_does_not_take(shop):
    """Whose price is a number of its smallest units says nothing of what it is worth."""
    own = shop.session().listed.token.lower()
    anna = shop.buyer(1, tokens={"0x" + "77" * 20})
    assert shop.all(anna) == []
    assert "which is not among those taken" in anna.objections[1]
    assert shop.do(shop.buyer(1, tokens={own})) == "buy"


def test_nothing_is_bought_under_a_licence_that_its_owner_does_not_take(shop):
    """One line names both; under one that it takes it buys."""
    anna = shop.buyer(1, licences=("MIT", "CC0-1.0"))
    assert shop.all(anna) == []
    assert anna.objections[1] == "licence: 'CC-BY-4.0' is given, taken is MIT, CC0-1.0"
    assert shop.do(shop.buyer(1, licences=("MIT", LICENCE))) == "buy"


def test_each_may_have_another_account_paid_in_its_place(shop):
    """A buyer for what never came, a seller for what is left in the end."""
    anna = shop.buyer(1, pay_to=BERT)
    shop.do(anna)
    shop.now += DELIVERY_TIME
    assert shop.do(anna) == "refund"
    shop.now = CLOSING
    assert shop.all(shop.seller(pay_to=BERT)) == ["close", "withdraw"]
    assert [
        action.arguments[-1] for action in shop.sent if action.call in ("refund", "withdraw")
    ] == [BERT, BERT]


def test_a_level_that_is_not_offered_is_refused(shop):
    """By its number, as people count."""
    anna = shop.buyer(7)
    assert shop.all(anna) == []
    assert anna.objections[7] == "the listing has levels 1 to 3, not 8"


def test_what_a_buyer_pays_for_stays_in_its_hands(shop):
    """The seller may take everything out of the datastore once it is paid, and she may restart."""
    anna = delivered(shop)
    shop.network.clear()
    again = shop.buyer()
    again.store = anna.store
    assert again.dataset().digest() == shop.family.cleaner(1).result


# ---------------------------------------------------------------- what is delivered


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_buyer_holds_what_it_paid_for_bit_for_bit(shop, level):
    """A good delivery needs no answer: it settles by itself, at the seller's expense."""
    anna = delivered(shop, level)
    assert shop.all(anna) == []
    assert anna.dataset().digest() == shop.family.cleaner(level + 1).result
    assert anna.objections == {}
    shop.now += DISPUTE_TIME
    assert shop.all(shop.seller()) == ["settle"]
    assert shop.session().purchases[ANNA].state is SaleState.OWNED


def test_an_upgrade_accepts_first_and_pays_the_difference(shop):
    """Both purchases use one-time keys of their own."""
    anna = delivered(shop, 0, 2)
    assert shop.all(anna) == ["accept", "buy"]
    assert shop.sent[-1].pays == PRICES[2] - PRICES[0]
    shop.do(shop.seller())
    assert shop.all(anna) == []
    assert anna.dataset().digest() == shop.family.cleaner(3).result
    keys = [action.arguments[4] for action in shop.sent if action.call == "buy"]
    assert keys == [0, 0] if shop.conditions.settlement is OPEN else len(set(keys)) == 2


def test_a_role_that_was_killed_goes_on(shop):
    """Another object with the same secrets and events opens what the first one bought."""
    delivered(shop, 1)
    assert shop.buyer(1).dataset().digest() == shop.family.cleaner(2).result


def test_a_wrong_key_is_proved_and_the_money_comes_back(sealed):
    """The evidence discloses the one-time key; who was cheated once is not a customer again."""
    seller = sealed.seller(WrongKey, victims=frozenset({ANNA}))
    anna = delivered(sealed, 1, seller=seller)
    assert sealed.all(anna) == ["proveWrongKey", "refund"]
    assert anna.dataset() is None
    assert sealed.session().purchases[ANNA].failed == ((1, "the key was wrong"),)
    assert sealed.session().funds == FUNDS - STAKE


def test_a_seller_that_names_no_point_is_proved_wrong_too(sealed):
    """Garbage in place of the seller's point is a wrong key."""
    anna = delivered(sealed, 1)
    event, time = sealed.events[-1]
    sealed.events[-1] = (replace(event, ephemeral_x=5), time)
    assert sealed.do(anna) == "proveWrongKey"


def test_a_spoilt_chunk_is_proved_with_its_index(tmp_path):
    """The right key, and one chunk that is not as committed."""
    for settlement in (OPEN, SEALED):
        shop = SaleInMemory(
            tmp_path / settlement.name,
            settlement,
            spoil=lambda level, file: with_spoilt_chunk(file) if level == 2 else file,
        )
        shop.do(shop.seller())
        anna = delivered(shop, 2)
        assert shop.all(anna) == ["proveSpoiltChunk", "refund"]
        ((level, why),) = shop.session().purchases[ANNA].failed
        assert (level, why.split()[0]) == (2, "chunk")
        assert anna.dataset() is None


def test_what_no_contract_can_tell_is_said_and_not_disputed(tmp_path):
    """A cleaner of another dataset, committed to as it is: nothing is provable, nothing is used."""
    other = encode_cleaner(made_up_family(made_up(seed=9)).cleaner(1))

    def swap(level, file):
        key = shop_keys[level]
        return encrypt_file(domains[level], key, other)

    shop = SaleInMemory(tmp_path)
    shop_keys = shop.stock.keys
    shop.do(shop.seller())
    domains = [shop.session().domain(level) for level in range(3)]
    shop.stock, shop.events = shop.prepared(shop.family, swap), []
    shop.do(shop.seller())
    anna = delivered(shop)
    assert shop.all(anna) == []
    assert anna.dataset() is None
    assert "the cleaner is for dataset" in anna.objections[0]


def test_a_false_accuser_disputes_once(shop):
    """It shows a right key, or a right chunk, for the contract to refuse."""
    anna = delivered(shop, buyer=shop.buyer(0, role=FalseAccuser))
    action = anna.judge(shop.session().purchases[ANNA])
    expected = "proveWrongKey" if shop.conditions.settlement is SEALED else "proveSpoiltChunk"
    assert action.call == expected
    assert anna.judge(shop.session().purchases[ANNA]) is None


# ---------------------------------------------------------------- time


def test_money_is_taken_back_from_the_deadline_on_and_not_before(shop):
    """Half-open windows: at the deadline itself the key is overdue."""
    anna = shop.buyer()
    shop.do(anna)
    deadline = shop.session().purchases[ANNA].deadline
    shop.now = deadline - 1
    assert shop.do(anna) is None
    shop.now = deadline
    assert shop.all(anna) == ["refund"]
    assert shop.session().purchases[ANNA].failed == ((0, "no key came in time"),)
    assert shop.session().held == 0


def test_a_fault_is_proved_before_the_deadline_and_not_at_it(sealed):
    """A proof that would be refused is not sent: it would cost gas and show the one-time key."""
    seller = sealed.seller(WrongKey, victims=frozenset({ANNA}))
    anna = delivered(sealed, seller=seller)
    deadline = sealed.session().purchases[ANNA].deadline
    for now, call in ((deadline, None), (deadline - 1, "proveWrongKey")):
        sealed.now, anna.session = now, sealed.session()
        action = anna.next_action(sealed.clock)
        assert (action.call if action else None) == call


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"stake": Limit(most=STAKE - 1)}, "stake: 400, at most 399 is accepted"),
        ({"cheapest price": Limit(least=1_001)}, "cheapest price: 1000, at least 1001"),
        ({"delivery time": Limit(least=600, unit="s")}, "delivery time: 100 s, at least 600 s"),
        ({"time locked": Limit(most=159)}, "time locked: 160, at most 159"),
    ],
)
def test_a_seller_lists_under_no_terms_outside_its_owners_limits(sealed, limits, reason):
    """Nothing is sent; at the bounds themselves it lists."""
    fresh = SaleInMemory(sealed.folder / "fresh")
    with pytest.raises(TermsRefused, match=reason):
        fresh.seller(policy=Policy(limits)).next_action(fresh.clock)
    bounds = {name: Limit(value, value) for name, value in fresh.stock.listing.asked.items()}
    assert fresh.seller(policy=Policy(bounds)).next_action(fresh.clock).call == "list"


def test_no_key_is_sent_in_the_last_fifth_of_its_window(shop):
    """Refused for coming too late it would have been given away."""
    shop.do(shop.buyer())
    deadline = shop.session().purchases[ANNA].deadline
    for now, call in ((deadline - 20, False), (deadline - 21, True)):
        shop.now = now
        assert (shop.seller().next_action(shop.clock) is not None) == call


def test_a_seller_closes_settles_at_once_and_withdraws_last(shop):
    """Money is taken when nothing answers for a sale any more."""
    delivered(shop)
    shop.now = CLOSING
    assert shop.all(shop.seller()) == ["close", "settle", "withdraw"]
    session = shop.session()
    assert (session.funds, session.held, session.closed) == (0, 0, True)
    assert shop.sent[-1].arguments[1] == FUNDS + PRICES[0]


def test_what_is_due_is_settled_in_one_call(shop):
    """A sale whose window still runs is waited for; closing waits for nobody, withdrawing does."""
    delivered(shop)
    shop.now += DISPUTE_TIME // 2
    bought = next(event for event, _ in shop.events if isinstance(event, Bought))
    shop.events.append((replace(bought, buyer=BERT), shop.now))
    assert shop.all(shop.seller()) == [shop.sent[2].call]
    shop.now += DISPUTE_TIME // 2
    assert shop.all(shop.seller()) == []
    shop.now += DISPUTE_TIME // 2
    shop.events.append((ListingClosed(shop.id), shop.now))
    assert shop.all(shop.seller()) == ["settle", "withdraw"]
    assert {buyer for buyer, _ in shop.sent[-2].arguments[1]} == {ANNA, BERT}


def test_what_lapsed_frees_the_stake(shop):
    """A seller that never delivered has its funds back, and the buyer its money."""
    seller = shop.seller(NeverDelivers, victims=frozenset({ANNA}))
    anna = shop.buyer()
    shop.do(anna)
    assert shop.all(seller) == []
    shop.now += DELIVERY_TIME
    assert shop.all(seller) == ["settle"]
    assert shop.session().purchases[ANNA].state is SaleState.LAPSED
    assert shop.all(anna) == ["refund"]
    assert shop.session().free == FUNDS


# ---------------------------------------------------------------- events


def test_money_is_held_as_the_contract_holds_it(shop):
    """The stake for each sale, and the price besides where it is the seller's with the key."""
    anna = shop.buyer(1)
    shop.do(anna)
    price = PRICES[1] if shop.conditions.settlement is OPEN else 0
    assert shop.session().held == STAKE + price
    shop.do(shop.seller())
    assert shop.session().funds == FUNDS + price


def test_a_listing_that_is_not_its_id_is_refused(shop):
    """Who is told other terms than those of the id learns so."""
    event, time = shop.events[0]
    session = SaleSession(31337, "0x" + "c0" * 20, shop.id)
    with pytest.raises(SaleError, match="is another one"):
        session.apply(replace(event, task=b"\1" * 32), time)
    with pytest.raises(SaleError, match="there is no listing 0x"):
        _ = session.listed


def test_a_buyer_waits_for_a_listing(tmp_path):
    """Before there is one, there is nothing to do."""
    assert SaleInMemory(tmp_path).do(SaleInMemory(tmp_path).buyer()) is None


# ---------------------------------------------------------------- the catalogue

CATALOGUES = {
    "no document": (b"\xff", "no JSON document"),
    "too long": (b"{" + b" " * (1 << 14), "at most 16384 bytes"),
    "fields": (b'{"files":[]}', "wrong or missing"),
    "no files": (_told([]), "1 to 32 files, not 0"),
    "too many files": (_told([CID] * 33), "1 to 32 files, not 33"),
    "no CID": (_told(["../secret"]), "is not a CIDv1"),
    "numbers": (_told([1]), "the files of a catalogue are CIDs"),
    "accuracy": (_told([CID], masked=1.5), "an accuracy is 0 to 1, not 1.5"),
    "name": (_told([CID], counter="x" * 81), "at most 80 characters"),
}


@pytest.mark.parametrize("what", CATALOGUES)
def test_a_catalogue_from_a_stranger_is_refused_in_one_line(what):
    """Whatever is wrong with it is an error that buyers expect."""
    data, words = CATALOGUES[what]
    with pytest.raises(BAD_GOODS, match=words) as refused:
        Catalogue.from_bytes(data)
    assert "\n" not in str(refused.value)


def test_a_kept_stock_is_the_very_stock_and_brings_back_what_the_datastore_forgot(tmp_path):
    """Whatever is wrong with it, it is none: then it is made anew."""
    sale = SaleInMemory(tmp_path)
    folder, secrets = tmp_path / "kept", SecretsFile(tmp_path / "seller.json")
    assert kept_stock(folder, secrets, CHAIN_ID, CONTRACT) is None
    keep(sale.stock, sale.store, folder)
    there = dict(sale.network)
    stock, contents = kept_stock(folder, secrets, CHAIN_ID, CONTRACT)
    assert stock == sale.stock
    assert sorted(contents) == sorted(there.values())
    assert kept_stock(folder, SecretsFile(tmp_path / "other.json"), CHAIN_ID, CONTRACT) is None
    (folder / stock.catalogue).write_bytes(b"another")
    assert kept_stock(folder, secrets, CHAIN_ID, CONTRACT) is None
