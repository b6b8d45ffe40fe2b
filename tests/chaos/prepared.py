"""What all runs of a mechanism begin with: everybody's data, the rehearsal's payouts, and a chain.

python -m tests.chaos.prepared FOLDER MECHANISM
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import ape
from web3 import HTTPProvider, Web3

from scripts._stage.chain import HOME
from scripts._stage.deployments import deploy, deployments_path, missing
from tests.chaos.chain import STATE, Chain
from tests.kit.hosted import connected_to_testnet
from tests.kit.nursery import ROOT
from tests.market.plays import PLAYS
from tests.market.rehearsals.__main__ import main as rehearse

SETTLED_BLOCKS = 20
"""Above what a reorganisation takes back."""
CHAIN = "chain"


def prepared(reports: Path, mechanism: str) -> Path:
    """The folder of it all, made once for its contracts as they are now, in a process of its own.

    Raises RuntimeError.
    """
    (play,) = (one for one in PLAYS if one.name == mechanism)
    codes = [
        ape.project.get_contract(one).contract_type.deployment_bytecode for one in play.contracts
    ]
    now = hashlib.sha256("".join(str(one.bytecode) for one in codes).encode()).hexdigest()[:8]
    folder = reports / "prepared" / f"{mechanism}-{now}"
    if folder.exists():
        return folder
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    with (making / "prepared.log").open("w") as log:
        line = [sys.executable, "-m", "tests.chaos.prepared", str(making), mechanism]
        ended = subprocess.run(line, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"not prepared: {making}/prepared.log")
    making.rename(folder)
    return folder


def prepare(folder: Path, mechanism: str) -> None:
    """Rehearses it, and deploys its contracts on a chain that is kept in a file."""
    (play,) = (one for one in PLAYS if one.name == mechanism)
    rehearse(folder, [mechanism])
    os.environ[HOME] = str(folder / "deployer")
    (folder / CHAIN).mkdir(parents=True)
    with Chain(folder / CHAIN, block_time=None) as chain, connected_to_testnet(chain.uri):
        path = deployments_path(folder / CHAIN)
        for one in missing(play.contracts):
            deploy(ape.accounts.test_accounts[0], one, path)
        Web3(HTTPProvider(chain.uri)).provider.make_request("anvil_mine", [hex(SETTLED_BLOCKS)])
        time.sleep(2)  # until its state is written
        shutil.copy(chain.kept(), folder / CHAIN / STATE)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), sys.argv[2])
