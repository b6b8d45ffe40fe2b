"""A process killed by SIGKILL after any write or send comes to the end of one left alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest.mock import patch

import ape

from offchain.files import write_whole
from offchain.seccl.journal import Journal
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.seccl.reading import read
from offchain.seccl.server import Server
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.setup import conductor_of
from scripts._stage.chain import transact
from scripts._stage.wallet import AccountWallet
from tests.kit.killed import Steps, kill_after, steps_of
from tests.kit.memory_store import MemoryStore
from tests.kit.snapshots import undone
from tests.offchain.seccl.session_in_memory import FIRST, LAYOUT, made_updates
from tests.seccl.stories.small_session import MEMBERS, SCORES, SECRET, Play, parties


class FolderStore(MemoryStore):
    """A datastore that outlives its process."""

    def __init__(self, folder: Path) -> None:
        super().__init__({})
        self.folder = folder

    def put(self, data: bytes) -> str:
        cid = super().put(data)
        write_whole(self.folder / cid, data)
        return cid

    def get(self, cid: str, max_bytes: int | None = None) -> bytes:
        path = self.folder / cid
        if path.exists():
            self.network[cid] = path.read_bytes()
        return super().get(cid, max_bytes)


def play_what_is_left(steps: Steps, session: str, folder: Path) -> None:
    """What every process does: it finds the session, and plays what is left of its only round until
    the stake is paid back. A step is what the server writes or sends."""
    store, served = (FolderStore(folder / "content") for _ in range(2))
    served.put = steps.counted("put", served.put)  # type: ignore[method-assign]
    chain = FederationChain.find(session, store)
    account, members = parties(ape.accounts.test_accounts)
    with (
        patch("offchain.seccl.journal.write_whole", steps.counted("write", write_whole)),
        patch("scripts._seccl.chain.transact", steps.counted("send", transact)),
    ):
        journal = Journal(folder / "server", chain.session.id)
        server = Server(chain.session, AccountWallet(account), served, journal)
        conductor = conductor_of(chain, server, account, members, store, lambda *_: None, SECRET)
        conductor.begin()
        if 0 not in chain.session.closed:
            digest = model_digest(LAYOUT, FIRST)
            conductor.play(0, made_updates(0), range(MEMBERS), digest, lambda _: SCORES)
        conductor.finish()


def end_of(session: str, folder: Path) -> tuple[tuple[object, ...], int]:
    """What the round comes to, after it was checked by an audit, and how many messages their
    authors had to post themselves."""
    store = FolderStore(folder / "content")
    chain = FederationChain.find(session, store)
    found, told = audit_session(chain, store), chain.session
    posted = [read(told, 0, kind, store).hashes for kind in MessageKind]
    end = told.fault, told.withdrawn, posted, told.ballots[0], told.closed[0].winners
    return (*end, found.digests), found.own_posts


def test_killed_after_every_write_and_every_send_it_comes_to_the_same_end(
    project, deployer, accounts, tmp_path
) -> None:
    """Nobody is convicted, all messages are on the board, the stake is paid back. What the server
    had not promised when it was killed, its authors may have posted themselves."""
    contracts = (
        deployer.deploy(project.BulletinBoard),
        deployer.deploy(project.BordaConsensusFactory),
    )
    begun = tmp_path / "begun"
    play = Play(contracts, accounts, store=FolderStore(begun / "content"), rounds=1)
    session = "0x" + play.chain.session.id.hex()
    with undone():
        quiet = tmp_path / "quiet"
        shutil.copytree(begun, quiet)
        steps = steps_of(play_what_is_left, session, quiet)
        expected, own = end_of(session, quiet)
    assert expected[:2] == (None, True)
    assert own == 0
    taken = ["put", "write"] * MEMBERS
    exchanged = [*taken, "write", "put", "send"]
    # The round opened; ballots carried, the round closed, the stake taken back.
    assert steps == [*exchanged, "send", *exchanged, "send", "send", "send"]
    for number in range(1, len(steps) + 1):
        folder = tmp_path / str(number)
        shutil.copytree(begun, folder)
        with undone():
            kill_after(number, play_what_is_left, session, folder)
            play_what_is_left(Steps(), session, folder)
            found, own = end_of(session, folder)
            assert found == expected, number
            assert own <= MEMBERS - 1, number
