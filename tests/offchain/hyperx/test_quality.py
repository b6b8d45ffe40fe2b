"""Quality scores: the numbers themselves, the ranking and the paper's measure, bad submissions."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from offchain.data.imageset import DataError
from offchain.hyperx.heads import HeadScorer
from offchain.hyperx.quality import (
    BadFeatures,
    QualityScore,
    choose,
    measure,
    screen,
    selection_rate,
)


def score(accuracy: float, macro_f1: float = 0.5) -> QualityScore:
    return QualityScore(accuracy, macro_f1, 0.0, 1.0, 100)


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_and_macro_f1_are_those_of_scikit_learn(seed):
    """Macro F1 averages over the classes of the validation set, also where one is never hit."""
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 4, 60), rng.integers(1, 6, 60)  # 0 is never predicted
    got = measure(torch.from_numpy(predicted), torch.from_numpy(truth), 7)
    present = np.unique(truth)
    expected = f1_score(truth, predicted, labels=present, average="macro", zero_division=0)
    assert got.accuracy == accuracy_score(truth, predicted)
    assert got.macro_f1 == pytest.approx(expected, abs=1e-12)
    assert got.n == 60


def test_the_interval_is_wilsons():
    """Against the published formula, and the case of Wilson's that normal intervals get wrong."""
    labels = torch.zeros(50, dtype=torch.int64)
    predicted = labels.clone()
    predicted[:10] = 1
    got = measure(predicted, labels, 2)
    z, p, n = 1.959963984540054, 0.8, 50
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (got.low, got.high) == pytest.approx((middle - half, middle + half), abs=1e-12)

    perfect = measure(labels, labels, 2)
    assert perfect.accuracy == perfect.high == 1
    assert perfect.low == pytest.approx(n / (n + z * z))  # not 1: fifty hits prove no certainty


def test_the_ranking_is_by_accuracy_then_macro_f1_then_position():
    scores = [score(0.5), score(0.9, 0.1), score(0.9, 0.8), score(0.5), score(0.9, 0.8)]
    assert choose(scores) == [2, 4, 1, 0, 3]
    assert choose([]) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_selection_rate_is_that_of_going_through_all_groups(seed):
    rng = np.random.default_rng(seed)
    accuracies, corruption = rng.permutation(9) / 10, rng.integers(0, 5, 9)
    scores = [score(float(a)) for a in accuracies]
    groups = list(itertools.combinations(range(9), 5))
    right = sum(
        corruption[max(group, key=lambda i: accuracies[i])] == min(corruption[list(group)])
        for group in groups
    )
    assert selection_rate(scores, corruption.tolist()) == pytest.approx(right / len(groups))


def test_the_selection_rate_at_its_limits():
    levels = [i / 10 for i in range(11)]
    faithful = [score(1 - level) for level in levels]
    assert selection_rate(faithful, levels) == 1
    # Of the C(11, 5) groups, a reversed ranking is right in none.
    assert selection_rate(faithful[::-1], levels) == 0
    # A swap of the two best costs the groups that hold both: C(9, 3) of 462.
    swapped = [faithful[1], faithful[0], *faithful[2:]]
    assert selection_rate(swapped, levels) == pytest.approx(1 - 84 / 462)


def test_a_scorer_that_cannot_tell_gets_no_credit_for_the_order_of_the_list():
    assert selection_rate([score(0.1)] * 11, [i / 10 for i in range(11)]) == 0
    assert selection_rate([score(0.1)] * 11, [0.0] * 11) == 1  # equally good: any choice is right


def test_the_selection_rate_refuses_lists_that_do_not_fit():
    with pytest.raises(ValueError, match="2 scores for 3 levels"):
        selection_rate([score(0.1)] * 2, [0.0] * 3)
    with pytest.raises(ValueError, match="groups of 5 out of 4"):
        selection_rate([score(0.1)] * 4, [0.0] * 4)


def clean(n: int = 20, width: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(n)
    return torch.randn(n, width, generator=rng), torch.arange(n) % 2


def with_value(value: float) -> torch.Tensor:
    features = clean()[0].clone()
    features[4, 1] = value
    return features


LABELS = clean()[1]
HOSTILE = {
    "wrong width": ((clean(width=4)[0], LABELS), r"each input must be \(3,\), not \(4,\)"),
    "no matrix": ((torch.zeros(20), LABELS), r"each input must be \(3,\), not \(\)"),
    "a dimension more": ((torch.zeros(20, 3, 1), LABELS), r"\(3,\), not \(3, 1\)"),
    "double": ((clean()[0].double(), LABELS), "torch.float32, not torch.float64"),
    "empty": ((torch.zeros(0, 3), LABELS[:0]), "there are no samples"),
    "nan": ((with_value(math.nan), LABELS), "1 of 20 inputs hold values that are not finite"),
    "infinity": ((with_value(math.inf), LABELS), "1 of 20 inputs hold values"),
    "label too high": ((clean()[0], LABELS + 1), r"0\.\.1, found 1\.\.2"),
    "label negative": ((clean()[0], LABELS - 1), r"0\.\.1, found -1\.\.0"),
    "labels missing": ((clean()[0], LABELS[:5]), r"int64 \(20,\).*\(5,\)"),
    "labels of a wrong type": ((clean()[0], LABELS.float()), "not torch.float32"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bad_submission_is_refused_by_name_and_the_others_can_go_on(case):
    submission, message = HOSTILE[case]
    providers = [clean(), submission, clean(24)]
    with pytest.raises(BadFeatures, match=f"^provider 1: .*{message}") as caught:
        HeadScorer().score(providers, clean(30), 2, seed=0)
    assert "\n" not in str(caught.value)
    del providers[caught.value.provider]
    assert len(HeadScorer().score(providers, clean(30), 2, seed=0)) == 2


def test_screening_finds_every_bad_submission_at_once():
    providers = [HOSTILE["nan"][0], clean(), HOSTILE["wrong width"][0]]
    faults = screen(providers, (3,), torch.float32, 2)
    assert [fault.provider for fault in faults] == [0, 2]
    assert screen([clean()], (3,), torch.float32, 2) == []


def test_a_fault_of_the_collectors_own_blames_no_provider():
    for validation in (HOSTILE["nan"][0], HOSTILE["empty"][0]):
        with pytest.raises(DataError, match=r"^validation: ") as caught:
            HeadScorer().score([clean()], validation, 2, seed=0)
        assert not isinstance(caught.value, BadFeatures)
    with pytest.raises(DataError, match="classes must be 2 to 65536, not 1"):
        HeadScorer().score([clean()], clean(), 1, seed=0)
