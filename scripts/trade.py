"""`ape run trade`: a collector recruits the best of several corrupted datasets, start to finish."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import options as common
from scripts._stage.command import ChainCommand

STORY_NAMES = (
    *("honest", "other-features", "rubbish", "silent-candidate", "no-claim"),
    *("vanishing-collector", "idle-collector", "no-providers", "copied-root"),
    *("missing-shard", "wrong-key", "wrong-delivery", "false-dispute"),
)
"""Those of scripts/_hyperx/stories.py, which takes seconds to load; `--help` must not."""
SETTLEMENTS = ["open", "sealed"]


@click.command(cls=ChainCommand, short_help="Play a whole HyperX session")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@common.story(STORY_NAMES)
@click.option(
    "--providers",
    type=click.IntRange(min=1, max=200),
    help="How many providers; by default as many as the plan names, else 6.",
)
@click.option(
    "--plan",
    help="What is wrong with each provider's data, as clean,mislabel:0.3,noise:0.4,...",
)
@common.dataset
@common.data_root
@common.download
@common.skip_broken
@click.option("--image-size", type=click.IntRange(min=8, max=512), help="Resize images, in pixels.")
@click.option(
    "--validation",
    type=click.IntRange(min=20),
    default=800,
    show_default=True,
    help="Samples the collector keeps to judge by.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Per dataset.",
)
@click.option(
    "--shard-size", type=click.IntRange(min=1), default=7, show_default=True, help="Samples each."
)
@click.option(
    "--sample",
    type=click.FloatRange(0.01, 50),
    default=25.0,
    show_default=True,
    help="Largest share of shards opened, in per cent: half for features, the rest in the review.",
)
@click.option("--reward", default="1 ether", show_default=True, help="For the best dataset.")
@click.option("--deposit", default="0.5 ether", show_default=True, help="Of each provider.")
@click.option(
    "--penalty",
    type=click.FloatRange(0.01, 100),
    default=100.0,
    show_default=True,
    help="Share of the deposit a silent candidate loses, in per cent.",
)
@click.option(
    "--further-reviews",
    type=click.IntRange(0, 255),
    help="Reviews that may follow a refused one; default as the story needs.",
)
@click.option("--token", help="Address of the ERC-20 that pays; default the native coin.")
@click.option(
    "--hidden",
    is_flag=True,
    help="Hide the shards' addresses until the claim; up to 4,000 shards.",
)
@click.option(
    "--settlement",
    type=click.Choice(SETTLEMENTS),
    help="Publish the key, or seal it to the collector; default as the story needs, else open.",
)
@click.option("--draw", is_flag=True, help="Let the chain draw the samples.")
@click.option(
    "--least-accuracy",
    type=click.FloatRange(0, 1),
    help="Below it no provider is asked for a review; default what guessing reaches once in a "
    "thousand times.",
)
@click.option(
    "--burn-rubbish/--refuse-rubbish",
    default=True,
    show_default=True,
    help="Punish candidates whose samples are not what was scored; refusing costs half as much.",
)
@click.option(
    "--extractor",
    default="efficientnet-lite0",
    show_default=True,
    help="Backbone, with ImageNet's weights, of which obfuscation hides nothing; or with your own, "
    "as efficientnet-lite0:FILE, a safetensors file of its state_dict, which is published nowhere.",
)
@click.option("--cut", help="Where the backbone is cut; default its own.")
@click.option("--input-size", type=click.IntRange(min=16), help="Of the extractor, in pixels.")
@click.option(
    "--head",
    default="fast",
    show_default=True,
    help="Preset of the head's training; a name that does not exist lists them.",
)
@click.option("--baselines", is_flag=True, help="Score by Train-Whole and Scratch-Subset too.")
@click.option(
    "--second-opinion",
    is_flag=True,
    help="Price the sampled features by what they would change in the collector's model (MDE).",
)
@click.option(
    "--hours",
    type=click.FloatRange(1 / 6, 720),
    default=1.0,
    show_default=True,
    help="Length of registration and of submission, in hours.",
)
@click.option(
    "--response-minutes",
    type=click.FloatRange(10, 43_200),
    default=15.0,
    show_default=True,
    help="Time each side has for its next step.",
)
@click.option(
    "--least-reward", help="Providers refuse terms with less; these limits are their own."
)
@click.option("--most-deposit", help="Providers refuse terms that ask for more.")
@click.option(
    "--most-penalty", help="Amount; providers refuse terms under which silence costs more."
)
@click.option(
    "--least-response",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Minutes; providers refuse terms that give them less for a step.",
)
@click.option(
    "--most-locked",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Days; providers refuse terms that lock their deposits for longer.",
)
@click.option(
    "--accept-extractor",
    multiple=True,
    metavar="CID",
    help="Providers take this extractor although its weights are not public, as they do here the "
    "one of --extractor NAME:FILE. Repeat.",
)
@click.option(
    "--accept-token",
    multiple=True,
    metavar="ADDRESS",
    help="Providers take terms that pay in this token, beside the native coin and, here, the "
    "token of --token. Repeat.",
)
@common.gas_price
@common.seed("Of data, corruptions, training and, on a local chain, samples.")
@common.device
@common.ipfs
@common.licence("CC-BY-4.0")
@click.option("--collector", help="Keystore account of the collector, off a local chain.")
@click.option(
    "--provider",
    multiple=True,
    help="Keystore account of a provider, off a local chain; repeat.",
)
@click.option("--resume", help="Address of a session to go on with, off a local chain.")
@click.option("--yes", is_flag=True, help="Sign without asking, off a local chain.")
@click.option(
    "--deployments",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("deployments"),
    show_default=True,
    help="Folder of the files that ape run deploy wrote.",
)
@common.reports("Folder for record, plots and page.")
def cli(story: str, **options: object) -> None:
    """Recruit the best of several datasets in one HyperX session.

    N providers register encrypted datasets, each corrupted by a stated plan; the collector scores
    obfuscated features of a sample, reviews the best and exchanges its data for the reward. The
    session, its gas and what each party got are printed and written under reports/.
    """
    from scripts._hyperx.options import TradeOptions
    from scripts._hyperx.play import Demonstration
    from scripts._hyperx.stories import STORIES
    from scripts._stage.errors import one_line_each

    chosen = TradeOptions(**options)  # type: ignore[arg-type]
    fitting = [name for name, one in STORIES.items() if one.fits(chosen.settlement)]
    names = fitting if story == "all" else [story]
    with one_line_each():
        failed = [name for name in names if Demonstration(name, chosen).run()]
    if failed:
        raise click.ClickException(f"ended otherwise than they should: {', '.join(failed)}")
