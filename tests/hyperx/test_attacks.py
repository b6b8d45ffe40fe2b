"""Each attack fails against the session, and succeeds against a copy without the defence it meets.

The second half keeps the first one honest: an attack that fails everywhere shows nothing.
"""

from pathlib import Path

import ape
import pytest

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from offchain.crypto.bitmap import bitmap_hash, draw, draw_further, from_bitmap
from tests.hyperx.commitment import Commitment
from tests.hyperx.session_driver import DRAW_SECRET, SEALED, Entry, open_session
from tests.hyperx.weakened import FACTORY_WEAKENINGS, SESSION, WEAKENINGS, weakened
from tests.kit.mock_contracts import deploy_token
from tests.kit.refusals import decode, refusal, refused
from tests.kit.snapshots import undone
from tests.kit.weakened import compile_switched

CALLS, REVERTS, BURNS_GAS = 3, 1, 2


@pytest.fixture(scope="module")
def weak_copies():
    """The weakened sessions, by name."""
    return compile_switched(WEAKENINGS, SESSION, large=True)


@pytest.fixture
def against(factory, weak_copies):
    """Runs an attack against the session, or against the copy of that name; nothing stays."""

    def run(attack, name=None):
        if name is None:
            with undone():
                return attack()
        with weakened(factory, weak_copies[name]):
            return attack()

    return run


def puppet(mocks, deployer):
    """An account with code that does what it is told."""
    account = deployer.deploy(mocks["Puppet"])
    ape.chain.provider.set_balance(account.address, 10**19)
    return account


def tell(account, method, *args, sender, value=0):
    """Has the puppet call a method of the session."""
    data = method.encode_input(*args)
    return account.act(method.contract.address, data, value, sender=sender)


@pytest.mark.parametrize("coin", ["native", "token"])
def test_re_entry_while_being_paid(
    factory, collector, provider, stranger, deployer, mocks, accounts, against, coin
):
    """A provider with code that claims its deposit again while it is paid gets it once."""

    def attack():
        overrides = {}
        thief = puppet(mocks, deployer)
        if coin == "token":
            money = deployer.deploy(mocks["HookToken"])
            for account in (collector, provider, thief):
                money.mint(account, 10**20, sender=deployer)
            overrides["token"] = money
        driver = open_session(factory, collector, **overrides)
        driver.register(provider)
        deposit = driver.terms.deposit
        if coin == "token":
            tell(thief, money.approve, driver.session.address, deposit, sender=stranger)
        roots = (b"\1" * 32, b"\2" * 32, b"\3" * 32)
        value = deposit if coin == "native" else 0
        tell(thief, driver.session.register, *roots, sender=stranger, value=value)
        if coin == "token":
            tell(thief, money.hook, True, sender=stranger)
        driver.close()
        again = driver.session.claimDeposit.encode_input(thief)
        thief.prepare(CALLS, driver.session.address, again, 0, sender=stranger)
        before = driver.balance(thief)
        tell(thief, driver.session.claimDeposit, thief, sender=stranger)
        reason = decode(bytes(thief.reason())) if thief.refused() else None
        return (driver.balance(thief) - before) / deposit, reason

    assert against(attack) == (1, refused("ReentrancyGuardReentrantCall"))
    assert against(attack, "pays before it marks, unguarded") == (2, None)


def test_taking_a_deposit_twice(factory, collector, provider, rival, against):
    """The second call finds nothing; without the mark it takes another's deposit."""

    def attack():
        driver = open_session(factory, collector)
        driver.register(provider)
        driver.register(rival)
        driver.close()
        driver.claim_deposit(provider)
        return refusal(driver.session.claimDeposit, provider, sender=provider)

    assert against(attack) == refused("NotProvider", provider)
    assert against(attack, "pays without marking") is None


