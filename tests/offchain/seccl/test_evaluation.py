"""Scores are scikit-learn's; scikit-learn is the paper's own tool for them."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from offchain.seccl.evaluation import accuracy, confusion, count_predictions, macro_f
from offchain.seccl.training import to_inputs
from tests.offchain.seccl.small import Tiny, small


@pytest.mark.parametrize("classes", [2, 3, 10, 40])
def test_the_macro_f_score_is_scikit_learns(classes):
    rng = np.random.default_rng(classes)
    for size in (1, 5, 60):
        truth, guess = rng.integers(0, classes, (2, size))
        logits = torch.nn.functional.one_hot(torch.from_numpy(guess), classes).float()
        counts = count_predictions(logits, torch.from_numpy(truth), classes)
        expected = f1_score(truth, guess, average="macro", zero_division=0)
        assert float(macro_f(counts)) == pytest.approx(expected, abs=1e-12)
        assert float(accuracy(counts)) == pytest.approx(accuracy_score(truth, guess), abs=1e-12)


def test_many_counts_are_scored_at_once():
    counts = torch.randint(0, 9, (3, 4, 5, 5), generator=torch.Generator().manual_seed(0))
    scores = macro_f(counts)
    assert scores.shape == (3, 4)
    assert scores[2, 1] == macro_f(counts[2, 1])


def test_the_counts_of_a_model_are_its_predictions():
    samples = small()[0][0]
    torch.manual_seed(0)
    model = Tiny()
    guess = model(to_inputs(samples.images)).argmax(1)
    counts = confusion(model, samples, 10)
    assert counts.sum() == len(samples)
    for true, said in zip(samples.labels, guess, strict=True):
        counts[true, said] -= 1
    assert not counts.any()
