"""Options that several of HyperX's commands have; nothing here is slow to load."""

from __future__ import annotations

import click

from scripts._stage import options as common
from scripts._stage.flags import grouped

SETTLEMENTS = ["open", "sealed"]

terms = grouped(
    click.option(
        "--shards",
        type=click.IntRange(1, 10_000),
        default=100,
        show_default=True,
        help="Per dataset.",
    ),
    click.option(
        "--shard-size",
        type=click.IntRange(min=1),
        default=7,
        show_default=True,
        help="Samples.",
    ),
    click.option(
        "--sample",
        type=click.FloatRange(0.01, 50),
        default=25.0,
        show_default=True,
        help="Largest share of shards opened, in per cent: half for features, then the rest.",
    ),
    click.option("--reward", default="1 ether", show_default=True, help="For the best dataset."),
    click.option("--deposit", default="0.5 ether", show_default=True, help="Of each provider."),
    click.option(
        "--penalty",
        type=click.FloatRange(0.01, 100),
        default=100.0,
        show_default=True,
        help="Share of the deposit a silent candidate loses, in per cent.",
    ),
    click.option(
        "--further-reviews",
        type=click.IntRange(0, 255),
        help="Reviews that may follow a refused one; default as the story needs.",
    ),
    common.token,
    click.option(
        "--hidden",
        is_flag=True,
        help="Hide the shards' addresses until the claim; up to 4,000 shards.",
    ),
    click.option(
        "--settlement",
        type=click.Choice(SETTLEMENTS),
        help="Publish the key, or seal it to the collector; default as the story needs, else open.",
    ),
    click.option(
        "--hours",
        type=click.FloatRange(1 / 6, 720),
        default=1.0,
        show_default=True,
        help="Length of registration and of submission, in hours.",
    ),
    click.option(
        "--response-minutes",
        type=click.FloatRange(10, 43_200),
        default=15.0,
        show_default=True,
        help="Time each side has for its next step.",
    ),
)
"""What a session is created under."""

judging = grouped(
    click.option("--draw", is_flag=True, help="Let the chain draw the samples."),
    click.option(
        "--least-accuracy",
        type=click.FloatRange(0, 1),
        help="Below it no provider is asked for a review; default what guessing reaches once in a "
        "thousand times.",
    ),
    click.option(
        "--burn-rubbish/--refuse-rubbish",
        default=True,
        show_default=True,
        help="Punish candidates whose samples are not what was scored; refusing costs half.",
    ),
    click.option(
        "--extractor",
        default="efficientnet-lite0",
        show_default=True,
        help="Backbone, with ImageNet's weights, of which obfuscation hides nothing; or your own, "
        "as efficientnet-lite0:FILE, a safetensors file of its state_dict, published nowhere.",
    ),
    click.option("--cut", help="Where the backbone is cut; default its own."),
    click.option("--input-size", type=click.IntRange(min=16), help="Of the extractor, in pixels."),
    click.option(
        "--head",
        help="Preset of the head's training, default as the features are many or few; a name that "
        "does not exist lists them.",
    ),
)
"""How the collector chooses."""

limits = grouped(
    click.option(
        "--least-reward", help="Providers refuse terms with less; these limits are their own."
    ),
    click.option("--most-deposit", help="Providers refuse terms that ask for more."),
    click.option(
        "--most-penalty", help="Amount; providers refuse terms under which silence costs more."
    ),
    click.option(
        "--least-response",
        type=click.FloatRange(min=0),
        default=10.0,
        show_default=True,
        help="Minutes; providers refuse terms that give them less for a step.",
    ),
    click.option(
        "--most-locked",
        type=click.FloatRange(min=0),
        default=30.0,
        show_default=True,
        help="Days; providers refuse terms that lock their deposits for longer.",
    ),
    click.option(
        "--accept-extractor",
        multiple=True,
        metavar="CID",
        help="Providers take this extractor although its weights are not public. Repeat.",
    ),
    click.option(
        "--accept-token",
        multiple=True,
        metavar="ADDRESS",
        help="Providers take terms that pay in this token, beside the native coin. Repeat.",
    ),
)
"""What a provider's owner lets its role agree to."""
