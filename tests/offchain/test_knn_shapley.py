"""KNN-Shapley against the sum over all coalitions, ties, and what is refused."""

from itertools import combinations
from math import comb, factorial

import numpy as np
import pytest
import torch

from offchain.knn_shapley import Labelled, Neighbours, ValuationError, knn_shapley


def drawn(count, seed, width=3, classes=2, whole=False):
    rng = torch.Generator().manual_seed(seed)
    features = torch.randn(count, width, generator=rng)
    features = (features * 1.2).round() if whole else features
    return Labelled(features, torch.randint(classes, (count,), generator=rng))


def worth(train, chosen, x, y, k):
    """v of the module's head, by every order of those that tie at the k-th place."""
    apart = ((train.features[chosen] - x).double() ** 2).sum(1).numpy()
    right = (train.labels[chosen] == y).numpy()
    if len(chosen) <= k:
        return right.sum() / k
    bound = np.sort(apart)[k - 1]
    inside, edge = apart < bound, apart == bound
    room = k - inside.sum()
    ways = [right[list(c)].sum() for c in combinations(np.flatnonzero(edge), room)]
    assert len(ways) == comb(edge.sum(), room)
    return (right[inside].sum() + np.mean(ways)) / k


def shapley(train, x, y, k):
    """By the definition: the mean of what each sample adds over all orders of joining."""
    n = len(train)
    found = np.zeros(n)
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        for size in range(n):
            share = factorial(size) * factorial(n - size - 1) / factorial(n)
            for some in combinations(rest, size):
                before = worth(train, list(some), x, y, k) if some else 0.0
                found[i] += share * (worth(train, [*some, i], x, y, k) - before)
    return found


@pytest.mark.parametrize("k", [1, 2, 5, 9])
@pytest.mark.parametrize("whole", [False, True], ids=["no ties", "ties"])
def test_values_are_shapleys_by_the_definition(k, whole):
    train = drawn(7, 3, width=2 if whole else 3, whole=whole)
    judged = drawn(4, 4, width=2 if whole else 3, whole=whole)
    found = knn_shapley(train, judged, k)
    for v in range(len(judged)):
        expected = shapley(train, judged.features[v], judged.labels[v], k)
        assert found[:, v] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("whole", [False, True], ids=["no ties", "ties"])
def test_one_that_joins_alone_is_worth_what_it_is_worth_in_the_set_with_it(whole):
    own, judged, more = (drawn(n, seed, whole=whole) for n, seed in ((60, 1), (40, 2), (30, 3)))
    found = Neighbours(own, judged, 4).joining(more)
    for m in range(len(more)):
        both = Labelled(
            torch.cat([own.features, more.features[m : m + 1]]),
            torch.cat([own.labels, more.labels[m : m + 1]]),
        )
        assert found[m] == pytest.approx(knn_shapley(both, judged, 4)[-1], abs=1e-12)


def test_values_of_a_judged_sample_sum_up_to_what_the_whole_set_is_worth():
    train, judged = drawn(300, 5, classes=4), drawn(50, 6, classes=4)
    for k in (1, 10, 400):
        total = knn_shapley(train, judged, k).sum(0)
        nearest = torch.cdist(judged.features.double(), train.features.double()).argsort(dim=1)
        right = (train.labels[nearest[:, :k]] == judged.labels[:, None]).sum(1) / k
        assert total == pytest.approx(right.numpy())


def test_a_large_offset_of_all_features_changes_nothing():
    train, judged = drawn(50, 5, classes=4), drawn(20, 6, classes=4)
    moved = [Labelled(one.features.double() + 1e8, one.labels) for one in (train, judged)]
    assert knn_shapley(*moved, 5) == pytest.approx(knn_shapley(train, judged, 5), abs=1e-12)


def test_copies_share_alike_whatever_their_order():
    train = Labelled(1e3 + torch.rand(9, 5) / 3, torch.zeros(9, dtype=torch.int64))
    twice = Labelled(train.features.repeat(2, 1), train.labels.repeat(2))
    judged = Labelled(train.features[:4] + 0.01, torch.tensor([0, 0, 1, 0]))
    found = knn_shapley(twice, judged, 3)
    assert np.array_equal(found[:9], found[9:])
    order = torch.randperm(18, generator=torch.Generator().manual_seed(0))
    turned = knn_shapley(Labelled(twice.features[order], twice.labels[order]), judged, 3)
    assert turned == pytest.approx(found[order.numpy()], abs=1e-15)


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("k must be 1 or more, not 0", lambda a: knn_shapley(a, a, 0)),
        ("k must be 1 or more, not -1", lambda a: Neighbours(a, a, -1)),
        (
            "judged samples have 2 features, the others 3",
            lambda a: knn_shapley(a, drawn(3, 1, 2), 1),
        ),
        ("features must be finite", lambda a: Labelled(a.features / 0, a.labels)),
        (r"labels are \(7,\), not \(6,\)", lambda a: Labelled(a.features, a.labels[:6])),
        (r"features are \(N, D\), not \(0, 3\)", lambda a: Labelled(a.features[:0], a.labels[:0])),
    ],
)
def test_what_gives_no_values_is_refused_by_name(words, make):
    with pytest.raises(ValuationError, match=words):
        make(drawn(7, 1))