@pytest.mark.parametrize("mood", [REVERTS, BURNS_GAS], ids=["reverts", "burns gas"])
def test_a_hostile_receiver_stops_nobody_else(
    factory, collector, provider, rival, stranger, deployer, mocks, against, mood
):
    """A candidate that cannot be paid still leaves the collector and its rivals whole."""

    def attack():
        hostile = puppet(mocks, deployer)
        driver = open_session(factory, collector)
        driver.enter(rival)
        commitment = driver.entry(hostile).commitment
        roots = (commitment.key_root, commitment.address_root, commitment.manifest)
        deposit = driver.terms.deposit
        tell(hostile, driver.session.register, *roots, sender=stranger, value=deposit)
        driver.sample(hostile)
        tell(hostile, driver.session.submitFeatures, b"\4" * 32, sender=stranger)
        driver.set_candidate(hostile)
        review = driver.review_args(hostile)
        tell(hostile, driver.session.submitReview, review, sender=stranger)
        hostile.prepare(mood, hostile.address, b"", 0, sender=stranger)
        driver.go_to(driver.deadline)
        calls = ((driver.session.claimDeposit, rival), (driver.session.reclaimEscrow, collector))
        return [refusal(method, who, sender=who) is None for method, who in calls]

    assert against(attack) == [True, True]
    assert against(attack, "pushes the compensation") == [False, False]


@pytest.mark.parametrize("coin", ["native", "token"])
def test_a_payment_that_fails_within_the_claims_window(
    factory, collector, provider, rival, stranger, deployer, mocks, against, coin
):
    """The token is paused, or the candidate refuses coins, for exactly that window.

    The claim, whose key everybody has seen, stands, and what it earned waits; on the weak copy it
    reverts, and the deposit goes to the collector.
    """

    def attack():
        overrides, seller = {}, provider
        if coin == "token":
            money = deploy_token(mocks["PausingToken"], deployer, (collector, provider))
            overrides["token"] = money
        driver = open_session(factory, collector, **overrides)
        if coin == "native":
            seller = puppet(mocks, deployer)

        def act(method, *args, value=0):
            if coin == "native":
                tell(seller, method, *args, sender=stranger, value=value)
            else:
                method(*args, sender=seller)

        commitment = driver.entry(seller).commitment
        driver.approve(seller, driver.session.address, driver.terms.deposit)
        roots = (commitment.key_root, commitment.address_root, commitment.manifest)
        act(driver.session.register, *roots, value=driver.terms.deposit)
        driver.sample(seller)
        act(driver.session.submitFeatures, b"\4" * 32)
        driver.set_candidate(seller)
        act(driver.session.submitReview, driver.review_args(seller))
        driver.set_optimal(seller)
        if coin == "token":
            money.setPaused(True, sender=deployer)
        else:
            seller.prepare(REVERTS, seller.address, b"", 0, sender=stranger)
        try:
            act(driver.session.claimReward, *driver.claim_args(seller))
        except ape.exceptions.ContractLogicError:
            driver.go_to(driver.deadline)
            driver.settle(stranger)
        if coin == "token":
            money.setPaused(False, sender=deployer)
        before = driver.balance(rival)
        owed = driver.session.owedTo(seller)
        if owed:
            act(driver.session.claimDeposit, rival)
        return owed - driver.terms.reward - driver.terms.deposit, driver.balance(rival) - before

    worth = open_session(factory, collector).terms
    gained = worth.reward + worth.deposit
    assert against(attack) == (0, gained)
    assert against(attack, "a claim stands or falls with its payment") == (-gained, 0)


def test_a_false_declaration_does_not_save_the_compensation(factory, collector, provider, against):
    """Good data called rubbish costs the collector twice what refusing it does.

    On the weak copy it costs nothing, and the candidate is robbed of its deposit for spite.
    """

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.declare_rubbish(provider)
        lost = driver.escrow - driver.session.owedToCollector()
        return lost / driver.compensation, driver.session.owedTo(provider) < driver.terms.deposit

    assert against(attack) == (2, True)
    assert against(attack, "declares rubbish for nothing") == (0, True)


def test_forced_ether_changes_no_book(factory, collector, provider, deployer, mocks, against):
    """Ether that nobody sent by the rules is nobody's, and takes nobody's money along."""

    def attack():
        driver = open_session(factory, collector)
        driver.register(provider)
        before = driver.session.owedToCollector()
        deployer.deploy(mocks["Force"], driver.session.address, value=10**18)
        assert driver.session.balance == driver.escrow + driver.terms.deposit + 10**18
        driver.close()
        driver.reclaim_escrow()
        gained = driver.session.owedTo(provider) == driver.terms.deposit
        paid_out = refusal(driver.session.claimDeposit, provider, sender=provider) is None
        return before == driver.escrow, gained, paid_out

    assert against(attack) == (True, True, True)
    assert against(attack, "counts its balance") == (False, True, False)


