"""What the command line says about money, shards and time, turned into the terms of a session.

The factory checks terms again. Here they are checked first, in the words of the command line, so
that nothing is deployed, stored or paid for terms that it would refuse.
"""

from __future__ import annotations

import ape
import click

from offchain.crypto.settlement import NATIVE
from offchain.hyperx.terms import Terms
from offchain.policy import Limit, Policy
from scripts._hyperx.options import LimitOptions, SessionOptions
from scripts._hyperx.stories import Story
from scripts._stage.money import parse_amount, parse_token

REWARD_PER_PENALTY = 2
LONGEST_SESSION = 90 * 86_400
"""Seconds; both as in TradingSessionFactory."""
_NO_WORD = bytes(32)


def make_terms(options: SessionOptions, story: Story, collector: str, count: int) -> Terms:
    """The terms of a session that begins now and gives `count` providers their turns.

    Its task and its key are left out. Raises ClickException naming value and bound.
    """
    if not story.fits(options.settlement):
        raise click.ClickException(f"settlement: {options.settlement}, the story needs sealed")
    now = ape.chain.pending_timestamp
    phase, response = round(options.hours * 3600), round(options.response_minutes * 60)
    reviews = story.further_reviews if options.further_reviews is None else options.further_reviews
    terms = Terms(
        collector=collector,
        token=parse_token(options.token),
        reward=parse_amount("reward", options.reward),
        deposit=parse_amount("deposit", options.deposit),
        sample_bps=round(options.sample * 100),
        penalty_bps=round(options.penalty * 100),
        shard_count=options.shards,
        shard_size=options.shard_size,
        further_reviews=reviews,
        published_addresses=not options.hidden,
        settlement=story.settlement(options.settlement),
        registration_end=now + phase,
        submission_end=now + 2 * phase,
        # Every provider may turn out silent, or disclose in vain, before the last one claims, or
        # delivers and stands the time for disputes.
        expiry=now + 3 * phase + (4 + 2 * count) * response,
        response_time=response,
        task=_NO_WORD,
        encryption_key=_NO_WORD,
    )
    hidden = "" if terms.published_addresses else " with --hidden"
    if terms.shard_count > terms.max_shards:
        raise click.ClickException(
            f"shards: {terms.shard_count}, must be 1 to {terms.max_shards}{hidden}"
        )
    if not 0 < terms.sample_limit <= terms.max_sampled:
        raise click.ClickException(
            f"sample: {options.sample:g} % of {terms.shard_count} shards are "
            f"{terms.sample_limit}, must be 1 to {terms.max_sampled}{hidden}"
        )
    if terms.deposit < terms.burn:
        raise click.ClickException(
            f"deposit: {options.deposit} must be at least twice the compensation, which is "
            f"{options.sample:g} % of the reward of {options.reward}"
        )
    if terms.reward < max(terms.deposit, REWARD_PER_PENALTY * terms.penalty):
        raise click.ClickException(
            f"reward: {options.reward} must be at least the deposit of {options.deposit}, and "
            f"{REWARD_PER_PENALTY} times the penalty, {options.penalty:g} % of it"
        )
    if (lasts := terms.expiry - now) > LONGEST_SESSION:
        raise click.ClickException(
            f"hours, response-minutes: the session would last {lasts / 86_400:.1f} days, at most "
            f"{LONGEST_SESSION // 86_400} are allowed"
        )
    return terms


def accepted_tokens(options: LimitOptions, *own: str) -> tuple[str, ...]:
    """The money that the providers' owners take: the coin, what they name, and `own`, 0x
    addresses. Raises ClickException."""
    named = [parse_token(token) for token in options.accept_token]
    return tuple(dict.fromkeys((NATIVE, *named, *own)))


def provider_policy(options: LimitOptions) -> Policy:
    """The limits of the providers' owners. Raises ClickException for what is no amount."""
    limits = {
        "response time": Limit(least=options.least_response * 60, unit="s"),
        "time locked": Limit(most=options.most_locked * 86_400, unit="s"),
    }
    if options.least_reward is not None:
        least = parse_amount("least-reward", options.least_reward)
        limits["reward"] = Limit(least=least, unit="wei")
    if options.most_deposit is not None:
        most = parse_amount("most-deposit", options.most_deposit)
        limits["deposit"] = Limit(most=most, unit="wei")
    if options.most_penalty is not None:
        most = parse_amount("most-penalty", options.most_penalty)
        limits["penalty"] = Limit(most=most, unit="wei")
    return Policy(limits)
