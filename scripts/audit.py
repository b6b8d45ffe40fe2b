"""`ape run audit`: checks a finished session of collaborative training, as anybody can."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags as party
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Check a session of federate (SecCL)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("session")
@party.reading
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with the embedded node's content; default that of federate, or of your party.",
)
@click.option(
    "--model",
    metavar="MODULE:FUNCTION",
    help="The model of the session, where it is one of somebody's own: its code is run.",
)
@click.option(
    "--board", metavar="ADDRESS", help="The session's board, where it is not this version's."
)
@click.option(
    "--consensus",
    metavar="ADDRESS",
    help="The factory of the session's consensus, where it is not this version's.",
)
@common.reports("Folder under which audit/ gets page, plot and record.")
def cli(
    session: str,
    listen: str,
    peer: tuple[str, ...],
    ipfs: str | None,
    deployments: Path,
    as_json: bool,
    keep: Path | None,
    model: str | None,
    board: str | None,
    consensus: str | None,
    reports: Path,
) -> None:
    """Check SESSION, the id that federate, serve and join print, from the chain and the datastore
    alone. Where the content lies on others' nodes, name one by --peer.

    Every message is compared with its hash on the board, every batch with its root, every receipt
    with the server's key, every ballot with its voter's evaluation; every result is counted again
    and compared with the contract's; every global model is computed again from the elected updates
    that can be used, and the others are named. What was done against the rules and changed no
    result is named as well, exit 1. The first thing that leaves a result or a model in doubt ends
    it, exit 1, without a report. Board and consensus must be this version's, whose addresses
    follow from their code, or those that are named.
    """
    from offchain.storage import Network, open_datastore
    from scripts._seccl.audit import audit_session
    from scripts._seccl.chain import Contracts, FederationChain
    from scripts._seccl.finding import board_there
    from scripts._seccl.play import audited_home
    from scripts._seccl.record import audit_record
    from scripts._seccl.report import audit_report, faults_found, rounds_left
    from scripts._seccl.telling import FederateTelling
    from scripts._stage.errors import one_line_each
    from scripts._stage.party import PartyTelling

    telling = FederateTelling()
    network = Network(listen, peer) if peer else None
    with one_line_each(), open_datastore(ipfs, audited_home(keep) / "ipfs", network) as store:
        contracts = Contracts.known(board, consensus)
        there = None if board else board_there(deployments)
        chain = FederationChain.find(session, store, contracts=contracts, board=there)
        with telling.doing("auditing", announced=False) as progress:
            findings = audit_session(chain, store, progress, model)
        record = audit_record(chain, findings)
        files = audit_report(record, findings).write(reports / "audit")
        if as_json:
            PartyTelling(as_json=True).event("audited", **asdict(record))
        else:
            telling.audited(findings)
            telling.wrote(files)
        for wrong in (faults_found(record), rounds_left(record)):
            if wrong:
                raise click.ClickException(wrong)
