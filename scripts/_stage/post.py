"""The post of a party on the connected chain, by its own node and under its own account."""

from __future__ import annotations

import ape
from ape.api import AccountAPI

from offchain.post import NodePost, Topic
from offchain.post.exchange import Admits, everybody
from offchain.storage import Node
from scripts._stage.chain import chain_home
from scripts._stage.wallet import AccountWallet, recover

LETTERS = "post.sqlite"


def party_post(
    node: Node,
    account: AccountAPI,
    contract: str,
    subject: bytes,
    admits: Admits = everybody,
) -> NodePost:
    """Letters about `subject`, 32 bytes, in `contract`; close it before the node.

    Raises DatastoreUnavailable and PubsubOff.
    """
    topic = Topic(int(ape.chain.chain_id), contract, subject)
    return NodePost(node, topic, AccountWallet(account), recover, chain_home() / LETTERS, admits)
