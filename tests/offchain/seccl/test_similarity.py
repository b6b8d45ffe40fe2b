"""The screen finds copies, however thinly disguised, and lets honest training pass."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from offchain.seccl.attacks import blurred
from offchain.seccl.engine import LoopEngine
from offchain.seccl.likeness import Likeness
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import initial_model
from offchain.seccl.partition import partition
from offchain.seccl.similarity import copies, explained, overlap
from offchain.seccl.training import LocalData, Task, TrainingSettings
from offchain.seccl.updates import SparseUpdate, largest_changes, mean_update
from tests.offchain.seccl.made_images import CLASSES, made_images

PEOPLE = 6


@pytest.fixture(scope="module")
def rounds():
    """Two honest rounds: the updates of each, and by how much the first moved the model."""
    factory = default_factory(CLASSES, (1, 16, 16))
    task = Task(factory, CLASSES, TrainingSettings(batch=8, learning_rate=0.05))
    parts = partition(made_images(360), PEOPLE, "equal")
    engine = LoopEngine(
        task,
        [LocalData.of(part.training, i) for i, part in enumerate(parts)],
        [LocalData.of(part.validation, i) for i, part in enumerate(parts)],
    )
    model = initial_model(factory, 0)
    first = largest_changes(engine.train(model, 0), 0.1)
    change = mean_update(first[:2])
    second = largest_changes(engine.train(model + change, 1), 0.1)
    return first, change, second


def found(updates, *earlier, order=None, **given):
    return [
        (copy.author, copy.of, copy.earlier)
        for copy in copies(updates, order or list(range(len(updates))), *earlier, **given)
    ]


def sparse(values):
    """Of a model of ten parameters, {number: change}."""
    indices = torch.tensor(list(values), dtype=torch.int32)
    return SparseUpdate(indices, torch.tensor(list(values.values())), 10)


def test_honest_training_on_equal_splits_is_not_taken_for_copying(rounds):
    first, change, second = rounds
    assert found(first) == []
    assert found(second, first, change) == []


def test_of_two_alike_the_later_post_is_the_copy(rounds):
    updates = [*rounds[0][:5], rounds[0][2]]
    assert found(updates) == [(5, 2, False)]
    assert found(updates, order=[5, 4, 3, 2, 1, 0]) == [(2, 5, False)]


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_noise_on_the_values_of_a_copy_does_not_hide_it(rounds, noise):
    updates = list(rounds[0])
    updates[5] = blurred(updates[2], noise, np.random.default_rng(0))
    assert found(updates) == [(5, 2, False)]


@pytest.mark.parametrize("dropped", [0.1, 0.3])
def test_leaving_out_the_smallest_part_of_a_copy_does_not_hide_it(rounds, dropped):
    updates = list(rounds[0])
    victim = updates[2]
    kept = victim.values.abs().argsort(descending=True)[: round((1 - dropped) * len(victim))]
    kept = kept.sort().values
    updates[5] = SparseUpdate(victim.indices[kept], victim.values[kept], victim.total)
    assert found(updates) == [(5, 2, False)]


def test_a_copy_of_the_last_round_or_of_the_models_change_is_found(rounds):
    first, change, second = rounds
    updates = list(second)
    updates[4] = first[1]
    updates[5] = blurred(largest_changes(change[None], 0.1)[0], 0.5, np.random.default_rng(0))
    assert found(updates, first, change) == [(4, 1, True), (5, None, True)]


def test_a_participant_may_be_like_itself_a_round_ago(rounds):
    assert found(rounds[0], rounds[0]) == []


def test_a_copy_of_a_copy_does_not_accuse_the_first_author(rounds):
    updates = [rounds[0][0]] * 4
    assert found(updates, order=[3, 1, 0, 2]) == [(1, 3, False), (0, 3, False), (2, 3, False)]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_mixture_of_others_is_found(rounds, count):
    first, change, second = rounds
    updates = list(second)
    mixed = torch.stack([update.dense() for update in (*second[:2], *first[1:3])[:count]]).mean(0)
    updates[5] = largest_changes(mixed[None], 0.1)[0]
    ((author, of, _),) = found(updates, first, change)
    assert author == 5
    assert of in (0, 1, 2)


def test_overlap_by_hand():
    one, other = sparse({0: 3.0, 1: 4.0}), sparse({1: 1.0, 2: 9.0})
    # Of two parameters each of ten, 0.4 are common by chance: (1 - 0.4) / 1.6.
    assert float(overlap(one, other)) == pytest.approx(0.375)
    assert float(overlap(one, one)) == 1


def test_what_is_explained_by_hand():
    update = sparse({0: 3.0, 1: 4.0, 2: 0.0, 3: 0.0})
    posts = torch.stack([sparse({1: 2.0}).dense(), sparse({2: 1.0, 5: 1.0}).dense()])
    # 16 of 25 are explained; of four values less two posts the rest counts twice.
    assert explained(update, posts) == pytest.approx(1 - 2 * 9 / 25)
    assert explained(update, update.dense()[None]) == pytest.approx(1)
    assert explained(sparse({0: 3.0}), posts) == 0  # too few values to tell


def test_naming_all_parameters_is_no_sign_of_copying():
    draw = torch.Generator().manual_seed(0)
    updates = largest_changes(torch.randn(3, 40, generator=draw), 1.0)
    assert found(updates) == []
    twice = replace(updates[0], values=updates[0].values * 2)
    assert [author for author, _, _ in found([*updates, twice])] == [3]


def test_bounds_and_orders_out_of_range_are_refused(rounds):
    with pytest.raises(ValueError, match="explained must be above 0, at most 1"):
        Likeness(explained=1.5)
    with pytest.raises(ValueError, match=r"must name \[0, 1, 2, 3, 4, 5\] once"):
        copies(rounds[0], [0, 1, 2, 3, 4, 4])
