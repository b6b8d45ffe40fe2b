"""`ape run share`: honest and malicious agents teach a shared model on chain, with deposits."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags as stage
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Share a model among agents (SUM)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option(
    "--submissions",
    type=click.IntRange(10, 5_000),
    default=250,
    show_default=True,
    help="How many reviews are submitted in all.",
)
@click.option(
    "--words",
    type=click.IntRange(10, 16_000),
    default=1_000,
    show_default=True,
    help="How many of the most frequent words are features.",
)
@click.option(
    "--agents",
    default="good,bad",
    show_default=True,
    help="Who takes part, as good:2,flipped:1,random: good (honest), bad (flipped), "
    "trusting, random, targeted, copycat, parrot, sybil, holder, flipper, staller or "
    "launderer.",
)
@click.option(
    "--submission-cost",
    type=click.IntRange(0, 1_000),
    default=1,
    show_default=True,
    help="What each submission pays to those whose data proved good, in coins.",
)
@click.option(
    "--stated-accuracy",
    type=click.FloatRange(50.01, 99.99),
    metavar="PERCENT",
    help="Ties the submission cost to the information in a label, for a model right so often: "
    "who agrees with the model pays less, who contradicts it more. Default: the same for all.",
)
@click.option(
    "--train-size",
    type=click.FloatRange(0.001, 0.9),
    default=0.08,
    show_default=True,
    help="Share of the training data that the first model is trained with.",
)
@click.option(
    "--block-seconds",
    type=click.IntRange(1, 3_600),
    default=1,
    show_default=True,
    help="From block to block: agents come at multiples of it. Mainnet has 12.",
)
@common.seed("Of the split, the first model and what the agents do.")
@click.option("--owner", help="Keystore account of the model's owner, off a local chain.")
@click.option(
    "--agent",
    multiple=True,
    help="Keystore account of an agent, in the order of --agents, off a local chain; repeat.",
)
@click.option("--yes", is_flag=True, help="Begin and sign without asking, off a local chain.")
@stage.deployments
@common.gas_price
@common.reports("Folder under which share/ gets record, plots and page.")
def cli(
    agents: str,
    reports: Path,
    owner: str | None,
    agent: tuple[str, ...],
    yes: bool,
    deployments: Path,
    **options: object,
) -> None:
    """Let honest and malicious agents teach a shared model, and see who gains.

    The agents decide as in the simulation of the SUM paper, with real film reviews. Each of their
    calls goes to the contracts at its second, and the chain's answers (amounts, predictions,
    balances, deposits, the pot, the weights) are compared with the simulation's at every call;
    the first difference ends the run. A coin is a thousandth of an ether.

    A local chain's time is moved. On any other agents wait, for days: how many is told before, and
    asked. Their calls count at the second of their block, and the same command goes on where it was
    stopped.
    """
    from scripts._stage.errors import one_line_each
    from scripts._sum.options import ShareOptions, ShareParties
    from scripts._sum.play import share

    with one_line_each():
        parties = ShareParties(owner, agent, yes, deployments)
        made = ShareOptions(agents=agents, **options)  # type: ignore[arg-type]
        share(made, parties, reports / "share")
