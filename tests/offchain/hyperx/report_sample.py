"""A made-up session whose every figure the report tests can recompute."""

from dataclasses import replace

from offchain.hyperx.report.record import GasEntry, ProviderResult, SessionRecord
from offchain.report.money import Money

COIN = 10**18
SCORES = {
    "ada": ("clean", 0.93, 0.90, 0.95),
    "ben": ("noise:0.4", 0.84, 0.80, 0.87),
    "cyd": ("noise:0.05", 0.91, 0.88, 0.94),
    "dan": ("dope:0.6", None, None, None),
}
"""By provider: corruption, score and interval. ada wins, dan is silent after registration."""

CALLS = {
    "ada": {"register": 80_000, "submitFeatures": 40_000, "submitReview": 90_001},
    "ben": {"register": 75_000, "submitFeatures": 38_000, "claimDeposit": 33_000},
    "cyd": {"register": 75_002, "submitFeatures": 39_000, "claimDeposit": 35_000},
    "dan": {"register": 75_000},
    "collector": {"createSession": 191_000, "setCandidate": 50_000, "setOptimal": 36_000},
}
CALLS["ada"]["claimReward"] = 190_000
SAMPLINGS = (40_000, 41_000, 42_000)
"""Gas of the collector's calls of sampleData."""


def make_record(**changes: object) -> SessionRecord:
    gas = [GasEntry(party, call, g) for party, calls in CALLS.items() for call, g in calls.items()]
    gas += [GasEntry("collector", "sampleData", g) for g in SAMPLINGS]
    deposit = COIN // 4
    held = 100 * COIN
    spent = COIN - COIN // 8
    providers, money = [], [Money("collector", held, held - spent, 3 * 10**14, -spent)]
    for i, (name, (corruption, score, low, high)) in enumerate(SCORES.items()):
        payout = {"ada": deposit + COIN, "dan": deposit // 2}.get(name, deposit)
        outcome = {"ada": "chosen", "dan": "silent: lost 50 % of its deposit"}
        fees = 10**14 * (i + 1)
        claimable = payout if name == "dan" else 0  # it does not even collect the rest
        after = held - deposit + payout - claimable
        money.append(
            Money(name, held, after, fees, payout - deposit, claimable, outcome.get(name, ""))
        )
        providers.append(
            ProviderResult(
                name=name,
                account=f"0x{i:040x}",
                corruption=corruption,
                score=score,
                low=low,
                high=high,
                macro_f1=score,
                deposit=deposit,
                payout=payout,
                gas=sum(CALLS[name].values()),
                outcome=outcome.get(name, "not chosen"),
            )
        )
    values: dict[str, object] = {
        "story": "honest",
        "chain_id": 31337,
        "session": "0x" + "a" * 40,
        "factory": "0x" + "b" * 40,
        "collector": "0x" + "c" * 40,
        "token": None,
        "reward": COIN,
        "shard_count": 100,
        "shard_size": 20,
        "sample_bps": 1000,
        "settlement": "open",
        "extractor": "EfficientNet-Lite0",
        "dataset": "digits",
        "seed": 7,
        "providers": tuple(providers),
        "gas": tuple(gas),
        "gas_price_gwei": 20.0,
        "baselines": {"Train-Whole": {"ada": 0.97, "ben": 0.9, "cyd": 0.95, "dan": 0.5}},
        "winner": "ada",
        "digest_winner": "d" * 64,
        "digest_received": "d" * 64,
        "money": tuple(money),
        "settings": {"python": "3.11.7", "block": "42"},
        "started": "2026-01-02T03:04:05+00:00",
        "finished": "2026-01-02T03:06:05+00:00",
        "events": ("block 1: session created", "block 2: ada registered"),
    }
    return SessionRecord(**(values | changes))  # type: ignore[arg-type]


def rename(record: SessionRecord, old: str, new: str) -> SessionRecord:
    """The same session with a provider of another name."""

    def renamed(name: str) -> str:
        return new if name == old else name

    return replace(
        record,
        providers=tuple(replace(p, name=renamed(p.name)) for p in record.providers),
        gas=tuple(replace(entry, party=renamed(entry.party)) for entry in record.gas),
        money=tuple(replace(one, party=renamed(one.party)) for one in record.money),
        winner=None if record.winner is None else renamed(record.winner),
        baselines={
            baseline: {renamed(name): score for name, score in scores.items()}
            for baseline, scores in record.baselines.items()
        },
    )


NOTHING = {
    "providers": (),
    "gas": (),
    "baselines": {},
    "winner": None,
    "digest_winner": None,
    "digest_received": None,
    "money": (),
    "settings": {},
    "events": (),
}
"""Changes for a session in which nothing happened."""
