"""The study of evaluation heads: each run stands alone, and sees none of the judged images."""

import pytest
import torch

from offchain.hyperx import head_selection
from offchain.hyperx.head_selection import LEVELS, Selection, choose, providers

FEW, MANY = (Selection(0, "mislabel", 40, count, "fast") for count in (10, 40))


@pytest.fixture
def pixels(monkeypatch):
    """Heads see pixels, since features take a minute; and fewer images judge."""
    monkeypatch.setattr(
        head_selection, "inputs", lambda images, few: images.images.flatten(1).float() / 255
    )
    monkeypatch.setattr(head_selection, "VALIDATION", 200)
    providers.cache_clear()
    yield
    providers.cache_clear()


def test_a_run_gives_the_same_whatever_its_process_did_before(pixels):
    fresh = choose(MANY)
    few = choose(FEW)
    choose(Selection(1, "noise", 40, 40, "fast"))
    again = choose(MANY)
    assert (again.rate, again.clean) == (fresh.rate, fresh.clean)
    assert few.clean < fresh.clean


def test_providers_hold_images_of_their_own_and_the_first_is_clean(pixels):
    judge, datasets = providers(0, "mislabel", 40, False)
    assert len(judge[0]) == 200
    assert len(datasets) == LEVELS
    everything = torch.cat([judge[0], *(x for x, _ in datasets)])
    assert len(everything.unique(dim=0)) == len(everything) == 200 + 40 * LEVELS
    clean = [y for _, y in providers(0, "noise", 40, False)[1]]  # noise leaves labels as they are
    wrong = [int((y != right).sum()) for (_, y), right in zip(datasets, clean, strict=True)]
    assert wrong == sorted(wrong)
    assert (wrong[0], wrong[-1] > 10) == (0, True)
