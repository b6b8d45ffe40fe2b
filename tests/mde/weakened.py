"""Copies of the sale with one defence taken out, against which an attack must succeed."""

from __future__ import annotations

from tests.kit.weakened import NOBODYS_FILES, Weakenings

SALE = "contracts/mde/DatasetSale.sol"
_ACCOUNTS = "contracts/mde/Accounts.sol"
_SAMPLES = "contracts/mde/quotes/Samples.sol"
_SCORES = "contracts/mde/quotes/Scores.sol"
_TREE = "contracts/mde/quotes/DecisionTree.sol"
WEAKENINGS: Weakenings = {
    "windows of any length": (_ACCOUNTS, "Window.check(order.disputeTime);", ""),
    "quotes for ever": (
        SALE,
        "require(deal.quote.expiry <= latest, ExpiryTooFar(deal.quote.expiry, latest));",
        "latest;",
    ),
    "quotes a pair again": (
        SALE,
        "require(_deals[ids.pair].state() == DealState.None, AlreadyQuoted(ids.pair));",
        "",
    ),
    "withdraws no quote": (
        SALE,
        "_deals[pair] = status.ended(DealState.Withdrawn);",
        "status;",
    ),
    "lets anybody fund": (
        _ACCOUNTS,
        "_onlyOwner(account);\n        _books[id] = book.add(amount);",
        "_books[id] = book.add(amount);",
    ),
    "asks no buyer": (SALE, "_signed(order.buyer, digest, buyerSignature);", "buyerSignature;"),
    "asks no seller": (
        SALE,
        "_signed(dataset.seller, digest, sellerSignature);",
        "sellerSignature;",
    ),
    "knows no expiry": (
        SALE,
        "require(block.timestamp < quote_.expiry, QuoteExpired(block.timestamp, quote_.expiry));",
        "quote_;",
    ),
    "mixes currencies": (
        SALE,
        "require(order.token == dataset.token, OtherToken(order.token, dataset.token));",
        "",
    ),
    "sells without stakes": (
        SALE,
        "_requireOpen(ids.dataset).hold(order.stake)",
        "_requireOpen(ids.dataset)",
    ),
    "sells without a budget": (
        SALE,
        "_requireOpen(ids.order).hold(deal.quote.price)",
        "_requireOpen(ids.order)",
    ),
    "believes any one-time key": (
        SALE,
        "require(SealedKey.isOnCurve(oneTimeKey, oneTimeY), KeyNotOnCurve(oneTimeKey, oneTimeY));",
        "oneTimeY;",
    ),
    "lets anybody seal": (
        SALE,
        "_onlySeller(deal.dataset);",
        "",
    ),
    "believes any deal": (
        SALE,
        "require(status.content() == given, WrongDeal(status.content(), given));",
        "given;",
    ),
    "believes any delivery": (
        SALE,
        "require(delivery == purchase_.delivery, WrongDelivery(purchase_.delivery, delivery));",
        "delivery;",
    ),
    "settles at once": (
        SALE,
        "require(block.timestamp >= status.deadline(),"
        " TooEarly(block.timestamp, status.deadline()));",
        "",
    ),
    "believes any rule": (
        SALE,
        "require(given == deal.order.rule, WrongRule(deal.order.rule, given));",
        "given;",
    ),
    "believes any sample": (_SAMPLES, "require(given == file, NotInDataset(file, given));", ""),
    "judges samples alone": (
        SALE,
        "ChunkDispute.requireSpoilt(",
        "require(evidence.index < dataset.count);\n        ChunkDispute.requireSpoilt(",
    ),
    "takes originals for samples": (
        SALE,
        "require(sample.index < dataset.count,"
        " Samples.SampleOutOfRange(sample.index, dataset.count));",
        "",
    ),
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
    "forgives left-out harm": (
        _SCORES,
        "score <= 0 || evidence.leaf != leafOf(order, key, index, before)",
        "evidence.leaf != leafOf(order, key, index, before)",
    ),
    "files belong to nobody": NOBODYS_FILES,
}
