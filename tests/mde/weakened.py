"""Copies of the sale with one defence taken out, against which an attack must succeed."""

from __future__ import annotations

from ape.contracts import ContractContainer

from tests.kit.weakened import compile_copies

_SALE = "contracts/mde/DatasetSale.sol"
_SAMPLES = "contracts/mde/quotes/Samples.sol"
_SCORES = "contracts/mde/quotes/Scores.sol"
_TREE = "contracts/mde/quotes/DecisionTree.sol"
_FILE = "contracts/exchange/ChunkedFile.sol"
# Name of the copy -> the change that makes it: file, text that is there, text instead.
WEAKENINGS: dict[str, tuple[str, str, str]] = {
    "quotes a pair again": (
        _SALE,
        "require(_deals[ids.pair].state() == DealState.None, AlreadyQuoted(ids.pair));",
        "",
    ),
    "asks no buyer": (_SALE, "_signed(order.buyer, digest, buyerSignature);", "buyerSignature;"),
    "asks no seller": (
        _SALE,
        "_signed(dataset.seller, digest, sellerSignature);",
        "sellerSignature;",
    ),
    "knows no expiry": (
        _SALE,
        "require(block.timestamp < quote_.expiry, QuoteExpired(block.timestamp, quote_.expiry));",
        "quote_;",
    ),
    "mixes currencies": (
        _SALE,
        "require(order.token == dataset.token, OtherToken(order.token, dataset.token));",
        "",
    ),
    "sells without stakes": (
        _SALE,
        "_requireOpen(ids.dataset).hold(order.stake)",
        "_requireOpen(ids.dataset)",
    ),
    "sells without a budget": (
        _SALE,
        "_requireOpen(ids.order).hold(deal.quote.price)",
        "_requireOpen(ids.order)",
    ),
    "lets anybody seal": (
        _SALE,
        "_onlySeller(deal.dataset);\n        Ids memory ids = _deliverable",
        "Ids memory ids = _deliverable",
    ),
    "believes any deal": (
        _SALE,
        "require(status.content() == given, WrongDeal(status.content(), given));",
        "given;",
    ),
    "believes any delivery": (
        _SALE,
        "require(delivery == purchase_.delivery, WrongDelivery(purchase_.delivery, delivery));",
        "delivery;",
    ),
    "settles at once": (
        _SALE,
        "require(block.timestamp >= status.deadline(),"
        " TooEarly(block.timestamp, status.deadline()));",
        "",
    ),
    "believes any rule": (
        _SALE,
        "require(given == deal.order.rule, WrongRule(deal.order.rule, given));",
        "given;",
    ),
    "believes any sample": (_SAMPLES, "require(given == file, NotInDataset(file, given));", ""),
    "looks at one place": (
        _SAMPLES,
        "require(first.index != second.index, SamePlace(first.index));",
        "",
    ),
    "believes any tree": (_TREE, "require(node == root, NotInTree(root, node));", ""),
    "believes any total": (
        _SCORES,
        "require(given == scores, NotInScores(scores, given));",
        "",
    ),
    "forbids to leave out good": (
        _SCORES,
        "require(score <= 0 || evidence.leaf != leafOf(order, key, index, before),"
        " ScoreIsRight(index));",
        "",
    ),
    "forgives left-out harm": (_SCORES, "require(score <= 0 || evidence", "require(evidence"),
    "files belong to nobody": (
        _FILE,
        "block.chainid, address(this), seller, label",
        "block.chainid, label",
    ),
}


def compile_weakened() -> dict[str, ContractContainer]:
    """The weakened sales by name."""
    return compile_copies({name: (change,) for name, change in WEAKENINGS.items()}, _SALE)
