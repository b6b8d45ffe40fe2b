"""What dealing costs a party: gas of its calls, from above, and what it can lose by whom.

The figures bound what `make gas` measures (benchmarks/gas_dataset_sale.md) by little; a test
compares them. A proof costs more, and brings the stake.
"""

from __future__ import annotations

from offchain.crypto.settlement import Settlement
from offchain.mde.quoting import OrderTerms
from offchain.report.outcomes import Outcome

POST, PURCHASE, ACCEPT, WITHDRAW = 57_000, 54_000, 52_500, 39_000
REGISTER, QUOTE, DELIVER, SETTLE = 53_500, 81_500, 44_000, 53_000


def buyer_gas() -> dict[str, int]:
    """Gas of each call of a buyer that buys one set, at most, by the call's name."""
    return {"post": POST, "purchase": PURCHASE, "accept": ACCEPT, "withdraw": WITHDRAW}


def seller_gas(settlement: Settlement) -> dict[str, int]:
    """Gas of each call that a seller may have to pay for, at most, by the call's name."""
    deliver = "publishKey" if settlement is Settlement.OPEN else "sealKey"
    return {
        "register": REGISTER,
        "quote": QUOTE,
        deliver: DELIVER,
        "settle": SETTLE,
        "withdraw": WITHDRAW,
    }


def buyer_outcomes(terms: OrderTerms, budget: int, most: int) -> list[Outcome]:
    """All that may happen to a buyer's money. budget, most: of the order, and paid for one set."""
    paid = min(budget, most)
    return [
        Outcome("a fault of a delivery is proved; the price is back, too", "a lie", terms.stake),
        Outcome("nobody quotes, or nothing is worth its price", "the sellers", 0),
        Outcome("a set is bought and no key comes in time", "the seller's silence", 0),
        Outcome("a set is bought, follows its quote and is of no use", "the seller", -paid),
        Outcome("sets are bought for all of the budget", "your role, within it", -budget),
    ]


def seller_outcomes(stake: int, budget: int) -> list[Outcome]:
    """All that may happen to a seller's money. stake, budget: of the order, what is left of it."""
    return [
        Outcome("your set is bought, for the whole budget at most", "the buyer", budget),
        Outcome("the buyer signs no quote, or buys nothing", "the buyer", 0),
        Outcome("you deliver no key in time", "your silence", 0),
        Outcome("a wrong chunk or key is proved", "your lie", -stake),
        Outcome("a wrong score, price or copy is proved", "your lie", -stake),
    ]
