"""Encrypted evaluation (paper section 5.3): a set's score that only the buyer gets, by a direction
that only the buyer knows.

For scores that are inner products with samples' gradients of a linear layer: influence on a linear
model or a last layer, and linear students. The buyer encrypts what it knows (`ask`). The seller
computes its side of the inner product in the clear (`offchain.mde.linear_scores`) and answers with
one masked number (`answer`), which the buyer opens once (`Asked.open`). With cross-entropy the
seller is shown the layer, not the direction; with squared loss neither. What either learns is
bounded by `offchain.crypto.inner_product`: the seller nothing of what is encrypted, the buyer at
most `BITS` bits of the data, whatever it asked.

The score is the plain sum of the samples' scores: what repeats, what the owner has and what is not
of its task is told from the owner's data, and not weighed. The contract can check nothing here: a
seller can answer for other data than it sells, and add what it likes.

Both documents are one header, canonical JSON, behind its length (4 bytes, little-endian), and
little-endian arrays whose sizes follow from the header.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from offchain.crypto.errors import CryptoError
from offchain.crypto.inner_product import (
    DEGREE,
    SEED_BYTES,
    EncryptedVector,
    Masked,
    Opener,
    encrypted,
    least_range,
    masked_product,
    modulus,
    parts_of,
)
from offchain.crypto.secrets_file import SecretsFile
from offchain.data.imageset import MAX_CLASSES
from offchain.mde.artefact import dense_layers
from offchain.mde.counted import count_artefact, sketch
from offchain.mde.errors import MdeError, TooLarge
from offchain.mde.gradients import LinearGradients
from offchain.mde.influence import GradientEfficacy
from offchain.mde.linear_scores import GradientSum, Moments
from offchain.mde.samples import LOSSES, Floats, Kind, Samples
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical

QUERY = "souk.mde.query.v1"
ANSWER = "souk.mde.answer.v1"

MAX_PARAMETERS = 1 << 20
"""Numbers that are encrypted, and of a layer."""

MAX_HEADER_BYTES = 1 << 10
MAX_ANSWER_BYTES = 4 + MAX_HEADER_BYTES + 8 * (1 + DEGREE)
MAX_QUERY_BYTES = 4 + MAX_HEADER_BYTES + 4 * MAX_PARAMETERS + 8 * (DEGREE + MAX_PARAMETERS)

_EXPONENTS = 65
"""Lengths lie between 2 to minus so much and 2 to so much."""

_NOISE = "noise of encrypted scores"
_AHEAD = 1.25
"""Others' samples may lie somewhat farther out than one's own."""

Statistic = GradientSum | Moments


class QueryError(MdeError):
    """An encrypted query or an answer that is none, or does not fit."""


@dataclass(frozen=True)
class EncryptedScore:
    """A set's score as the buyer opened it: one of 2^BITS values.

    error: most by which it is off where the seller was honest and the truth is within the range.
    """

    score: float
    error: float


@dataclass(frozen=True, eq=False)
class Query:
    """What a seller reads: what it is to compute of its samples, and what it cannot read."""

    kind: Kind
    statistic: Statistic
    vector: EncryptedVector


@dataclass(frozen=True, eq=False)
class Asked:
    """A buyer's side of one query, for one seller's answer.

    It lives in this process: a buyer that died asks anew, which counts.
    """

    query: bytes
    opener: Opener

    def open(self, data: bytes) -> EncryptedScore:
        """The score in an untrusted answer. The first that is of the right form is the only one.

        Raises QueryError; InnerProductError when there was an answer before.
        """
        (form, query), rest = _split(data, "answer", MAX_ANSWER_BYTES, format=str, query=str)
        if form != ANSWER or query != _digest(self.query):
            raise QueryError(f"no answer to this query: {form!r:.40} to {query!r:.40}")
        (words,) = _arrays(rest, "answer", (np.uint64, (1 + DEGREE,)))
        if int(words.max()) >= modulus():
            raise QueryError(f"answer: words are below {modulus()}, not {int(words.max())}")
        return EncryptedScore(self.opener.open(Masked(int(words[0]), words[1:])), self.opener.error)


def direction_of(efficacy: GradientEfficacy) -> Floats:
    """float64 (P,): what a sample's gradient is multiplied with for its score over all folds."""
    share = efficacy.fold_sizes / efficacy.fold_sizes.sum()
    direction: Floats = share @ efficacy.directions.double().cpu().numpy()
    return direction


