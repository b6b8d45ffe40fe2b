"""Which parties each mechanism has in the market, and what each is told to do.

Windows are in the chain's time. Those of one step are 20 minutes or more, and the shortest that the
contracts take is 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LICENCE = "CC-BY-4.0"
DIGITS = tuple(f"--class-name={digit} - digit={digit}" for digit in range(10))
"""For whom calls the digits otherwise."""


@dataclass(frozen=True)
class Play:
    """One mechanism's parties.

    Attributes:
        name: of the mechanism. contracts: that it needs.
        first: the party that others find. opening: its command and options.
        told: the event by which it says what others are to join, and the value's name.
        joining: commands and options of the others, to whose second place that value comes.

    In options {own} stands for the party's folder.
    """

    name: str
    contracts: tuple[str, ...]
    first: str
    opening: tuple[str, ...]
    told: tuple[str, str]
    joining: Mapping[str, tuple[str, ...]]

    @property
    def parties(self) -> tuple[str, ...]:
        """Names, the first one's first."""
        return self.first, *self.joining

    def alias(self, party: str) -> str:
        """Of its keystore account; its key follows from it."""
        return f"{self.name}_{party}"


def _words(said: str) -> tuple[str, ...]:
    """Options as words; an underscore stands for a space."""
    return tuple(word.replace("_", " ") for word in said.split())


HYPERX = Play(
    "hyperx",
    ("TradingSessionFactory",),
    "carol",
    _words(
        "open --dataset {own}/pictures --shards 20 --shard-size 5 --sample 40 --deposit 0.8_ether "
        f"--penalty 50 --expect 2 --hours 1 --response-minutes 20 --licence {LICENCE}"
    ),
    ("session", "address"),
    {
        "anna": (*_words(f"provide --dataset {{own}}/pictures --licence {LICENCE}"), *DIGITS),
        "bert": _words(f"provide --dataset {{own}}/pictures --licence {LICENCE}"),
    },
)
HIDE = Play(
    "hide",
    ("CleanerSale",),
    "sara",
    _words(
        "list --masked {own}/masked --prices 0.1_ether,0.3_ether,0.8_ether --stake 0.2_ether "
        f"--sales 1 --window-minutes 20 --hours 1.6 --licence {LICENCE}"
    ),
    ("listing", "id"),
    {
        "anna": (
            *_words(f"buy --level 3 --licence {LICENCE} --test {{own}}/pictures --epochs 1"),
            *DIGITS,
        )
    },
)
MDE = Play(
    "mde",
    ("DatasetSale",),
    "carol",
    _words(
        "order --dataset {own}/pictures --judged-by {own}/judged --samples 30 --image-size 8 "
        f"--minutes 20 --wait 1.5 --settlement sealed --licence {LICENCE}"
    ),
    ("order", "order"),
    {
        "anna": (
            *_words(f"quote --dataset {{own}}/pictures --licence {LICENCE} --send"),
            *DIGITS[7:],
        ),
        "bert": _words(f"quote --dataset {{own}}/pictures --licence {LICENCE} --send"),
    },
)
SECCL = Play(
    "seccl",
    ("BulletinBoard", "BordaConsensusFactory"),
    "sam",
    _words(
        "serve --dataset {own}/pictures --rounds 2 --lambda 0.67 --least-members 3 "
        "--most-members 3 --stake 0.1_ether --apply-hours 0.75 --hours 0.7 --batch 8 --epochs 4 "
        f"--licence {LICENCE}"
    ),
    ("announced", "id"),
    {one: _words("join --dataset {own}/pictures") for one in ("anna", "bert", "cleo")},
)
SUM = Play(
    "sum",
    ("SharedModelFactory",),
    "olga",
    _words(
        "publish --texts {own}/texts.csv --words 40 --classifier NaiveBayes --epochs 3 "
        "--cost-weight 0 --submission-cost 1 --unit 0.003_ether --refund-hours 0.4 "
        "--author-hours 0.5 --verdict-hours 0.34 --takeover-hours 2 --leave "
        f"--licence {LICENCE}"
    ),
    ("model", "address"),
    {
        "anna": _words(
            f"teach --texts {{own}}/texts.csv --licence {LICENCE} "
            "--class-name good=positive --class-name bad=negative"
        ),
        "bert": _words(f"teach --texts {{own}}/texts.csv --licence {LICENCE}"),
    },
)
PLAYS = (SECCL, SUM, MDE, HIDE, HYPERX)
"""In the order in which they begin: the longest first."""