def test_a_claim_copied_from_the_pool(factory, collector, provider, stranger, against):
    """A stranger that sends the provider's claim first is paid only by the weak copy."""

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        return refusal(driver.session.claimReward, *driver.claim_args(provider), sender=stranger)

    assert against(attack) == refused("NotCandidate", stranger, provider)
    assert against(attack, "anyone acts for the candidate") is None


def test_someone_elses_root_registered(factory, collector, provider, rival, against):
    """A rival that copies a registration, and later the opened review, can open nothing.

    On the weak copy leaves name nobody, so what the provider disclosed serves the copier too.
    """

    def attack(party=None):
        driver = open_session(factory, collector, furtherReviews=1)
        if party:
            _seat(driver, provider, party)
        driver.register(provider)
        stolen = driver.entry(provider).commitment
        driver.entries[rival.address] = Entry(rival, stolen, 4242)
        driver.register(rival)
        for p in (provider, rival):
            driver.sample(p)
            driver.submit_features(p)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.refuse(provider)
        driver.set_candidate(rival)
        outcome = refusal(driver.session.submitReview, driver.review_args(rival), sender=rival)
        return outcome.name if outcome else "ok"

    # The further shards that it would have to open are others, so that even the proof may not fit.
    assert against(attack) in ("CommitmentMismatch", "ProofLength")
    assert against(lambda: attack(NOBODY), "leaves bind nobody") == "ok"


# What the leaves of the weak copy bind instead of chain, session and provider.
NOBODY = cm.Party(1, "0x" + "00" * 19 + "01", "0x" + "00" * 20)


@pytest.mark.parametrize("foreign", ["chain", "session", "provider"])
def test_leaves_made_for_elsewhere(factory, collector, provider, rival, against, foreign):
    """Addresses committed on another chain, in another session or by another are not accepted."""

    def attack(party=None):
        driver = open_session(factory, collector)
        here = driver.entry(provider).commitment.party
        _seat(
            driver,
            provider,
            party
            or {
                "chain": cm.Party(here.chain_id + 1, here.session, here.provider),
                "session": cm.Party(here.chain_id, factory.address, here.provider),
                "provider": cm.Party(here.chain_id, here.session, rival.address),
            }[foreign],
        )
        # All that may be opened, so that nothing is drawn besides.
        driver.enter(provider, sample=range(driver.sample_limit))
        driver.set_candidate(provider)
        outcome = refusal(
            driver.session.submitReview, driver.review_args(provider), sender=provider
        )
        return outcome.name if outcome else "ok"

    # The further shards that it would have to open are others, so that even the proof may not fit.
    assert against(attack) in ("CommitmentMismatch", "ProofLength")
    assert against(lambda: attack(NOBODY), "leaves bind nobody") == "ok"


def _seat(driver, provider, party):
    commitment = Commitment.of(party, driver.terms.shardCount)
    driver.entries[provider.address] = Entry(provider, commitment, 1234)


FALSE_ACCUSATIONS = {
    "believes evidence": ("KeyIsRight", {}),
    "believes leaves": ("LeafNotInTree", {"leaf": b"\7" * 32}),
    "believes shared points": (
        "SharedPointMismatch",
        {"sharedX": sealing.point_of(7).x, "sharedY": sealing.point_of(7).y},
    ),
}


@pytest.mark.parametrize("weakness", FALSE_ACCUSATIONS)
def test_a_false_accusation(factory, collector, provider, against, weakness):
    """An honest provider keeps its deposit because of exactly the check that is taken out."""
    name, lie = FALSE_ACCUSATIONS[weakness]

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        shard = driver.entry(provider).sampled[0]
        evidence = driver.evidence_args(provider, shard, **lie)
        outcome = refusal(driver.session.proveWrongKey, evidence, sender=collector)
        return outcome.name if outcome else "ok"

    assert against(attack) == name
    assert against(attack, weakness) == "ok"


FALSE_DISPUTES = {
    "believes evidence": ("KeyIsRight", lambda root: {}),
    "believes leaves": ("LeafNotInTree", lambda root: {"leaf": b"\7" * 32}),
    "believes shared points": (
        "SharedPointMismatch",
        lambda root: {"sharedX": sealing.point_of(7).x, "sharedY": sealing.point_of(7).y},
    ),
    # On the walk from 8 upwards no node of a tree of 7 has a sibling: the leaf is the root.
    "believes any shard": (
        "ShardOutOfRange",
        lambda root: {"shard": 8, "leaf": root, "path": []},
    ),
    "forgets what was delivered": (
        "CommitmentMismatch",
        lambda root: {"sealedKey": b"\7" * 32},
    ),
}


