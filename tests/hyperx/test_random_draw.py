"""A sample left to a secret of the collector and the hash of a later block: fair, and not for one
side alone to steer."""

from math import comb

import ape
import pytest
from scipy.stats import chi2

from offchain.crypto import bitmap as bitmaps
from offchain.crypto.commitments import Party
from tests.hyperx.session_driver import DRAW_SECRET, event_in, open_session
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone

WINDOW = 256
HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"


@pytest.fixture
def requested(session, provider):
    """The collector has asked for a draw."""
    session.register(provider)
    session.request_draw(provider)
    return session


def request_block(driver, provider):
    return driver.session.profileOf(provider).drawBlock


def drawn(driver, provider, sender):
    """The set that drawing in the present block would fix, without drawing."""
    with undone():
        receipt = driver.session.drawSample(provider, DRAW_SECRET, sender=sender)
        return list(event_in(receipt, driver.session.Sampled)["bitmap"])


@pytest.mark.parametrize("count", [2, 7, 256, 300])
def test_solidity_draws_what_python_draws(factory, collector, provider, stranger, count):
    """From secret and block hash, half of what may be opened; who knows the secret completes it."""
    driver = open_session(factory, collector, shardCount=count, sampleBps=5_000, reward=10**18)
    driver.register(provider)
    party = driver.entry(provider).commitment.party
    event = event_in(driver.request_draw(provider), driver.session.SampleRequested)
    block = request_block(driver, provider)
    commitment = party.draw_commitment(DRAW_SECRET)
    assert event == {
        "provider": provider.address,
        "commitment": commitment,
        "requestBlock": block,
    }
    driver.draw(provider, sender=stranger)
    block_hash = bytes(ape.chain.provider.web3.eth.get_block(block + 1)["hash"])
    seed = party.draw_seed(DRAW_SECRET, block_hash)
    expected = bitmaps.from_bitmap(bitmaps.draw(seed, count, driver.first_sample))
    assert driver.entry(provider).sampled == expected
    assert len(expected) == driver.first_sample
    assert driver.session.profileOf(provider).drawBlock == 0


def test_window_edges(requested, provider, stranger):
    """Not in the two blocks whose hash is unknown, then for 256 blocks; then the hash is gone where
    no history contract is."""
    ape.chain.provider.set_code(HISTORY, "0x")
    block = request_block(requested, provider)
    first, last = block + 2, block + 1 + WINDOW

    def attempt():
        return refusal(requested.session.drawSample, provider, DRAW_SECRET, sender=stranger)

    for height in (block, block + 1):
        ape.chain.mine(height - ape.chain.blocks.height)
        assert attempt() == refused("DrawTooEarly", height, first)
    ape.chain.mine()
    assert attempt() is None
    ape.chain.mine(last - ape.chain.blocks.height)
    assert attempt() is None
    ape.chain.mine()
    assert attempt() == refused("NoBlockHash", block + 1)


def test_a_hash_from_the_history_contract(requested, provider, stranger):
    """Where EIP-2935 is, an old draw is completed with the same hash. Zero is no answer, nor is
    what is no word, nor a refusal."""
    ape.chain.mine(2)
    expected = drawn(requested, provider, stranger)
    ape.chain.mine(300)
    assert drawn(requested, provider, stranger) == expected
    gone = refused("NoBlockHash", request_block(requested, provider) + 1)
    # Nothing there; PUSH1 32, PUSH0, RETURN; PUSH1 31, PUSH0, RETURN; PUSH0, PUSH0, REVERT.
    for code in ("0x", "0x60205ff3", "0x601f5ff3", "0x5f5ffd"):
        ape.chain.provider.set_code(HISTORY, code)
        draw = requested.session.drawSample
        assert refusal(draw, provider, DRAW_SECRET, sender=stranger) == gone


def test_only_the_committed_secret_draws(requested, provider, rival, stranger):
    """Not another one, and not that of another provider's draw: commitments name their provider."""
    party = requested.entry(provider).commitment.party
    ape.chain.mine(2)
    draw = requested.session.drawSample
    committed, other = party.draw_commitment(DRAW_SECRET), party.draw_commitment(b"\1" * 32)
    outcome = refusal(draw, provider, b"\1" * 32, sender=stranger)
    assert outcome == refused("WrongDrawSecret", committed, other)
    requested.register(rival)
    requested.session.requestDraw(rival, committed, sender=requested.collector)
    ape.chain.mine(2)
    own = requested.entry(rival).commitment.party.draw_commitment(DRAW_SECRET)
    outcome = refusal(draw, rival, DRAW_SECRET, sender=stranger)
    assert outcome == refused("WrongDrawSecret", committed, own)


def test_a_draw_never_opened_costs_the_provider_nothing(requested, provider):
    """The collector may leave a draw that it dislikes; the deposit comes back as it went in."""
    requested.close()
    assert requested.session.owedTo(provider) == requested.terms.deposit
    assert event_in(requested.claim_deposit(provider), requested.session.DepositClaimed) == {
        "provider": provider.address,
        "paid": requested.terms.deposit,
    }


