"""Encrypted evaluation (paper section 5.3): a set's score that only the buyer gets, by a direction
that only the buyer knows.

For scores that are inner products with samples' gradients of a linear layer: influence on a linear
model or a last layer, and linear students. The buyer publishes the layer and encrypts the direction
(`ask`). The seller adds its samples' gradients up in the clear and answers with one masked inner
product (`answer`), which the buyer opens once (`Asked.open`). What either learns is bounded by
`offchain.crypto.inner_product`: the seller nothing of the direction, the buyer at most `BITS` bits
of the data, whatever it asked.

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
from offchain.mde.gradients import LinearGradients, data_of
from offchain.mde.influence import GradientEfficacy
from offchain.mde.losses import residuals
from offchain.mde.samples import LOSSES, Floats, Kind, Samples, as_floats
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical

QUERY = "souk.mde.query.v1"
ANSWER = "souk.mde.answer.v1"

MAX_PARAMETERS = 1 << 20
"""Of a layer: numbers of a direction."""

MAX_HEADER_BYTES = 1 << 10
MAX_ANSWER_BYTES = 4 + MAX_HEADER_BYTES + 8 * (1 + DEGREE)
MAX_QUERY_BYTES = 4 + MAX_HEADER_BYTES + 4 * MAX_PARAMETERS + 8 * (DEGREE + MAX_PARAMETERS)

_EXPONENTS = 65
"""Lengths lie between 2 to minus so much and 2 to so much."""

_NOISE = "noise of encrypted scores"
_AHEAD = 1.25
"""Others' samples may lie somewhat farther out than one's own."""

_ROWS = 1024
"""Samples prepared at a time."""


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
    """What a seller reads: the layer, and the direction that it cannot read."""

    kind: Kind
    layer: LinearGradients
    direction: EncryptedVector


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

    most: of a score either way. It is the buyer's own: nobody is told. length: Euclidean, of the
    sum of a set's gradients; the seller is told the next power of two.
    """

    most: float
    length: float

    @classmethod
    def of(cls, efficacy: GradientEfficacy, own: Samples, count: int) -> Bounds:
        """For `count` samples like one's own, whatever their labels.

        As if each had its worst label: so a set that is all wrong does not come back as a good one.
        """
        share = efficacy.fold_sizes / efficacy.fold_sizes.sum()
        outputs = efficacy.model.outputs(data_of(efficacy.model, own)[0]).double().cpu()
        rows = as_floats(own.inputs, torch.float64).flatten(1)
        # A sample's gradient is its residual times its features and the bias's 1.
        reach = (rows.square().sum(1) + 1).sqrt().numpy()
        worst, longest = np.zeros(len(own)), np.zeros(len(own))
        for label in range(efficacy.kind.classes):
            labelled = Samples(own.inputs, torch.full_like(own.labels, label))
            worst = np.maximum(worst, np.abs(efficacy.fold_scores(labelled) @ share))
            slopes = residuals(outputs, labelled.labels, efficacy.model.loss).norm(dim=1).numpy()
            longest = np.maximum(longest, slopes * reach)
        return cls(_most(worst, count), _most(longest, count))


def ask(efficacy: GradientEfficacy, bounds: Bounds) -> Asked:
    """A query for one seller, under a key of its own.

    efficacy: of one dense layer with bias on the inputs. bounds: scores are told in steps of
    most / 2^(BITS - 1); one beyond comes back modulo 2 * most. Raises MdeError for other models and
    for a range too small for the direction.
    """
    layers = dense_layers(efficacy.model)
    if len(layers) != 1:
        raise MdeError(f"encrypted evaluation takes one linear layer, not {len(layers)} of them")
    direction = direction_of(efficacy)
    if len(direction) > MAX_PARAMETERS:
        raise TooLarge(f"a layer has at most {MAX_PARAMETERS} parameters, not {len(direction)}")
    exponent = math.ceil(math.log2(bounds.length)) if 0 < bounds.length < math.inf else _EXPONENTS
    if not abs(exponent) < _EXPONENTS:
        raise MdeError(f"the length of gradients must lie within 2^64, not {bounds.length:g}")
    length = 2.0**exponent
    if not least_range(direction, length) <= bounds.most < math.inf or bounds.most <= 0:
        raise MdeError(
            f"the range of scores must be {least_range(direction, length):.3g} or more and finite, "
            f"not {bounds.most:g}"
        )
    opener, vector = encrypted(direction, bounds.most, length, token_bytes(SEED_BYTES))
    header = {
        "format": QUERY,
        "loss": efficacy.model.loss,
        "shape": list(efficacy.kind.shape),
        "images": int(efficacy.kind.images),
        "classes": efficacy.kind.classes,
        "length": exponent,
        "seed": vector.seed.hex(),
    }
    weight, bias = (part.detach().cpu().float().numpy() for part in layers[0])
    return Asked(_joined(header, weight, bias, vector.key, vector.parts), opener)


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
    width = math.prod(shape)
    if not 2 <= classes <= MAX_CLASSES or classes * (width + 1) > MAX_PARAMETERS:
        raise QueryError(
            f"query: 2..{MAX_CLASSES} classes and at most {MAX_PARAMETERS} parameters, not "
            f"{classes} and {classes * (width + 1)}"
        )
    if not abs(length) < _EXPONENTS:
        raise QueryError(f"query: a length is 2 to less than {_EXPONENTS}, not to {length}")
    if len(seed) != 2 * SEED_BYTES or set(seed) - set("0123456789abcdef"):
        raise QueryError(f"query: a seed is {2 * SEED_BYTES} hex digits, not {seed!r:.40}")
    weight, bias, key, parts = _arrays(
        rest,
        "query",
        (np.float32, (classes, width)),
        (np.float32, (classes,)),
        (np.uint64, (DEGREE,)),
        (np.uint64, (parts_of(classes * (width + 1)), DEGREE)),
    )
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise QueryError("query: the layer holds NaN or infinity")
    if (largest := int(max(key.max(), parts.max()))) >= modulus():
        raise QueryError(f"query: words are below {modulus()}, not {largest}")
    # In double precision: what the order of samples changes in their sum is far below the noise.
    layer = LinearGradients(
        torch.from_numpy(weight).double(), torch.from_numpy(bias).double(), None, classes, loss
    )
    kind = Kind(tuple(shape), bool(images), classes)
    return Query(kind, layer, EncryptedVector(bytes.fromhex(seed), 2.0**length, key, parts))


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
    total = gradient_sum(asked.layer, samples)
    data = sketch(samples)
    count_artefact(secrets_file, data, bytes.fromhex(_digest(query)), allow)
    secret = secrets_file.remember(_NOISE, lambda: token_bytes(32))
    noise = hashlib.sha256(secret + bytes.fromhex(_digest(query)) + data).digest()
    try:
        masked = masked_product(asked.direction, total, noise)
    except CryptoError as error:
        raise QueryError(f"query: {error}") from error
    words = np.concatenate([np.array([masked.constant], dtype=np.uint64), masked.rest])
    return _joined({"format": ANSWER, "query": _digest(query)}, words)


def gradient_sum(layer: LinearGradients, samples: Samples) -> Floats:
    """float64 (P,): the sum of the samples' gradients."""
    total = torch.zeros(layer.size, dtype=layer.like.dtype)
    for rows in torch.split(torch.arange(len(samples)), _ROWS):
        inputs, labels = data_of(layer, samples.subset(rows))
        total += len(rows) * layer.gradient(inputs, labels)
    summed: Floats = total.numpy()
    return summed


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
