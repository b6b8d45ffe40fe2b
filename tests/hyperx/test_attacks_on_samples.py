"""Attacks on which shards are sampled, drawn and opened."""

import ape

from offchain.crypto import commitments as cm
from offchain.crypto.bitmap import bitmap_hash, draw, draw_further, from_bitmap
from tests.hyperx.session_driver import DRAW_SECRET, open_session
from tests.kit.refusals import refusal
from tests.kit.snapshots import undone


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
