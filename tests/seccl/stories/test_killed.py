"""A process killed by SIGKILL after any write or send comes to the end of one left alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import ape

from offchain.seccl import journal
from offchain.seccl.journal import Journal
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.seccl.reading import read
from offchain.seccl.server import Server
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.setup import conductor_of
from scripts._stage import permit as sending
from scripts._stage.wallet import AccountWallet, recover
from tests.kit.folder_store import FolderStore
from tests.kit.killed import StepKind, forked, live
from tests.kit.snapshots import undone
from tests.offchain.seccl.session_in_memory import FIRST, LAYOUT, made_updates
from tests.seccl.stories.small_session import MEMBERS, SCORES, SECRET, Play, deployed, parties


class ServersStore(FolderStore):
    """The same datastore as the server uses it."""


def kinds() -> Sequence[StepKind]:
    """Whatever the server writes or sends."""
    return [(ServersStore, "put"), (journal, "write_whole"), (sending, "transact")]


@forked
def play_what_is_left(session: str, folder: Path) -> None:
    """What every process does: it finds the session, and plays what is left of its only round until
    the stake is paid back."""
    content = folder / "content"
    store = FolderStore(content)
    chain = FederationChain.find(session, store)
    account, members = parties(ape.accounts.test_accounts)
    kept = Journal(folder / "server", chain.session.id)
    server = Server(chain.session, AccountWallet(account), recover, ServersStore(content), kept)
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
    posted = [read(told, 0, kind, store, recover).hashes for kind in MessageKind]
    end = told.fault, told.withdrawn, posted, told.ballots[0], told.closed[0].winners
    return (*end, found.digests), found.own_posts


def test_killed_after_every_write_and_every_send_it_comes_to_the_same_end(
    project, deployer, accounts, tmp_path
) -> None:
    """Nobody is convicted, all messages are on the board, the stake is paid back. What the server
    had not promised when it was killed, its authors may have posted themselves."""
    contracts = deployed(project, deployer)
    begun = tmp_path / "begun"
    play = Play(contracts, accounts, store=FolderStore(begun / "content"), rounds=1)
    session = "0x" + play.chain.session.id.hex()
    with undone():
        quiet = tmp_path / "quiet"
        shutil.copytree(begun, quiet)
        steps = live(play_what_is_left, session, quiet, kinds=kinds).steps
        expected, own = end_of(session, quiet)
    assert expected[:2] == (None, True)
    assert own == 0
    taken = ["put", "write_whole"] * MEMBERS
    exchanged = [*taken, "write_whole", "put", "transact"]
    # The round opened; ballots carried, the round closed, the stake taken back.
    assert steps == [*exchanged, "transact", *exchanged, "transact", "transact", "transact"]
    for number in range(1, len(steps) + 1):
        folder = tmp_path / str(number)
        shutil.copytree(begun, folder)
        with undone():
            life = live(play_what_is_left, session, folder, kinds=kinds, kill_after=number)
            assert life.killed, number
            play_what_is_left(session, folder)
            found, own = end_of(session, folder)
            assert found == expected, number
            assert own <= MEMBERS - 1, number
