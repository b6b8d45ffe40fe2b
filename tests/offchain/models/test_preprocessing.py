"""Preprocessing: the same numbers for every provider, from one document."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from offchain.models.canonical import DocumentError
from offchain.models.preprocessing import MAX_DOCUMENT_BYTES, Preprocessing

PLAIN = Preprocessing(8, (0.5, 0.25, 0.0), (0.5, 0.25, 2.0))


def _images(channels, side, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (3, channels, side, side), generator=rng, dtype=torch.uint8)


def test_values_are_scaled_then_normalised_by_channel():
    image = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    out = PLAIN.apply(image)
    assert out.dtype == torch.float32
    expected = torch.tensor([-1.0, -0.2, 0.5]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    torch.testing.assert_close(out, expected)


def test_grey_images_become_three_equal_channels():
    grey = _images(1, 12)
    plain = Preprocessing(8)
    assert torch.equal(plain.apply(grey), plain.apply(grey.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize(("side", "size"), [(28, 64), (64, 28)])
def test_resizing_is_that_of_pillow_without_its_rounding(side, size):
    """An independent implementation of anti-aliased bilinear resizing, in float32."""
    grey = _images(1, side)
    out = Preprocessing(size).apply(grey)[:, 0] * 255
    for image, mine in zip(grey[:, 0], out, strict=True):
        pillow = Image.fromarray(image.numpy().astype(np.float32), mode="F")
        theirs = np.asarray(pillow.resize((size, size), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-3)
    assert (out - out.round()).abs().max() > 0.1  # no rounding to 8 bits on the way


def test_the_document_round_trips_and_has_one_form():
    data = PLAIN.to_bytes()
    assert Preprocessing.from_bytes(data) == PLAIN
    assert data == (
        b'{"channels":3,"format":"souk.preprocessing.v1","interpolation":"bilinear",'
        b'"mean":[0.5,0.25,0.0],"size":8,"std":[0.5,0.25,2.0]}'
    )
    for other in (json.dumps(json.loads(data)).encode(), data + b"\n", b" " + data):
        with pytest.raises(DocumentError, match="canonical"):
            Preprocessing.from_bytes(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 0}, r"1\.\.512 px, not 0"),
        ({"size": 100_000}, "not 100000"),
        ({"size": True}, "size cannot be True"),
        ({"size": 8.0}, "size cannot be 8.0"),
        ({"channels": 1}, "channels must be 3, not 1"),
        ({"interpolation": "cubic"}, "bilinear, not 'cubic'"),
        ({"mean": [0.0, 0.0]}, "mean is 3 numbers"),
        ({"mean": [0.0, 0.0, 2.0]}, "mean is 3 numbers"),
        ({"mean": [0, 0.0, 0.0]}, "hold numbers, not 0"),
        ({"std": [1.0, 0.0, 1.0]}, "std is 3 numbers"),
        ({"std": [1.0, "x", 1.0]}, "hold numbers, not 'x'"),
        ({"format": "other"}, "format is"),
        ({"code": "x"}, "wrong or missing: .'code'."),
    ],
)
def test_hostile_documents_are_refused_by_name(change, message):
    document = json.loads(PLAIN.to_bytes()) | change
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(DocumentError, match=message):
        Preprocessing.from_bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\x80\x04.",
        b"\xff",
        b'{"size":NaN}',
        b"[" * MAX_DOCUMENT_BYTES,
        b" " * (MAX_DOCUMENT_BYTES + 1),
        b'{"size":1' + b"0" * 500 + b"}",
    ],
)
def test_bytes_that_are_no_document_are_refused(data):
    with pytest.raises(DocumentError) as caught:
        Preprocessing.from_bytes(data)
    assert "\n" not in str(caught.value)


def test_unfit_values_and_images_are_refused():
    with pytest.raises(DocumentError, match="std"):
        replace(PLAIN, std=(1.0, float("nan"), 1.0))
    with pytest.raises(ValueError, match="uint8"):
        PLAIN.apply(_images(3, 8).float())
    with pytest.raises(ValueError, match="C 1 or 3"):
        PLAIN.apply(_images(2, 8))
