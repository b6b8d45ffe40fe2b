"""Options that several of SecCL's commands have; nothing here is slow to load."""

from __future__ import annotations

import click

from scripts._stage import options as common
from scripts._stage.flags import grouped

BALLOTS = ("open", "hidden", "scores")

terms = grouped(
    click.option(
        "--rounds", type=click.IntRange(1, 1_023), default=10, show_default=True, help="How many."
    ),
    click.option(
        "--lambda",
        "winners",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.2,
        show_default=True,
        help="Share of the members whose updates are elected each round.",
    ),
    click.option(
        "--posts",
        type=click.Choice(("batch", "single")),
        default="batch",
        show_default=True,
        help="Whether the server posts a round's messages as one Merkle root, or each by itself.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Passes of a member over its own images a round.",
    ),
    click.option(
        "--batch", type=click.IntRange(min=1), default=32, show_default=True, help="Images a step."
    ),
    click.option(
        "--learning-rate",
        type=click.FloatRange(0, 10, min_open=True),
        default=0.02,
        show_default=True,
        help="Of local SGD.",
    ),
    click.option(
        "--share",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.1,
        show_default=True,
        help="Part of the parameters, those with the largest change, that is uploaded.",
    ),
    click.option(
        "--model",
        default="small",
        show_default=True,
        help="What is trained: small (two convolutions), one of torchvision's classifiers without "
        "batch normalisation, such as squeezenet1_1, or module:function, called with the number of "
        "classes and the shape (C, H, W) of an image, which gives a torch.nn.Module.",
    ),
    click.option(
        "--privacy",
        metavar="EPSILON",
        type=click.FloatRange(0, min_open=True),
        help="Hide each single image that a member trains on (DP-SGD), with so much noise that all "
        "rounds together cost at most this epsilon.",
    ),
    click.option(
        "--delta",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=1e-5,
        show_default=True,
        help="The delta of --privacy.",
    ),
    click.option(
        "--clip",
        type=click.FloatRange(0, min_open=True),
        default=1.0,
        show_default=True,
        help="Longest gradient of an image under --privacy.",
    ),
    click.option(
        "--ballots",
        type=click.Choice(BALLOTS),
        default="open",
        show_default=True,
        help="How members vote: by open rankings, by rankings hidden until all have committed to "
        "theirs, or by scores, the paper's ballots of evaluations, which the contract sorts.",
    ),
    click.option(
        "--stake",
        default="0.1 ether",
        show_default=True,
        help="What the server loses to each member when it is convicted.",
    ),
    click.option(
        "--hours",
        type=click.FloatRange(0.7, 200),
        default=1.0,
        show_default=True,
        help="Length of each window, for uploads and for evaluations, in hours of chain time.",
    ),
    click.option("--screen", is_flag=True, help="Members evaluate updates that were copied at 0."),
    common.token,
)
"""What a session is agreed on."""

asked = grouped(
    click.option(
        "--class", "classes", multiple=True, help="A class, where you have no pictures. Repeat."
    ),
    click.option("--shape", metavar="CxHxW", help="Of a picture, where you have none."),
    click.option("--content", default="", help="What a sample may contain, in words."),
    click.option("--contact", multiple=True, help="Mail or page of yours; repeat."),
    click.option(
        "--least-per-class",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Samples of each class that a member has at all.",
    ),
    click.option(
        "--least-samples",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        help="Samples of a member in all.",
    ),
    click.option(
        "--distinct",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Samples that are no copies of others.",
    ),
)
"""What members have to have."""

test_pictures = grouped(
    click.option(
        "--dataset",
        default="",
        help="Name or directory of pictures of yours that nobody trains on, and that measure the "
        "model.",
    ),
    common.data_root,
    common.download,
    common.skip_broken,
    click.option(
        "--image-size", type=click.IntRange(min=16, max=256), help="Resize to, in pixels."
    ),
)

limits = grouped(
    click.option(
        "--least-stake", help="Refuse a server that loses less to you when it is convicted."
    ),
    click.option("--most-bond", help="Refuse terms under which a question may cost more."),
    click.option(
        "--least-hours",
        type=click.FloatRange(min=0),
        default=0.5,
        show_default=True,
        help="Refuse windows that are shorter.",
    ),
    click.option(
        "--most-days",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        help="Refuse a session that lasts longer.",
    ),
    click.option(
        "--most-epochs",
        type=click.IntRange(min=1),
        default=20,
        show_default=True,
        help="Refuse more passes over your pictures a round.",
    ),
    click.option(
        "--accept-token",
        multiple=True,
        metavar="ADDRESS",
        help="Take terms in this token, beside the native coin. Repeat.",
    ),
)
"""What a member's owner lets its role agree to."""

trusted = click.option(
    "--model",
    metavar="MODULE:FUNCTION",
    help="The model of the session, where it is one of somebody's own: its code is run.",
)
