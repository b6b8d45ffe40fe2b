"""A sample left to the hash of a later block: fair, bounded in time, and nobody's to steer."""

import ape
import pytest
from scipy.stats import chi2

from offchain.crypto import bitmap as bitmaps
from tests.hyperx.session_driver import event_in, open_session
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone

WINDOW = 256


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
        receipt = driver.session.drawSample(provider, sender=sender)
        return list(event_in(receipt, driver.session.Sampled)["bitmap"])


@pytest.mark.parametrize("count", [2, 7, 256, 300])
def test_solidity_draws_what_python_draws(factory, collector, provider, stranger, count):
    """From the block hash alone, of the largest size allowed; a stranger may complete it."""
    driver = open_session(factory, collector, shardCount=count, sampleBps=5_000, reward=10**18)
    driver.register(provider)
    event = event_in(driver.request_draw(provider), driver.session.SampleRequested)
    block = request_block(driver, provider)
    assert event == {"provider": provider.address, "requestBlock": block}
    driver.draw(provider, sender=stranger)
    block_hash = bytes(ape.chain.provider.web3.eth.get_block(block + 1)["hash"])
    seed = bitmaps.draw_seed(block_hash, driver.session.address, provider.address)
    expected = bitmaps.from_bitmap(bitmaps.draw(seed, count, driver.sample_limit))
    assert driver.entry(provider).sampled == expected
    assert len(expected) == driver.sample_limit
    assert driver.session.profileOf(provider).drawBlock == 0


def test_window_edges(requested, provider, stranger):
    """Not in the two blocks whose hash is unknown, then for 256 blocks, then never."""
    block = request_block(requested, provider)
    first, last = block + 2, block + 1 + WINDOW

    def attempt():
        return refusal(requested.session.drawSample, provider, sender=stranger)

    for height in (block, block + 1):
        ape.chain.mine(height - ape.chain.blocks.height)
        assert attempt() == refused("DrawTooEarly", height, first)
    ape.chain.mine()
    assert attempt() is None
    ape.chain.mine(last - ape.chain.blocks.height)
    assert attempt() is None
    ape.chain.mine()
    assert attempt() == refused("DrawTooLate", last + 1, last)


def test_a_draw_blocks_another_request_until_it_lapses(requested, provider):
    """The collector gets no second throw while the first stands; afterwards the request renews."""
    block = request_block(requested, provider)
    last = block + 1 + WINDOW

    def attempt(bitmap):
        return refusal(requested.session.sampleData, provider, bitmap, sender=requested.collector)

    assert attempt([]) == attempt([1]) == refused("DrawStillOpen", block, last)
    ape.chain.mine(last - ape.chain.blocks.height)
    assert attempt([]) == attempt([1]) == refused("DrawStillOpen", last, last)
    ape.chain.mine()
    assert attempt([]) is None
    assert attempt([1]) is None
    requested.request_draw(provider)
    assert request_block(requested, provider) > last
    requested.draw(provider)
    assert len(requested.entry(provider).sampled) == requested.sample_limit


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
    assert refusal(draw, stranger, sender=stranger) == refused("DrawNotRequested", stranger)
    session.register(provider)
    assert refusal(draw, provider, sender=stranger) == refused("DrawNotRequested", provider)
    session.request_draw(provider)
    session.draw(provider)
    assert refusal(draw, provider, sender=stranger) == refused("DrawNotRequested", provider)
    again = refusal(session.session.sampleData, provider, [], sender=session.collector)
    assert again == refused("AlreadySampled", provider)


def test_a_draw_ends_with_the_submissions(requested, provider, stranger):
    """At submissionEnd it is too late even inside the block window."""
    ape.chain.mine(2)
    end = requested.terms.submissionEnd
    draw = requested.session.drawSample
    requested.go_to(end - 1)
    assert refusal(draw, provider, sender=stranger) is None
    requested.go_to(end)
    assert refusal(draw, provider, sender=stranger) == refused("TooLate", end, end)


@pytest.mark.parametrize(("count", "wanted"), [(7, 2), (100, 10), (300, 150)])
def test_every_shard_is_equally_likely(count, wanted):
    """Chi-square over 4,000 draws of the twin that the test above ties to the contract.

    Draws are without replacement, so counts vary less than multinomial ones by the factor
    (count - wanted) / (count - 1); the statistic is scaled up by it.
    """
    draws = 4_000
    tally = [0] * count
    for number in range(draws):
        seed = bitmaps.draw_seed(number.to_bytes(32, "big"), "0x" + "11" * 20, "0x" + "22" * 20)
        for shard in bitmaps.from_bitmap(bitmaps.draw(seed, count, wanted)):
            tally[shard] += 1
    expected = draws * wanted / count
    statistic = sum((seen - expected) ** 2 for seen in tally) / expected
    statistic *= (count - 1) / (count - wanted)
    low, high = chi2.ppf([0.001, 0.999], count - 1)
    assert low < statistic < high
