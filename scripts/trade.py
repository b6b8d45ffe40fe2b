"""`ape run trade`: a collector recruits the best of several corrupted datasets, start to finish."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._hyperx import flags as hyperx
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand

STORY_NAMES = (
    *("honest", "other-features", "rubbish", "silent-candidate", "no-claim"),
    *("vanishing-collector", "idle-collector", "no-providers", "copied-root"),
    *("missing-shard", "wrong-key", "wrong-delivery", "false-dispute"),
)
"""Those of scripts/_hyperx/stories.py, which takes seconds to load; `--help` must not."""


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
@flags.samples
@click.option(
    "--validation",
    type=click.IntRange(min=20),
    default=800,
    show_default=True,
    help="Samples the collector keeps to judge by.",
)
@hyperx.terms
@hyperx.judging
@click.option("--baselines", is_flag=True, help="Score by Train-Whole and Scratch-Subset too.")
@click.option(
    "--second-opinion",
    is_flag=True,
    help="Price the sampled features by what they would change in the collector's model (MDE).",
)
@hyperx.limits
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
@common.pay_to
@flags.deployments
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
