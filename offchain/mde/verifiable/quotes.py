"""What each side of a verifiable quote does by itself: check, quote, and find the fault afterwards.

The seller holds an order against the artefact file (``require_order``) and quotes its samples
(``verifiable_quote``). The buyer holds the file that the seller hands it against the dataset
(``require_registered``) and, once it has the key, looks for something to prove (``find_fault``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.crypto.disputable import EncryptedFile, Shape
from offchain.crypto.errors import FileError
from offchain.data.imageset import Progress
from offchain.mde.deals import Dataset, Order, Place, dataset_domain
from offchain.mde.errors import ArtefactMismatch, MdeError, UnknownLabel
from offchain.mde.pricing import PriceFunction
from offchain.mde.samples import Samples
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.rules import rule_hash
from offchain.mde.verifiable.scores import ScoreLeaves, open_scores, running_totals
from offchain.mde.verifiable.tree import CommittedTree, VerifiableArtefact


@dataclass(frozen=True)
class VerifiableQuote:
    """What a dataset fetches under an order, and what shows it.

    Attributes:
        price: in wei.
        totals: running totals in units (``offchain.mde.pricing``), one per sample.
        leaves: what the buyer is handed; its root is what the quote names.
        undecided: as in `EfficacyReport`.
    """

    price: int
    totals: tuple[int, ...]
    leaves: ScoreLeaves
    undecided: bool


@dataclass(frozen=True)
class WrongScore:
    """The quote misreports sample ``index``, before which the total is ``before`` units."""

    index: int
    before: int


@dataclass(frozen=True)
class RepeatedSample:
    """Samples ``first`` and ``second`` are the same."""

    first: int
    second: int


@dataclass(frozen=True)
class WrongPrice:
    """All scores are right, and their ``total`` in units fetches only ``price`` wei."""

    total: int
    price: int


Fault = WrongScore | RepeatedSample | WrongPrice


def order_terms(verifiable: VerifiableArtefact) -> dict[str, Any]:
    """What an order says of its artefact besides its task, by the names of `Order`'s fields."""
    tree = verifiable.tree
    return {
        "rule": rule_hash(verifiable.artefact.price),
        "tree": tree.root,
        "depth": tree.depth,
        "features": tree.encoding.features,
        "value_bytes": tree.encoding.value_bytes,
    }


def require_order(order: Order, verifiable: VerifiableArtefact) -> None:
    """What a seller checks before it signs a quote for ``order``, whose task names the artefact.

    Raises ArtefactMismatch naming what does not follow from the artefact file.
    """
    for name, value in order_terms(verifiable).items():
        given = getattr(order, name)
        if given != value:
            shown = [v.hex() if isinstance(v, bytes) else v for v in (given, value)]
            raise ArtefactMismatch(f"the order's {name} is {shown[0]}, the artefact's {shown[1]}")


def require_registered(dataset: Dataset, place: Place, file: EncryptedFile) -> None:
    """What a buyer checks before it signs: then all that may need to be proved is the dataset's.

    file: what the seller handed over. Raises FileError if it is not what ``dataset`` commits to, so
    many chunks of that size, of which the first hold the samples.
    """
    file.require_committed(dataset_domain(place, dataset.seller, dataset.name), dataset.file)
    needed = Shape(dataset.chunks * dataset.chunk_bytes, dataset.chunk_bytes)
    if file.shape != needed:
        raise FileError(
            f"file has {file.shape.length} bytes in chunks of {file.shape.chunk_bytes}, "
            f"registered are {needed.length} in chunks of {needed.chunk_bytes}"
        )


def verifiable_quote(
    verifiable: VerifiableArtefact,
    samples: Samples,
    order: bytes,
    key: bytes,
    progress: Progress | None = None,
) -> VerifiableQuote:
    """The quote for ``samples``, no two alike, to the order with id ``order``.

    key: the dataset's, 32 bytes. A sample counts as the artefact's own report has it, but for harm,
    which always counts. progress: called as (done, total) samples.

    Raises MdeError if two samples are alike, and what ``PricingArtefact.quote`` raises.
    """
    report = verifiable.artefact.efficacy.report(samples, progress)
    tree = verifiable.tree
    chunks = cut(tree.encoding, tree.encoding.pack(samples))
    twice = _repeated(tree.encoding, chunks)
    if twice is not None:
        raise MdeError(f"samples {twice.first} and {twice.second} are the same: sell one of them")
    scores = [tree.score(chunk) for chunk in chunks]
    counted = [
        weight > 0 or score < 0 for weight, score in zip(report.weights, scores, strict=True)
    ]
    totals = running_totals(scores, counted)
    leaves = ScoreLeaves.of(order, key, totals)
    price = verifiable.artefact.price.price(totals[-1])
    return VerifiableQuote(price, tuple(totals), leaves, report.undecided)


def find_fault(
    tree: CommittedTree,
    rule: PriceFunction,
    data: bytes,
    order: bytes,
    key: bytes,
    leaves: ScoreLeaves,
    price: int,
) -> Fault | None:
    """What the buyer can prove of a dataset that decrypts as committed; None if all is right.

    data: the samples' chunks, decrypted. order: the order's id. leaves: handed over before the
    quote was signed. price: as quoted, in wei.
    """
    chunks = cut(tree.encoding, data)
    opened = open_scores(order, key, leaves, [_score(tree, chunk) for chunk in chunks])
    if opened.wrong is not None:
        return WrongScore(opened.wrong, opened.before(opened.wrong))
    twice = _repeated(tree.encoding, chunks)
    if twice is not None:
        return twice
    total = opened.totals[-1]
    due = rule.price(total)
    return WrongPrice(total, due) if price > due else None


def cut(encoding: Encoding, data: bytes) -> list[bytes]:
    """The chunks of ``data``."""
    size = encoding.chunk_bytes
    return [data[i : i + size] for i in range(0, len(data), size)]


def _score(tree: CommittedTree, chunk: bytes) -> int | None:
    try:
        return tree.score(chunk)
    except UnknownLabel:
        return None


def _repeated(encoding: Encoding, chunks: Sequence[bytes]) -> RepeatedSample | None:
    seen: dict[bytes, int] = {}
    for i, chunk in enumerate(chunks):
        first = seen.setdefault(chunk[: encoding.sample_bytes], i)
        if first != i:
            return RepeatedSample(first, i)
    return None
