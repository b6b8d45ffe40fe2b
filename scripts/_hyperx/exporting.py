"""`ape run export`: a bought dataset as a folder of pictures by class, with what proves it."""

from __future__ import annotations

from typing import Any

import click

from offchain.crypto.settlement import Settlement
from offchain.hyperx import events as ev
from offchain.hyperx.purchase import Purchase, purchase, rebuilt_root, session_key
from offchain.hyperx.session import Session
from offchain.storage import Network, cid_from_digest, open_datastore
from offchain.task import fetch_task
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.seats import COLLECTOR_SECRETS, deployed_factory
from scripts._stage.chain import chain_home, decoded, logs_of
from scripts._stage.exported import read_back, write_bought
from scripts._stage.party import ExportOptions, PartyTelling
from scripts._stage.secrets import secrets_at

FORMAT = "souk.purchase.v1"


def run_export(address: str, options: ExportOptions) -> None:
    """Writes what the session at `address` bought, reads it back and compares it with the chain.

    Raises ClickException where the folder is not what was sold.
    """
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    factory = deployed_factory(options.deployments)
    chain = ChainSession.resume(factory.contract, factory.block, address)
    session = chain.read()
    key = session_key(session, secrets_at(home / COLLECTOR_SECRETS))
    if not options.check:
        network = Network(options.listen, options.peer)
        with open_datastore(options.ipfs, home / "ipfs", network) as store:
            with telling.doing("decrypting the dataset"):
                task = fetch_task(store, chain.terms.task)
                bought = purchase(session, store, task, key)
            with telling.doing("writing the pictures") as progress:
                proof = _proof(chain, session, bought)
                write_bought(bought.images, task, proof, options.out, progress)
    with telling.doing("comparing the pictures with what was registered"):
        provider = _provider(session)
        images = read_back(options.out, chain.terms.task, _facts(chain, session, provider))
        root = rebuilt_root(session, images, provider, key)
    if root != session.member(provider).address_root:
        raise click.ClickException(
            f"{options.out} is not what {provider} sold in {chain.address}: other pictures, "
            "labels or order"
        )
    telling.event(
        "exported" if not options.check else "checked",
        folder=str(options.out),
        samples=len(images),
        provider=provider,
        sha256=images.digest(),
    )


def _provider(session: Session) -> str:
    assert session.deal is not None
    return session.deal.provider


def _facts(chain: ChainSession, session: Session, provider: str) -> dict[str, Any]:
    """What the chain alone says of a purchase."""
    terms, member = chain.terms, session.member(provider)
    return {
        "format": FORMAT,
        "chain_id": session.chain_id,
        "session": chain.address,
        "transaction": _transaction(chain),
        "collector": terms.collector,
        "provider": provider,
        "reward": str(terms.reward),
        "token": terms.token,
        "task": cid_from_digest(terms.task),
        "manifest": cid_from_digest(member.manifest),
        "key_root": "0x" + member.key_root.hex(),
        "address_root": "0x" + member.address_root.hex(),
        "shards": terms.shard_count,
        "shard_size": terms.shard_size,
    }


def _proof(chain: ChainSession, session: Session, bought: Purchase) -> dict[str, Any]:
    """What ties the pictures to the session: for people, and for who compares."""
    open_ = chain.terms.settlement is Settlement.OPEN
    return {
        **_facts(chain, session, bought.member.account),
        "licence": bought.manifest.licence,
        # Under sealed settlement it stays with who paid for it.
        "session_key": "0x" + bought.session_key.hex() if open_ else None,
    }


def _transaction(chain: ChainSession) -> str:
    """The one that published or delivered the key."""
    kinds = (ev.RewardClaimed.__name__, ev.KeyDelivered.__name__)
    logs = decoded(chain.contract, logs_of(chain.address, chain.created, []))
    return str([log.transaction_hash for log in logs if log.event_name in kinds][-1])
