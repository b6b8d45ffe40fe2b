"""What collector and providers agree on: the twin of `TradingTerms` in ITradingSession.sol."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.crypto.bitmap import BPS, sample_limit
from offchain.crypto.settlement import Settlement

MAX_SHARDS, MAX_SAMPLED = 10_000, 2_000
"""The largest session where addresses are published; as in TradingSessionFactory."""
MAX_SHARDS_HIDDEN, MAX_SAMPLED_HIDDEN = 4_000, 1_000
"""The largest where they are hidden, so that claim and review fit into a transaction of 128 KiB."""


SHORTEST_WINDOW = 600
"""Seconds; as in contracts/exchange/Window.sol."""


@dataclass(frozen=True)
class Terms:
    """The paper's SC_config, immutable once a session exists; fields in the order of the ABI.

    Attributes:
        collector: 0x address of the buyer.
        token: 0x address of the ERC-20 that pays, `NATIVE` for the chain's coin.
        reward: paid for the dataset, in the smallest unit.
        deposit: what a provider locks, in the smallest unit.
        sample_bps: largest share of shards opened by sample and review, in 1/10,000 (CF%).
        penalty_bps: share of the deposit that a silent candidate loses, in 1/10,000; 1 to 10,000.
        shard_count: shards of every dataset, 1 to `max_shards`.
        shard_size: samples of every shard.
        further_reviews: how many refused reviews may be followed by another.
        published_addresses: whether manifests show where the shards are.
        settlement: open, the claim publishes the key; or sealed, the collector alone gets it, and
            may dispute it before the provider is paid.
        registration_end: Unix time in seconds, as are the next two.
        submission_end: sampling and features end, candidates begin.
        expiry: when every window has closed.
        response_time: seconds each side has for its next step.
        task: digest in the CID of the task document (offchain/task), 32 bytes.
        encryption_key: the collector's X25519 key, 32 bytes.
    """

    collector: str
    token: str
    reward: int
    deposit: int
    sample_bps: int
    penalty_bps: int
    shard_count: int
    shard_size: int
    further_reviews: int
    published_addresses: bool
    settlement: Settlement
    registration_end: int
    submission_end: int
    expiry: int
    response_time: int
    task: bytes
    encryption_key: bytes

    @property
    def max_shards(self) -> int:
        """The most shards that a dataset may have."""
        return MAX_SHARDS if self.published_addresses else MAX_SHARDS_HIDDEN

    @property
    def max_sampled(self) -> int:
        """The most shards that `sample_bps` may come to."""
        return MAX_SAMPLED if self.published_addresses else MAX_SAMPLED_HIDDEN

    @property
    def sample_limit(self) -> int:
        """Largest number of shards that one provider opens, in its sample and its review."""
        return sample_limit(self.shard_count, self.sample_bps)

    @property
    def first_sample(self) -> int:
        """How many shards are sampled before features; the review opens the others of the limit."""
        return self.sample_limit - self.sample_limit // 2

    @property
    def sampling_end(self) -> int:
        """When sampling ends, in Unix seconds: whoever is sampled has ten minutes to submit."""
        return self.submission_end - SHORTEST_WINDOW

    @property
    def compensation(self) -> int:
        """What a candidate gets for samples it disclosed in vain."""
        return self.reward * self.sample_bps // BPS

    @property
    def penalty(self) -> int:
        """What a candidate loses that discloses nothing."""
        return self.deposit * self.penalty_bps // BPS

    @property
    def burn(self) -> int:
        """What collector and candidate lose each where a review is declared rubbish."""
        return 2 * self.compensation

    @property
    def escrow(self) -> int:
        """What the collector pays in: the reward and what it may destroy for each further review,
        in the token's smallest unit."""
        return self.reward + self.further_reviews * self.burn

    @property
    def selection_end(self) -> int:
        """When the last candidate must be set, in Unix seconds."""
        return self.expiry - self.windows * self.response_time

    @property
    def windows(self) -> int:
        """How many follow once a candidate is set; a fourth, if sealed, is for the dispute."""
        return 4 if self.settlement == Settlement.SEALED else 3
