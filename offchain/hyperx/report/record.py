"""What one trading session did, as plain values: all that a report of it shows.

Kept as JSON, it can be shown again, or compared, without the chain it happened on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from offchain.errors import SoukError
from offchain.report.money import Amount, Money

SCHEMA = 4
"""Version of the JSON form; raised when a field is added, renamed or changes its meaning."""

MAX_RECORD_BYTES = 64 << 20
"""Longest JSON text read."""

Share = Annotated[float, Field(ge=0, le=1)]

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class RecordError(SoukError):
    """A record that cannot be read; the message is one line for people."""


@dataclass(frozen=True, config=_STRICT)
class GasEntry:
    """One transaction. party: "collector", a provider's name, or who else paid.

    call: the contract's function, as `createSession` or `register`. gas: as in its receipt.
    """

    party: str
    call: str
    gas: Amount


@dataclass(frozen=True, config=_STRICT)
class ProviderResult:
    """How one provider fared.

    corruption: what was truly done to its data, as `offchain.data.corruptions` writes it.
    score, low, high: accuracy of the head trained on its features and the 95 % interval
        around it, shares of 1; None when its data was never scored.
    macro_f1: unweighted mean of the classes' F1 scores, a share of 1.
    deposit: what it paid in. payout: all it got back, deposit included. Both smallest units.
    gas: of all its transactions, the sum of its entries in the record.
    outcome: for people, as `chosen` or `silent: lost 50 % of its deposit`.
    """

    name: str
    account: str
    corruption: str
    score: Share | None
    low: Share | None
    high: Share | None
    macro_f1: Share | None
    deposit: Amount
    payout: Amount
    gas: Amount
    outcome: str

    @model_validator(mode="after")
    def _interval_around_score(self) -> ProviderResult:
        values = (self.low, self.score, self.high)
        present = [value for value in values if value is not None]
        if present and (len(present) < 3 or present != sorted(present)):
            raise ValueError(f"low <= score <= high must hold or all be none, not {values}")
        return self


@dataclass(frozen=True, config=_STRICT)
class SessionRecord:
    """One trading session, from its terms to its last payment.

    story: its name, as `honest`. session, factory, collector: addresses.
    token: address of the ERC-20 in which it pays, None for the native coin.
    reward: in the smallest unit. sample_bps: the most that may be sampled, in 1/10,000.
    settlement: whether the key was published, or sealed to the collector.
    extractor: the model and its cut. dataset: its name. seed: of all that was random.
    gas: every transaction of the session. gas_price_gwei: at which gas is turned into ether.
    baselines: by the baseline's name, the score of each provider's name.
    efficacy: by the provider's name, what its sampled features are worth to a model of the
        collector's (MDE), in the smallest unit; empty without that second opinion.
    winner: name of the provider whose data was bought, None without a deal.
    digest_winner, digest_received: SHA-256 of the winner's dataset and of the collector's.
    money: of every party, which together lose what was burned and nothing else.
    settings: versions, block, commit, whatever else is needed to run it again.
    started, finished: ISO 8601 with a time zone. events: one line each, in order.
    currency, decimals: how amounts in the session's currency are written.

    Raises pydantic's ValidationError, a ValueError, when a value does not fit.
    """

    story: str
    chain_id: Amount
    session: str
    factory: str
    collector: str
    token: str | None
    reward: Amount
    shard_count: Annotated[int, Field(ge=1)]
    shard_size: Annotated[int, Field(ge=1)]
    sample_bps: Annotated[int, Field(ge=0, le=10_000)]
    settlement: Literal["open", "sealed"]
    extractor: str
    dataset: str
    seed: Amount
    providers: tuple[ProviderResult, ...]
    gas: tuple[GasEntry, ...]
    gas_price_gwei: Annotated[float, Field(ge=0)]
    baselines: dict[str, dict[str, Share]]
    winner: str | None
    digest_winner: str | None
    digest_received: str | None
    money: tuple[Money, ...]
    settings: dict[str, str]
    started: str
    finished: str
    events: tuple[str, ...]
    currency: str = "ETH"
    decimals: Annotated[int, Field(ge=0, le=36)] = 18
    efficacy: dict[str, Amount] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> SessionRecord:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        names = [provider.name for provider in self.providers]
        if len(set(names)) < len(names):
            yield f"providers' names must be distinct: {names}"
        if self.winner is not None and self.winner not in names:
            yield f"the winner {self.winner!r} is none of the providers {names}"
        for provider in self.providers:
            gas = sum(entry.gas for entry in self.gas if entry.party == provider.name)
            if gas != provider.gas:
                yield f"{provider.name!r} paid {provider.gas} gas, its transactions say {gas}"
        for baseline, scores in self.baselines.items():
            if strange := sorted(scores.keys() - set(names)):
                yield f"{baseline!r} scores {strange}, none of the providers {names}"
        if strange := sorted(self.efficacy.keys() - set(names)):
            yield f"efficacy prices {strange}, none of the providers {names}"
        times = [datetime.fromisoformat(text) for text in (self.started, self.finished)]
        if any(time.tzinfo is None for time in times):
            yield f"times need a time zone: {self.started}, {self.finished}"
        elif times[1] < times[0]:
            yield f"finished {self.finished} is before started {self.started}"

    @property
    def winning(self) -> ProviderResult | None:
        """The winner's result, None without a deal."""
        return next((one for one in self.providers if one.name == self.winner), None)

    @property
    def dataset_matches(self) -> bool | None:
        """Whether the collector holds just the winner's data; None when it received none."""
        if self.digest_received is None:
            return None
        return self.digest_received == self.digest_winner

    def to_json(self) -> str:
        """The record as JSON text, indented, with its schema version first."""
        document = _Document(SCHEMA, self)
        return _DOCUMENT.dump_json(document, indent=2, ensure_ascii=True).decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> SessionRecord:
        """Read what `to_json` wrote.

        Raises RecordError, one line, when the text is too long, no JSON, of another schema
        version, or has a field missing, added or of the wrong type or range.
        """
        if len(text) > MAX_RECORD_BYTES:
            raise RecordError(f"a record has at most {MAX_RECORD_BYTES} bytes, not {len(text)}")
        try:
            document = _DOCUMENT.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the text"
            raise RecordError(f"no session record: {where!r}: {first['msg']!r}") from error
        return document.record


@dataclass(frozen=True, config=_STRICT)
class _Document:
    schema: int
    record: SessionRecord

    @model_validator(mode="after")
    def _known_version(self) -> _Document:
        if self.schema != SCHEMA:
            raise ValueError(f"schema {self.schema} is not the {SCHEMA} that this version reads")
        return self


_DOCUMENT = TypeAdapter(_Document)
