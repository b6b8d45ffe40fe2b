"""The feature extractor, published signed by the collector and loaded by strangers.

A published extractor is two files in the datastore: its weights, as safetensors, and a signed
description, one small canonical JSON document that names the weights by address and sha2-256.
The terms of a session name the description by hash. Loading executes nothing that was published:
the architecture is one of ours, chosen by name, and the file fills in numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import fx

from offchain.errors import SoukError
from offchain.models.backbones import BackboneError, find_cut, skeleton
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.models.extractor import (
    Extractor,
    activation_of,
    check_size,
    input_shape,
    output_shape,
)
from offchain.models.projection import NAME
from offchain.models.weights import check_tensors

__all__ = [
    "Description",
    "Extractor",
    "ExtractorError",
    "SignedDescription",
    "load_extractor",
    "publish",
    "read_description",
]

FORMAT = "souk.extractor.v1"
MAX_DESCRIPTION_BYTES = 4096
_MAX_HEADER_BYTES = 256 << 10
_SIGNING_CONTEXT = b"souk extractor description v1\n"


class ExtractorError(SoukError):
    """An extractor that cannot be published or trusted; the message is one line."""


@dataclass(frozen=True)
class Description:
    """What a published extractor says of itself.

    input_shape: (3, size, size), or (size, 1, 1) of a row. output_shape: (C, H, W) of the features,
    all of the last layer's or the reduced ones (`Extractor`). activation: applied after decoding.
    address: of the weights in the datastore. sha256: hex, and length in bytes, of that file.
    """

    backbone: str
    cut: str
    input_shape: tuple[int, int, int]
    size: int
    output_shape: tuple[int, int, int]
    activation: str
    address: str
    sha256: str
    length: int


@dataclass(frozen=True)
class SignedDescription:
    """A description whose signature fits. signer: the 32-byte Ed25519 key that made it."""

    description: Description
    signer: bytes


def publish(extractor: Extractor, signing_key: SigningKey, put: Callable[[bytes], str]) -> bytes:
    """Store the weights with `put`, which returns their address; return the signed description.

    Storing the description, whose hash goes into the terms, is left to the caller.
    """
    for name, tensor in extractor.module.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise ExtractorError(f"{name} has values that are not finite: not published")
    weights = save(
        {name: t.cpu().contiguous() for name, t in extractor.module.state_dict().items()}
    )
    signed = {
        "format": FORMAT,
        "backbone": extractor.backbone,
        "cut": extractor.cut,
        "input": list(extractor.input_shape),
        "output": list(extractor.output_shape),
        "activation": extractor.activation,
        "weights": {
            "address": put(weights),
            "sha256": hashlib.sha256(weights).hexdigest(),
            "bytes": len(weights),
        },
    }
    message = _SIGNING_CONTEXT + to_canonical(signed)
    return to_canonical(
        {
            "description": signed,
            "signer": bytes(signing_key.verify_key).hex(),
            "signature": bytes(signing_key.sign(message).signature).hex(),
        }
    )


def read_description(document: bytes) -> SignedDescription:
    """Check an untrusted description: form, signature, names, sizes. Raises ExtractorError.

    The signature says that the holder of `signer` vouches for it. Who that is, and that it is
    the description the session means, is settled by its hash in the terms.
    """
    what = "extractor description"
    try:
        outer = from_canonical(document, what, MAX_DESCRIPTION_BYTES)
        signed, signer, signature = take(outer, what, description=dict, signer=str, signature=str)
        form, name, cut, given_input, given_output, activation, file = take(
            signed,
            what,
            format=str,
            backbone=str,
            cut=str,
            input=list,
            output=list,
            activation=str,
            weights=dict,
        )
        address, sha256, length = take(file, f"{what}, weights", address=str, sha256=str, bytes=int)
        find_cut(name, cut)
    except (DocumentError, BackboneError) as error:
        raise ExtractorError(str(error)) from error
    try:
        key = VerifyKey(bytes.fromhex(signer))
        key.verify(_SIGNING_CONTEXT + to_canonical(signed), bytes.fromhex(signature))
    # ValueError, which nacl's own errors of length derive from: no hex, or not of the length.
    except (BadSignatureError, ValueError) as error:
        raise ExtractorError(f"{what}: the signature of {signer!r:.70} does not fit") from error
    if form != FORMAT:
        raise ExtractorError(f"{what}: format is {FORMAT}, not {form!r:.60}")
    if len(given_input) != 3 or not all(type(side) is int for side in given_input):
        raise ExtractorError(f"{what}: input is [C, H, W], not {given_input!r:.60}")
    size = given_input[0 if name == NAME else 1]
    if tuple(given_input) != (taken := input_shape(name, size)):
        raise ExtractorError(f"{what}: input is {list(taken)}, not {given_input!r:.60}")
    try:
        check_size(name, cut, size)
    except BackboneError as error:
        raise ExtractorError(f"{what}: {error}") from error
    most = output_shape(name, cut, size)
    if len(given_output) != 3 or not all(
        type(side) is int and 1 <= side <= bound
        for side, bound in zip(given_output, most, strict=True)
    ):
        raise ExtractorError(
            f"{what}: {name} cut at {cut} gives {list(most)} or less, not {given_output!r:.60}"
        )
    output = given_output[0], given_output[1], given_output[2]
    follows = activation_of(name, cut, None if output == most else output)
    if activation != follows:
        raise ExtractorError(
            f"{what}: the activation after {cut} is {follows}, not {activation!r:.60}"
        )
    payload = 4 * sum(p.numel() for p in skeleton(name, cut, size).parameters())
    if not payload < length <= payload + _MAX_HEADER_BYTES:
        raise ExtractorError(
            f"{what}: weights of {name} up to {cut} have {payload} bytes and a header, not {length}"
        )
    return SignedDescription(
        Description(name, cut, taken, size, output, activation, address, sha256, length),
        bytes(key),
    )


def load_extractor(
    document: bytes, get: Callable[[str, int], bytes], device: torch.device
) -> Extractor:
    """The extractor that an untrusted signed description publishes, on `device`.

    `get(address, limit)` reads at most `limit` bytes from the datastore; its errors pass
    through. Raises ExtractorError, one line, when the description or the weights are not in
    order; executes no code of the publisher's.
    """
    one = read_description(document).description
    data = get(one.address, one.length)
    if len(data) != one.length or hashlib.sha256(data).hexdigest() != one.sha256:
        raise ExtractorError(
            f"weights at {one.address}: {len(data)} bytes that are not the {one.length} described"
        )
    module = skeleton(one.backbone, one.cut, one.size)
    module.load_state_dict(_checked_weights(data, module, one.address), strict=True, assign=True)
    module.requires_grad_(False)
    full = one.output_shape == output_shape(one.backbone, one.cut, one.size)
    reduced = None if full else one.output_shape
    return Extractor(one.backbone, one.cut, one.size, module.to(device), reduced)


def _checked_weights(data: bytes, module: fx.GraphModule, address: str) -> dict[str, torch.Tensor]:
    """The tensors of the file, of the names, shapes and types of `module`'s, all finite."""
    if int.from_bytes(data[:8], "little") > _MAX_HEADER_BYTES:
        raise ExtractorError(f"weights at {address}: no safetensors file")
    try:
        tensors = load(data)
    # KeyError: a number type that safetensors knows and this version of torch does not.
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ExtractorError(f"weights at {address}: no safetensors file ({error})") from error
    expected = module.state_dict()
    if tensors.keys() != expected.keys():
        odd = sorted(tensors.keys() ^ expected.keys())[:3]
        raise ExtractorError(f"weights at {address}: missing or unknown tensors: {odd}")
    try:
        check_tensors(expected, tensors, f"weights at {address}")
    except BackboneError as error:
        raise ExtractorError(str(error)) from error
    return tensors
