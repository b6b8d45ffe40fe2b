"""Markets cut from one dataset: every sample has one place, and kinds are what they are called."""

import numpy as np
import pytest
import torch

from offchain.data.imageset import ImageSet
from offchain.mde.errors import MdeError
from offchain.mde.partition import KINDS, Owned, Plan, lay_out

OWNED = Owned(plenty=30, lacking=4, classes=2, validation=40, test=40)


def whole(count: int = 400) -> ImageSet:
    """Images that are all different, by their number."""
    images = torch.zeros(count, 1, 4, 4, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(count) % 256
    images[:, 0, 0, 1] = torch.arange(count) // 256
    return ImageSet(images, torch.arange(count) % 5, tuple("abcde"), "numbers")


def numbers(samples) -> set[int]:
    flat = samples.inputs.flatten(1).long()
    return set((flat[:, 0] + 256 * flat[:, 1]).tolist())


def right(samples) -> np.ndarray:
    flat = samples.inputs.flatten(1).long()
    return ((flat[:, 0] + 256 * flat[:, 1]) % 5 == samples.labels).numpy()


def market(text: str):
    return lay_out(whole(), Plan.parse(text, 20), OWNED, seed=3)


def test_nobody_has_what_another_has_but_for_redundant_samples():
    data = market("useful,ordinary,mislabelled,useful:12")
    parts = [data.train, data.validation, data.test, *(one.samples for one in data.holdings)]
    assert [len(part) for part in parts] == [34, 40, 40, 20, 20, 20, 12]
    assert len(set().union(*map(numbers, parts))) == sum(map(len, parts))


def test_each_kind_is_what_it_is_called():
    data = market("useful,ordinary,redundant,mislabelled,irrelevant,mixed")
    held = {one.kind: one.samples for one in data.holdings}
    assert (held["useful"].labels >= 3).all()
    assert (held["ordinary"].labels < 3).all()
    assert numbers(held["redundant"]) <= numbers(data.train)
    assert right(held["redundant"]).all()
    assert not right(held["mislabelled"]).any()
    assert int(held["irrelevant"].inputs.flatten(1)[:, 2:].max()) > 0, "no numbered images"
    mixed = held["mixed"]
    assert right(mixed).sum() == 15
    held = np.array([n in numbers(data.train) for n in sorted(numbers(mixed))])
    assert held.sum() == 5


def test_the_owner_lacks_classes_that_it_is_judged_on():
    data = market("useful")
    assert (data.train.labels >= 3).sum() == 4
    for judged in (data.validation, data.test):
        counts = torch.bincount(judged.labels, minlength=5)
        assert int(counts.max() - counts.min()) <= 1


def test_the_same_seed_deals_the_same_and_another_does_not():
    def digest(seed: int) -> list[bytes]:
        plan = Plan.parse("mixed,irrelevant", 20)
        return [
            h for one in lay_out(whole(), plan, OWNED, seed).holdings for h in one.samples.hashes()
        ]

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("useful,best", "'best' is no kind of seller: one of useful"),
        ("useful:x", "'useful:x' needs a count of samples"),
        ("mixed:3", "4 samples or more, not 3"),
        ("useful:500", "500 samples of the classes that the owner lacks wanted"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_one_line(text, says):
    with pytest.raises(MdeError, match=says):
        market(text)


def test_shares_of_every_kind_add_up():
    assert all(sum(shares.values()) == 1 for shares in KINDS.values())
