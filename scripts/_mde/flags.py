"""Options that several of MDE's commands have; nothing here is slow to load."""

from __future__ import annotations

import click

from scripts._stage import options as common
from scripts._stage.flags import grouped

valuing = grouped(
    click.option(
        "--method",
        type=click.Choice(("tree", "student", "influence")),
        default="tree",
        show_default=True,
        help="How data is valued: by an extracted tree, whose quotes the contract can check, by a "
        "distilled student or by influence functions.",
    ),
    click.option(
        "--hidden",
        type=click.IntRange(0, 1_024),
        default=0,
        show_default=True,
        help="Width of the model's hidden layer; 0 is softmax regression.",
    ),
)
"""By which model of the buyer's, and how."""

terms = grouped(
    click.option("--budget", default="1 ether", show_default=True, help="For all purchases."),
    click.option("--most", default="1 ether", show_default=True, help="Paid for one set at most."),
    click.option(
        "--floor",
        default="0.01 ether",
        show_default=True,
        help="Paid for data that changes nothing.",
    ),
    click.option(
        "--stake",
        default="0.2 ether",
        show_default=True,
        help="What a proved fault costs a seller.",
    ),
    common.token,
    click.option(
        "--settlement",
        type=click.Choice(("open", "sealed")),
        help="Publish keys, or seal them to the buyer; default as the story needs, else open.",
    ),
)
"""What an order is posted under."""

minutes = click.option(
    "--minutes",
    type=click.FloatRange(min=10, max=10_000),
    default=15.0,
    show_default=True,
    help="Time for a delivery, for disputes after it, and for an answer; in a rehearsal quotes "
    "stand four times as long.",
)

limits = grouped(
    click.option("--most-stake", help="Sellers quote to no order that asks for a larger stake."),
    click.option(
        "--least-delivery",
        type=click.FloatRange(min=0),
        default=10.0,
        show_default=True,
        help="Minutes; sellers quote to no order that gives them less to deliver.",
    ),
    click.option(
        "--most-locked",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        help="Days; sellers quote to no order that locks their stake for longer.",
    ),
    click.option(
        "--least-price",
        help="Sellers quote nothing between 0 and this, and to no order that could not pay it; "
        "default 0.001 ether, in a token its smallest unit.",
    ),
    click.option(
        "--most-quotes",
        type=click.IntRange(min=1),
        default=16,
        show_default=True,
        help="Artefacts that a seller's data are held against in all; each tells 5 bits at most.",
    ),
)
"""What a seller's owner lets its role agree to."""