@dataclass(frozen=True)
class Bounds:
    """What the sets that are asked about keep to; both above 0 and finite.

    most: of a score either way. It is the buyer's own: nobody is told. length: Euclidean, of what a
    seller computes of a set; it is told the next power of two.
    """

    most: float
    length: float

    @classmethod
    def of(cls, efficacy: GradientEfficacy, own: Samples, count: int) -> Bounds:
        """For `count` samples like one's own, whatever their labels.

        As if each had its worst label: so a set that is all wrong does not come back as a good one.
        """
        share = efficacy.fold_sizes / efficacy.fold_sizes.sum()
        worst = np.zeros(len(own))
        for label in range(efficacy.kind.classes):
            labelled = Samples(own.inputs, torch.full_like(own.labels, label))
            worst = np.maximum(worst, np.abs(efficacy.fold_scores(labelled) @ share))
        longest = _sides(efficacy)[0].lengths(own)
        return cls(_most(worst, count), _most(longest, count))


def ask(efficacy: GradientEfficacy, bounds: Bounds) -> Asked:
    """A query for one seller, under a key of its own.

    efficacy: of one dense layer with bias on the inputs. bounds: scores are told in steps of
    most / 2^(BITS - 1); one beyond comes back modulo 2 * most. Raises MdeError for other models and
    for a range too small for the direction.
    """
    _, side, shown = _sides(efficacy)
    exponent = math.ceil(math.log2(bounds.length)) if 0 < bounds.length < math.inf else _EXPONENTS
    if not abs(exponent) < _EXPONENTS:
        raise MdeError(f"the length must lie within 2^64, not {bounds.length:g}")
    length = 2.0**exponent
    if not least_range(side, length) <= bounds.most < math.inf or bounds.most <= 0:
        raise MdeError(
            f"the range of scores must be {least_range(side, length):.3g} or more and finite, "
            f"not {bounds.most:g}"
        )
    opener, vector = encrypted(side, bounds.most, length, token_bytes(SEED_BYTES))
    header = {
        "format": QUERY,
        "loss": efficacy.model.loss,
        "shape": list(efficacy.kind.shape),
        "images": int(efficacy.kind.images),
        "classes": efficacy.kind.classes,
        "length": exponent,
        "seed": vector.seed.hex(),
    }
    return Asked(_joined(header, *shown, vector.key, vector.parts), opener)


def read_query(data: bytes) -> Query:
    """A stranger's query. Raises QueryError, in one line."""
    (form, loss, shape, images, classes, length, seed), rest = _split(
        data,
        "query",
        MAX_QUERY_BYTES,
        format=str,
        loss=str,
        shape=list,
        images=int,
        classes=int,
        length=int,
        seed=str,
    )
    if form != QUERY or loss not in LOSSES:
        raise QueryError(f"query: unknown format or loss: {form!r:.40}, {loss!r:.40}")
    if images not in (0, 1) or len(shape) != (3 if images else 1):
        raise QueryError(f"query: a sample cannot be {shape!s:.60}")
    if not all(type(n) is int and 1 <= n <= MAX_PARAMETERS for n in shape):
        raise QueryError(f"query: sizes lie in 1..{MAX_PARAMETERS}, not {shape!s:.60}")
    kind, width = Kind(tuple(shape), bool(images), classes), math.prod(shape)
    size = Moments(kind).size if loss == "squared" else classes * (width + 1)
    if not 2 <= classes <= MAX_CLASSES or size > MAX_PARAMETERS:
        raise QueryError(
            f"query: 2..{MAX_CLASSES} classes and at most {MAX_PARAMETERS} numbers, not "
            f"{classes!s:.20} and {size!s:.20}"
        )
    if not abs(length) < _EXPONENTS:
        raise QueryError(f"query: a length is 2 to less than {_EXPONENTS}, not to {length}")
    if len(seed) != 2 * SEED_BYTES or set(seed) - set("0123456789abcdef"):
        raise QueryError(f"query: a seed is {2 * SEED_BYTES} hex digits, not {seed!r:.40}")
    layer = () if loss == "squared" else ((classes, width), (classes,))
    *shown, key, parts = _arrays(
        rest,
        "query",
        *((np.float32, shape) for shape in layer),
        (np.uint64, (DEGREE,)),
        (np.uint64, (parts_of(size), DEGREE)),
    )
    if not all(np.isfinite(one).all() for one in shown):
        raise QueryError("query: the layer holds NaN or infinity")
    if (largest := int(max(key.max(), parts.max()))) >= modulus():
        raise QueryError(f"query: words are below {modulus()}, not {largest}")
    vector = EncryptedVector(bytes.fromhex(seed), 2.0**length, key, parts)
    return Query(kind, _gradient_sum(loss, *shown) if shown else Moments(kind), vector)


