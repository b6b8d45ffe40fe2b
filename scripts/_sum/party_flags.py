"""Options of the commands of a shared model's parties; nothing here is slow to load."""

from __future__ import annotations

from pathlib import Path

import click

from scripts._stage import options as common
from scripts._stage.flags import grouped

CLASSIFIERS = ("SparsePerceptron", "NearestCentroid", "NaiveBayes")


def texts(of: str) -> common.Decorator:
    """`--texts` and `--table`. of: what they are for, as the help says."""
    path = click.Path(path_type=Path, dir_okay=False, exists=True)
    return grouped(
        click.option(
            "--texts",
            type=path,
            help=f"{of}: CSV with the columns text and label, or JSON lines (.jsonl) of objects "
            "with text and label.",
        ),
        click.option(
            "--table",
            type=path,
            help="The same of numbers: CSV with named columns, one of them label, or .npz with x "
            "(N, F), y (N,) and perhaps columns (F,).",
        ),
    )


model = grouped(
    click.option(
        "--dataset",
        type=click.Choice(["reviews"]),
        default="reviews",
        show_default=True,
        help="Without --texts: 25,000 film reviews that come with a package.",
    ),
    click.option(
        "--samples", type=click.IntRange(min=1), help="Learn so many texts, drawn; default all."
    ),
    click.option(
        "--words",
        type=click.IntRange(1, 20_000),
        default=1_000,
        show_default=True,
        help="How many of the most frequent words are features.",
    ),
    click.option(
        "--classifier",
        type=click.Choice(CLASSIFIERS),
        help="Default SparsePerceptron for two classes, NaiveBayes for more.",
    ),
    click.option(
        "--most-active",
        type=click.IntRange(min=1),
        help="Known words that a text has at most; default as many as the contract takes.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1, 100),
        default=1,
        show_default=True,
        help="How often the first model learns each text.",
    ),
)
"""What the model is, before anybody teaches it."""

terms = grouped(
    click.option(
        "--cost-weight",
        type=click.IntRange(0, 10**12),
        default=1,
        show_default=True,
        help="Deposit an hour after the last lesson, in units: 60 times as much a second after.",
    ),
    click.option(
        "--submission-cost",
        type=click.IntRange(0, 10**12),
        default=1,
        show_default=True,
        help="What each contribution pays to those whose data proved good, in units.",
    ),
    click.option("--unit", default="1e15 wei", show_default=True, help="Amount, as 0.001 ether."),
    click.option(
        "--stated-accuracy",
        type=click.FloatRange(0.01, 99.99),
        metavar="PERCENT",
        help="Ties the submission cost to the information in a label, for a model right so often.",
    ),
    common.token,
    click.option(
        "--refund-hours",
        type=click.FloatRange(1 / 6, 720),
        default=24.0,
        show_default=True,
        help="From a contribution until its author announces its refund.",
    ),
    click.option(
        "--author-hours",
        type=click.FloatRange(1 / 6, 720),
        default=48.0,
        show_default=True,
        help="So long after that its author is alone.",
    ),
    click.option(
        "--verdict-hours",
        type=click.FloatRange(1 / 6, 720),
        default=24.0,
        show_default=True,
        help="From an announcement to its claim.",
    ),
    click.option(
        "--takeover-hours",
        type=click.FloatRange(1 / 6, 720),
        default=216.0,
        show_default=True,
        help="From when anybody takes what is left, and income is shared.",
    ),
    click.option(
        "--quiet-seconds",
        type=click.IntRange(60, 600),
        default=60,
        show_default=True,
        help="After a lesson nobody announces or claims.",
    ),
)
"""Under which the model is taught."""

least_share = click.option(
    "--least-share",
    help="Amount; report and take over where there is so much to get. Default what two calls cost.",
)

spending = grouped(
    click.option("--most-deposit", help="Amount; wait until a contribution locks no more."),
    click.option("--most-cost", help="Amount; teach no contribution that pays more into the pot."),
    click.option(
        "--most-stake",
        help="Amount; of deposits and costs that have not come back, those of answers too.",
    ),
    click.option(
        "--accept-token",
        multiple=True,
        metavar="ADDRESS",
        help="Teach a model that is paid in this token, beside the native coin. Repeat.",
    ),
)
"""What an author pays at most."""
