"""The connected node as the outside has it: busy at times, and with its own limits."""

from __future__ import annotations

import logging
import random
import re
import time
from typing import Any

import ape
import click
from ape.api import AccountAPI
from eth_hash.auto import keccak
from requests import HTTPError, RequestException, Session
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
from web3 import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from scripts._stage.index import Block, NodeRefused
from scripts._stage.pool import Call, Fee, NodeBusy, Price, Signed

BUSY = (429, 502, 503, 504)
"""HTTP's words for: later."""
TRIES = 8
BACKOFF_SECONDS = 0.5
"""Before the second try; twice as long before each further one."""
MOST_SECONDS = 20.0
"""Between two tries, unless the node says itself when to come again."""
TIMEOUT_SECONDS = 30
KNOWN = re.compile(
    r"already (known|imported|exists|in)|known transaction|nonce (is )?too low|replacement",
    re.IGNORECASE,
)
"""What nodes say of a transaction that they have, in the pool or the chain, or a dearer one."""
TOO_MANY = re.compile(
    r"too many requests|rate.?limit|request (rate|count)|requests per|compute units|throughput",
    re.IGNORECASE,
)
"""What nodes say of who asks too often, some of them with HTTP 200."""


def have_patience(backoff_seconds: float = BACKOFF_SECONDS) -> None:
    """Whatever is asked of the connected node is asked again where it is busy or hangs up.

    Of a transaction the same signed bytes are sent again, which a chain takes once.
    """
    web3 = ape.chain.provider.web3
    uri = getattr(ape.chain.provider, "http_uri", None)
    if uri is None:
        return  # reached by a socket of this machine
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    retry = Retry(
        total=TRIES,
        backoff_factor=backoff_seconds,
        backoff_jitter=backoff_seconds,
        backoff_max=MOST_SECONDS,
        status_forcelist=BUSY,
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=True,
    )
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    web3.provider = PatientProvider(
        backoff_seconds,
        uri,
        request_kwargs={"timeout": TIMEOUT_SECONDS},
        session=session,
        exception_retry_configuration=None,
    )


class PatientProvider(HTTPProvider):
    """Asks again, as often and with such pauses as where a node is busy, where it answers that it
    was asked too often. What it refuses for another reason comes back at once."""

    def __init__(self, backoff_seconds: float, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._backoff_seconds = backoff_seconds

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        answer = super().make_request(method, params)
        for again in range(TRIES):
            said = answer.get("error")
            if not said or not TOO_MANY.search(str(said)):
                break
            pause = self._backoff_seconds * (2**again + random.random())
            time.sleep(min(pause, MOST_SECONDS))
            answer = super().make_request(method, params)
        return answer


class ConnectedNode:
    """What an index asks, of the node that Ape is connected to."""

    def block(self, number: int | None) -> Block | None:
        """The block of that height, the newest for None; None where the node has none."""
        height = "latest" if number is None else hex(number)
        found = ask("eth_getBlockByNumber", [height, False])
        return found and Block(int(found["number"], 16), found["hash"], found["parentHash"])

    def logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """Logs by `eth_getLogs`. Raises NodeRefused."""
        return list(ask("eth_getLogs", [query]))


class ConnectedPool:
    """What an outbox asks, of the node that Ape is connected to."""

    def nonce(self, sender: str) -> int:
        """How many transactions of an account are in the chain."""
        return int(ask("eth_getTransactionCount", [sender, "latest"]), 16)

    def price(self) -> Price:
        """Of gas in the next block."""
        tip = int(ask("eth_maxPriorityFeePerGas", []), 16)
        block = ask("eth_getBlockByNumber", ["pending", False])
        return Price(int(block["baseFeePerGas"], 16), tip)

    def height(self) -> int:
        """Of the newest block."""
        return int(ask("eth_blockNumber", []), 16)

    def block_of(self, hash_: str) -> int | None:
        """The block that a transaction is in; None where the chain no longer has that block.

        A node may still have the receipt of a block that was taken back.
        """
        receipt = ask("eth_getTransactionReceipt", [hash_])
        if not receipt or not receipt["blockNumber"]:
            return None
        block = ask("eth_getBlockByNumber", [receipt["blockNumber"], False])
        if not block or block["hash"] != receipt["blockHash"]:
            return None
        return int(receipt["blockNumber"], 16)

    def has(self, block: Block) -> bool:
        """Whether the chain has that very block."""
        return ConnectedNode().block(block.number) == block

    def send(self, raw: bytes) -> None:
        """Offers a transaction. Raises NodeRefused, unless the node has it already, and NodeBusy.

        One whose nonce is used is refused as well, and that is no error: it is looked for later.
        """
        try:
            ask("eth_sendRawTransaction", ["0x" + raw.hex()])
        except (OSError, NodeBusy) as error:
            raise NodeBusy(
                f"the node did not say whether it took a transaction: {error}"
            ) from error
        except NodeRefused as error:
            if not KNOWN.search(str(error)):
                raise


class AccountSigner:
    """An account of Ape's, as an outbox signs with it."""

    def __init__(self, account: AccountAPI) -> None:
        self.account = account
        self.address = str(account.address)

    def sign(self, call: Call, nonce: int, fee: Fee) -> Signed:
        """The transaction, with fees as EIP-1559 has them. Raises ClickException if not signed."""
        transaction = ape.chain.provider.network.ecosystem.create_transaction(
            sender=self.account.address,
            receiver=call.to,
            value=call.value,
            data=call.data,
            gas_limit=call.gas,
            nonce=nonce,
            max_fee=fee.most,
            max_priority_fee=fee.tip,
            chain_id=ape.chain.chain_id,
        )
        signed = self.account.sign_transaction(transaction)
        if signed is None:
            raise click.ClickException(f"{self.address} did not sign")
        raw = bytes(signed.serialize_transaction())
        return Signed("0x" + keccak(raw).hex(), raw)


def ask(method: str, parameters: list[Any]) -> Any:
    """The result of one request. Raises NodeRefused with the node's own words, and NodeBusy."""
    try:
        answer = ape.chain.provider.web3.provider.make_request(RPCEndpoint(method), parameters)
    except HTTPError as error:
        status = error.response.status_code
        # Some nodes say what they refuse in the body of an HTTP error. What the library says has
        # the address in it, and so the user's key.
        said = _body(error)
        if said is None and (status in BUSY or status >= 500):
            raise NodeBusy(f"the node is busy (HTTP {status})") from None
        raise _refusal(said or f"HTTP {status}", status) from None
    except RequestException as error:
        raise NodeBusy(f"the node does not answer ({type(error).__name__})") from None
    if "error" in answer:
        raise _refusal(answer["error"], 0)
    return answer["result"]


def _body(error: HTTPError) -> Any:
    try:
        return error.response.json().get("error")
    except (ValueError, AttributeError):
        return None


def _refusal(said: Any, code: int) -> NodeRefused:
    """What a node said, an object of JSON-RPC or a text."""
    if isinstance(said, dict):
        return NodeRefused(int(said.get("code", code)), str(said.get("message", said)))
    return NodeRefused(code, str(said))