@pytest.mark.parametrize("weakness", FALSE_DISPUTES)
def test_a_false_dispute(factory, collector, provider, against, weakness):
    """A provider that delivered the right key is paid because of exactly the check taken out."""
    name, lie = FALSE_DISPUTES[weakness]

    def attack():
        driver = open_session(factory, collector, settlement=SEALED)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        driver.deliver_key(provider)
        changes = lie(driver.entry(provider).commitment.key_root)
        evidence = driver.dispute_args(provider, 0, **changes)
        outcome = refusal(driver.session.proveWrongDelivery, evidence, sender=collector)
        return outcome.name if outcome else "ok"

    assert against(attack) == name
    assert against(attack, weakness) == "ok"


def test_disputing_and_being_paid_at_one_instant(factory, collector, provider, stranger, against):
    """At the deadline the collector may still dispute, or the provider is paid: never both."""

    def attack():
        driver = open_session(factory, collector, settlement=SEALED)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        driver.seal_session_key(provider, b"\7" * 32)
        driver.deliver_key(provider)
        driver.go_to(driver.deadline)
        evidence = driver.dispute_args(provider, 0)
        late = refusal(driver.session.proveWrongDelivery, evidence, sender=collector)
        with undone():
            driver.settle(stranger)
            paid = driver.session.owedTo(provider) > driver.terms.deposit
        return late is None, paid

    assert against(attack) == (False, True)
    assert against(attack, "windows overlap") == (True, True)


def test_steering_a_draw(factory, collector, provider, against):
    """Waiting for a block that draws a shard one likes gains nothing, nor does asking again."""

    def attack():
        driver = open_session(factory, collector, shardCount=100, sampleBps=500)
        driver.register(provider)
        driver.request_draw(provider)
        again = refusal(driver.session.requestDraw, provider, b"\1" * 32, sender=collector)
        outcomes = set()
        for _ in range(5):
            ape.chain.mine(2)
            with undone():
                driver.draw(provider)
                outcomes.add(tuple(driver.entry(provider).sampled))
        return len(outcomes), again.name if again else "ok"

    assert against(attack) == (1, "DrawStillOpen")
    assert against(attack, "draws from the moment") == (5, "ok")


def test_a_builder_that_knows_what_its_block_draws(factory, collector, provider, against):
    """Whoever builds the block tries hashes until the draw is clean, if it can foresee the draw."""

    def attack():
        driver = open_session(factory, collector, shardCount=100, sampleBps=1_000)
        driver.register(provider)
        block = int(driver.request_draw(provider).block_number)
        ape.chain.mine(1)
        block_hash = bytes(ape.chain.provider.web3.eth.get_block(block + 1)["hash"])
        # The secret is not known yet, so the builder has to do without.
        seed = driver.entry(provider).commitment.party.draw_seed(bytes(32), block_hash)
        foreseen = from_bitmap(draw(seed, 100, 5))
        driver.draw(provider)
        return driver.entry(provider).sampled == foreseen

    assert against(attack) is False
    assert against(attack, "draws from the block alone") is True


def test_a_provider_sampled_too_late_to_submit(factory, collector, provider, against):
    """It would have taken part for nothing: no block is left for its features."""

    def attack():
        driver = open_session(factory, collector)
        driver.register(provider)
        driver.go_to(driver.terms.submissionEnd - 1)
        outcome = refusal(driver.session.sampleData, provider, [1], sender=collector)
        return outcome.name if outcome else "ok"

    assert against(attack) == "TooLate"
    assert against(attack, "samples until the last") == "ok"


def test_rubbish_that_nobody_happened_to_sample(factory, collector, provider, against):
    """A sample that came out clean is all that has to be shown, on the weak copy."""

    def attack():
        driver = open_session(factory, collector, shardCount=20)
        driver.enter(provider)
        driver.set_candidate(provider)
        entry = driver.entry(provider)
        keys = {i: entry.commitment.keys[i] for i in entry.sampled}
        review = {
            "sealedKeys": list(driver.seal(provider, keys).sealed),
            "addresses": [entry.commitment.addresses[i] for i in entry.sampled],
            "proof": cm.multiproof(entry.commitment.address_leaves, entry.sampled),
        }
        args = driver.review_args(provider, **review)
        outcome = refusal(driver.session.submitReview, args, sender=provider)
        return outcome.name if outcome else "ok"

    assert against(attack) == "WrongKeyCount"
    assert against(attack, "opens the sample alone") == "ok"