def test_what_a_grind_costs_where_the_secret_is_known():
    """Half of 100 shards rubbish, ten drawn: one clean draw in 1,685 hashes, were there no secret.

    With the secret each candidate block draws another set for whoever does not know it, so what
    a builder picks says nothing of the draw.
    """
    party = Party(1, "0x" + "11" * 20, "0x" + "22" * 20)
    assert round(comb(100, 10) / comb(50, 10)) == 1_685

    def clean(secret, number):
        seed = party.draw_seed(secret, number.to_bytes(32, "big"))
        return max(bitmaps.from_bitmap(bitmaps.draw(seed, 100, 10))) < 50

    found = [number for number in range(10_000) if clean(bytes(32), number)]
    assert 1_685 / 2 < 10_000 / len(found) < 1_685 * 2
    assert not any(clean(DRAW_SECRET, number) for number in found)


def test_a_draw_blocks_another_request_until_it_lapses(requested, provider):
    """The collector gets no second throw while the first stands; afterwards the request renews."""
    block = request_block(requested, provider)
    last = block + 1 + WINDOW

    def attempts():
        session, sender = requested.session, requested.collector
        return (
            refusal(session.requestDraw, provider, b"\1" * 32, sender=sender),
            refusal(session.sampleData, provider, [1], sender=sender),
        )

    assert attempts() == (refused("DrawStillOpen", block, last),) * 2
    ape.chain.mine(last - ape.chain.blocks.height)
    assert attempts() == (refused("DrawStillOpen", last, last),) * 2
    ape.chain.mine()
    assert attempts() == (None, None)
    requested.request_draw(provider)
    assert request_block(requested, provider) > last
    requested.draw(provider)
    assert len(requested.entry(provider).sampled) == requested.first_sample


def test_waiting_does_not_change_the_outcome(requested, provider, collector):
    """In every block of the window the same set comes out, whoever calls."""
    ape.chain.mine(2)
    outcomes = set()
    for sender, wait in ((collector, 1), (provider, 7), (provider, 200)):
        outcomes.add(tuple(drawn(requested, provider, sender)))
        ape.chain.mine(wait)
    assert len(outcomes) == 1


def test_nobody_draws_unasked_or_twice(session, provider, stranger):
    """Only an open request can be drawn, once."""
    draw = session.session.drawSample
    assert refusal(draw, stranger, DRAW_SECRET, sender=stranger) == refused(
        "DrawNotRequested", stranger
    )
    session.register(provider)
    assert refusal(draw, provider, DRAW_SECRET, sender=stranger) == refused(
        "DrawNotRequested", provider
    )
    session.request_draw(provider)
    session.draw(provider)
    assert refusal(draw, provider, DRAW_SECRET, sender=stranger) == refused(
        "DrawNotRequested", provider
    )
    request = session.session.requestDraw
    again = refusal(request, provider, b"\1" * 32, sender=session.collector)
    assert again == refused("AlreadySampled", provider)


def test_only_the_collector_leaves_a_sample_to_a_draw(session, provider, stranger):
    """Of those that take part."""
    request = session.session.requestDraw
    session.register(provider)
    outcome = refusal(request, provider, b"\1" * 32, sender=provider)
    assert outcome == refused("NotCollector", provider, session.collector)
    outcome = refusal(request, stranger, b"\1" * 32, sender=session.collector)
    assert outcome == refused("NotProvider", stranger)


def test_a_draw_ends_ten_minutes_before_the_submissions(requested, provider, stranger):
    """Then it is too late even inside the block window: who is sampled must have time to submit."""
    ape.chain.mine(2)
    end = requested.terms.submissionEnd - 600
    draw = requested.session.drawSample
    requested.go_to(end - 1)
    assert refusal(draw, provider, DRAW_SECRET, sender=stranger) is None
    requested.go_to(end)
    assert refusal(draw, provider, DRAW_SECRET, sender=stranger) == refused("TooLate", end, end)


@pytest.mark.parametrize(("count", "wanted"), [(7, 2), (100, 10), (300, 150)])
def test_every_shard_is_equally_likely(count, wanted):
    """Chi-square over 4,000 draws of the twin that the test above ties to the contract.

    Draws are without replacement, so counts vary less than multinomial ones by the factor
    (count - wanted) / (count - 1); the statistic is scaled up by it.
    """
    draws, party = 4_000, Party(1, "0x" + "11" * 20, "0x" + "22" * 20)
    tally = [0] * count
    for number in range(draws):
        seed = party.draw_seed(DRAW_SECRET, number.to_bytes(32, "big"))
        for shard in bitmaps.from_bitmap(bitmaps.draw(seed, count, wanted)):
            tally[shard] += 1
    expected = draws * wanted / count
    statistic = sum((seen - expected) ** 2 for seen in tally) / expected
    statistic *= (count - 1) / (count - wanted)
    low, high = chi2.ppf([0.001, 0.999], count - 1)
    assert low < statistic < high
