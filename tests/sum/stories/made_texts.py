"""Small labelled texts, and the options under which a model of them is published."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from scripts._sum.party_options import PublishOptions, TeachOptions

GOOD = ("great", "lovely", "moving", "funny", "brilliant")
BAD = ("awful", "dull", "boring", "weak", "terrible")
TRAINING = [
    *(
        (f"a {one} film, {other} and {third}", "positive")
        for one, other, third in zip(
            GOOD * 2,
            GOOD[1:] + GOOD[:1] + GOOD[2:] + GOOD[:2],
            GOOD[3:] + GOOD[:3] + GOOD,
            strict=True,
        )
    ),
    *(
        (f"a {one} film, {other} and {third}", "negative")
        for one, other, third in zip(
            BAD * 2, BAD[1:] + BAD[:1] + BAD[2:] + BAD[:2], BAD[3:] + BAD[:3] + BAD, strict=True
        )
    ),
]
"""What the first model learns."""
TRUE = [("great, great and so funny", "good"), ("dull and weak", "bad"), ("a lovely film", "good")]
"""An author's, who calls the classes otherwise."""
LIE = [("brilliant, moving, lovely", "negative")]
LICENCE = "CC-BY-4.0"
MAPPING = ("good=positive", "bad=negative")
MINUTES_10 = 1 / 6
TERMS: dict[str, Any] = {
    "words": 40,
    "classifier": "NaiveBayes",
    "epochs": 3,
    # Every deposit is one unit, whenever it comes.
    "cost_weight": 0,
    "submission_cost": 1,
    "unit": "0.003 ether",
    "refund_hours": MINUTES_10,
    "author_hours": 0.2,
    "verdict_hours": MINUTES_10,
    "takeover_hours": 2.0,
    "licence": LICENCE,
}


def write_csv(path: Path, rows: list[tuple[str, str]]) -> Path:
    """A file of labelled texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(rows)
    return path


def on_command_line(terms: dict[str, Any]) -> list[str]:
    """Options as words."""
    return [
        word
        for name, value in terms.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def publish_options(folder: Path, **more: Any) -> PublishOptions:
    """Of a model of these texts."""
    said: dict[str, Any] = {
        "account": "TEST::1",
        "class_name": (),
        "listen": "/ip4/127.0.0.1/tcp/0",
        "peer": (),
        "as_json": True,
        "texts": write_csv(folder / "training.csv", TRAINING),
        "table": None,
        "dataset": "reviews",
        "samples": None,
        "most_active": None,
        "stated_accuracy": None,
        "token": None,
        "quiet_seconds": 60,
        "content": "",
        "contact": (),
        "seed": 0,
        "gas_price": 20.0,
        "dry_run": False,
        "leave": True,
        "ipfs": None,
        "yes": True,
        "deployments": folder / "deployments",
    }
    return PublishOptions(**(said | TERMS | more))


def teach_options(folder: Path, texts: Path, **more: Any) -> TeachOptions:
    """Of an author of such texts."""
    said: dict[str, Any] = {
        "account": "TEST::2",
        "class_name": (),
        "listen": "/ip4/127.0.0.1/tcp/0",
        "peer": (),
        "as_json": True,
        "pay_to": None,
        "least_share": None,
        "gas_price": 20.0,
        "dry_run": False,
        "ipfs": None,
        "yes": True,
        "deployments": folder / "deployments",
        "texts": texts,
        "table": None,
        "licence": (),
        "most_deposit": None,
        "most_cost": None,
        "most_stake": None,
        "accept_token": (),
        "reports": True,
    }
    return TeachOptions(**(said | more))