def answer(
    query: bytes, samples: Samples, secrets_file: SecretsFile, allow: Callable[[int], object]
) -> bytes:
    """The answer of whoever has `samples` to an untrusted query.

    allow: is asked whether these and related data may be held against so many queries and
    artefacts together, and raises if not (`count_artefact`). A query that was counted for the very
    same samples is answered anew, under the same noise, and tells no more.

    Raises QueryError, FeatureMismatch or UnknownLabel for what does not fit, before it counts.
    """
    asked = read_query(query)
    asked.kind.check(samples)
    data = sketch(samples)
    count_artefact(secrets_file, data, bytes.fromhex(_digest(query)), allow)
    secret = secrets_file.remember(_NOISE, lambda: token_bytes(32))
    noise = hashlib.sha256(secret + bytes.fromhex(_digest(query)) + data).digest()
    try:
        masked = masked_product(asked.vector, asked.statistic.of(samples), noise)
    except CryptoError as error:
        raise QueryError(f"query: {error}") from error
    words = np.concatenate([np.array([masked.constant], dtype=np.uint64), masked.rest])
    return _joined({"format": ANSWER, "query": _digest(query)}, words)


def _sides(efficacy: GradientEfficacy) -> tuple[Statistic, Floats, list[npt.NDArray[np.float32]]]:
    """What a seller computes, what it is multiplied with (P,), and what the seller is shown."""
    layers = dense_layers(efficacy.model)
    if len(layers) != 1:
        raise MdeError(f"encrypted evaluation takes one linear layer, not {len(layers)} of them")
    weight, bias = layers[0]
    shown = [weight.detach().cpu().float().numpy(), bias.detach().cpu().float().numpy()]
    hidden = efficacy.model.loss == "squared"
    moments = Moments(efficacy.kind)
    size = moments.size if hidden else weight.numel() + bias.numel()
    if size > MAX_PARAMETERS:
        raise TooLarge(f"at most {MAX_PARAMETERS} numbers are encrypted, not {size}")
    direction = direction_of(efficacy)
    if hidden:
        return moments, moments.against(direction, *map(torch.from_numpy, shown)), []
    return _gradient_sum(efficacy.model.loss, *shown), direction, shown


def _gradient_sum(
    loss: str, weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
) -> GradientSum:
    # In double precision: what the order of samples changes in their sum is far below the noise.
    layer = torch.from_numpy(weight).double(), torch.from_numpy(bias).double()
    return GradientSum(LinearGradients(*layer, None, len(bias), loss))


def _most(values: Floats, count: int) -> float:
    """What a sum of `count` such values does not exceed, but for what is farther out."""
    return _AHEAD * (count * float(values.mean()) + 3 * math.sqrt(count) * float(values.std()))


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()


def _joined(header: dict[str, Any], *arrays: npt.NDArray[Any]) -> bytes:
    text = to_canonical(header)
    raw = (one.astype(one.dtype.newbyteorder("<")).tobytes() for one in arrays)
    return b"".join([len(text).to_bytes(4, "little"), text, *raw])


def _split(data: bytes, what: str, limit: int, **fields: type) -> tuple[list[Any], bytes]:
    """The header's `fields` and what follows it, of at most `limit` bytes in all."""
    size = int.from_bytes(data[:4], "little")
    if len(data) > limit or size > MAX_HEADER_BYTES:
        raise QueryError(
            f"{what}: at most {limit} bytes with a header of {MAX_HEADER_BYTES}, not {len(data)} "
            f"with one of {size}"
        )
    try:
        header = from_canonical(data[4 : 4 + size], what, MAX_HEADER_BYTES)
        return take(header, what, **fields), data[4 + size :]
    except DocumentError as error:
        raise QueryError(str(error)) from error


def _arrays(data: bytes, what: str, *wanted: tuple[Any, tuple[int, ...]]) -> list[npt.NDArray[Any]]:
    """Arrays of these types and shapes, which are all that there is."""
    sizes = [np.dtype(kind).itemsize * math.prod(shape) for kind, shape in wanted]
    if len(data) != sum(sizes):
        raise QueryError(f"{what}: {sum(sizes)} bytes follow the header, not {len(data)}")
    found, at = [], 0
    for (kind, shape), size in zip(wanted, sizes, strict=True):
        little = np.dtype(kind).newbyteorder("<")
        found.append(np.frombuffer(data[at : at + size], little).astype(kind).reshape(shape))
        at += size
    return found