def test_a_review_that_is_foreseen_before_the_features(factory, collector, provider, against):
    """Who knows when it submits what its review will open goes on with a clean account alone."""

    def attack():
        driver = open_session(factory, collector, shardCount=100, publishedAddresses=True)
        driver.enter(provider)
        party, entry = driver.entry(provider).commitment.party, driver.entry(provider)
        seed = party.further_seed(bytes(32))
        foreseen = draw_further(seed, entry.sampled, 100, driver.sample_limit - len(entry.sampled))
        driver.set_candidate(provider)
        driver.seal(provider, {i: entry.commitment.keys[i] for i in from_bitmap(foreseen)})
        driver.submit_review(provider)
        # The claim names the opened shards: it stands only if they are those that were foreseen.
        driver.set_optimal(provider)
        args = driver.claim_args(provider, sampleHash=bitmap_hash(foreseen))
        return refusal(driver.session.claimReward, *args, sender=provider) is None

    assert against(attack) is False
    assert against(attack, "draws further shards from the start") is True


def test_drawing_when_the_hash_is_gone(factory, collector, provider, stranger, against):
    """After 256 blocks the hash reads as zero, which anyone can foresee."""

    def attack():
        driver = open_session(factory, collector)
        driver.register(provider)
        driver.request_draw(provider)
        ape.chain.mine(300)
        # As on a chain without the history contract of EIP-2935.
        ape.chain.provider.set_code("0x0000F90827F1C53a10cb7A02335B175320002935", "0x")
        drawing = driver.session.drawSample
        outcome = refusal(drawing, provider, DRAW_SECRET, sender=stranger)
        return outcome.name if outcome else "ok"

    assert against(attack) == "NoBlockHash"
    assert against(attack, "draws for ever") == "ok"


def test_two_may_act_at_one_instant(factory, collector, provider, stranger, against):
    """At the deadline the candidate may still open, or others may punish it: never both."""

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.go_to(driver.deadline)
        late = refusal(driver.session.submitReview, driver.review_args(provider), sender=provider)
        with undone():
            punished = len(list(driver.settle(stranger).events)) == 1
        return late is None, punished

    assert against(attack) == (False, True)
    assert against(attack, "windows overlap") == (True, True)


def test_a_token_that_keeps_a_share(factory, collector, provider, deployer, mocks, against):
    """Deposits that arrive in part would leave the last one to claim with nothing."""

    def attack():
        money = deployer.deploy(mocks["FeeToken"])
        money.setFeePercent(0, sender=deployer)
        for account in (collector, provider):
            money.mint(account, 10**20, sender=deployer)
        driver = open_session(factory, collector, token=money)
        money.setFeePercent(1, sender=deployer)
        money.approve(driver.session.address, driver.terms.deposit, sender=provider)
        roots = (b"\1" * 32, b"\2" * 32, b"\3" * 32)
        outcome = refusal(driver.session.register, *roots, sender=provider)
        return outcome.name if outcome else "ok"

    assert against(attack) == "TokenTakesFee"
    assert against(attack, "trusts tokens") == "ok"


def test_a_token_that_lies_about_a_transfer(factory, collector, provider, deployer, mocks, against):
    """Otherwise a provider would be marked as paid and have nothing."""

    def attack():
        money = deployer.deploy(mocks["FalseToken"])
        for account in (collector, provider):
            money.mint(account, 10**20, sender=deployer)
        driver = open_session(factory, collector, token=money)
        driver.register(provider)
        driver.close()
        money.setFailing(True, sender=deployer)
        outcome = refusal(driver.session.claimDeposit, provider, sender=provider)
        return outcome.name if outcome else "ok"

    assert against(attack) == "SafeERC20FailedOperation"
    assert against(attack, "trusts tokens") == "ok"


def test_every_weakened_copy_is_attacked():
    """A copy that no attack uses would be dead weight."""
    source = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in WEAKENINGS | FACTORY_WEAKENINGS if f'"{name}"' not in source] == []
