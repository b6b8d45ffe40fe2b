"""What a sale costs each side: gas of its calls, from above, and what it can lose by whom.

The figures bound what `make gas` measures (benchmarks/gas_sale.md) by little; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.crypto.disputable import Shape
from offchain.crypto.settlement import Settlement
from offchain.hide.sale.listings import Listing
from offchain.report.outcomes import Outcome

LIST, LIST_LEVEL = 72_000, 3_600
"""A listing, and each of its levels."""
BUY, REFUND = 62_500, 45_000
PUBLISH, SEAL, SETTLE, CLOSE, WITHDRAW = 46_500, 39_500, 43_500, 32_000, 41_500
TRANSACTION, CALLDATA_BYTE = 21_000, 40
"""What every transaction costs, and a byte at the floor price (EIP-7623)."""
PROOF_WORDS = 30
"""Of a proof of a spoilt chunk, besides the chunk and its two paths."""


def seller_gas(levels: int, settlement: Settlement) -> dict[str, int]:
    """Gas of each call that a seller pays for, at most, with one sale, by the call's name."""
    sealed = settlement is Settlement.SEALED
    delivery = {"sealKey": SEAL} if sealed else {"publishKey": PUBLISH}
    listed = {"list": LIST + LIST_LEVEL * levels}
    return listed | delivery | {"settle": SETTLE, "close": CLOSE, "withdraw": WITHDRAW}


def buyer_gas(shape: Shape) -> dict[str, int]:
    """Gas of each call that a buyer may have to pay for, at most, by the call's name.

    shape: of the file that it buys: a larger chunk is dearer to prove. A wrong key costs less.
    """
    paths = 2 * 32 * (shape.count - 1).bit_length()
    spoilt = TRANSACTION + CALLDATA_BYTE * (32 * PROOF_WORDS + shape.chunk_bytes + paths)
    return {"buy": BUY, "proveSpoiltChunk": spoilt, "refund": REFUND}


def seller_outcomes(prices: Sequence[int], stake: int) -> list[Outcome]:
    """All that may happen to a seller's money by one sale, best first."""
    first, last = prices[0], prices[-1]
    return [
        Outcome("the best level is bought and delivered", "a buyer", last),
        Outcome("the weakest level is bought and delivered", "a buyer", first),
        Outcome("nobody buys", "the buyers", 0),
        Outcome("a key does not come in time; the buyer is paid back", "your silence", 0),
        Outcome("a wrong key or a spoilt chunk is proved", "your lie", -stake),
    ]


def buyer_outcomes(listing: Listing, paid: int) -> list[Outcome]:
    """All that may happen to a buyer's money, best first. paid: the price less its credit."""
    return [
        Outcome(
            "a wrong key or a spoilt chunk, which you prove in time",
            "the seller's lie",
            listing.stake,
        ),
        Outcome("no key comes in time; you are paid back", "the seller's silence", 0),
        Outcome("the level is yours", "the seller", -paid),
        Outcome("the level is yours, and teaches less than is claimed", "the seller's lie", -paid),
        Outcome("a fault that you do not prove in time", "your silence", -paid),
    ]
