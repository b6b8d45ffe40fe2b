"""What is taken as samples, and models that call their classes by names."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from offchain.mde.blackbox import black_box
from offchain.mde.errors import FeatureMismatch, NotFinite, UnknownLabel
from offchain.mde.samples import Samples
from tests.offchain.mde.small import drawn, small_task

NAMES = ("ant", "bee", "cat")


def test_a_model_with_names_answers_as_one_with_numbers():
    task = replace(small_task(), names=NAMES)
    numbers = LogisticRegression().fit(task.train.inputs.numpy(), task.train.labels.numpy())
    # Another order of the names than of the labels.
    order = ("bee", "cat", "ant")
    task = replace(task, names=order)
    called = np.array(order)[task.train.labels.numpy()]
    names = LogisticRegression().fit(task.train.inputs.numpy(), called)
    assert list(names.classes_) == ["ant", "bee", "cat"]
    asked = task.validation.inputs
    same = black_box(numbers, task)(asked)
    assert np.abs(black_box(names, task)(asked) - same).max() < 1e-3
    assert (same.argmax(1) == task.validation.labels.numpy()).mean() > 0.8


def test_names_that_the_task_does_not_have_are_refused_by_name():
    task = small_task()
    called = np.array(["ant", "bee", "dog"])[task.train.labels.numpy()]
    model = LogisticRegression().fit(task.train.inputs.numpy(), called)
    with pytest.raises(UnknownLabel, match="calls a class 'ant': state the names"):
        black_box(model, task)
    with pytest.raises(UnknownLabel, match="class 'dog' is none of ant, bee, cat"):
        black_box(model, replace(task, names=NAMES))
    shifted = LogisticRegression().fit(task.train.inputs.numpy(), task.train.labels.numpy() + 1)
    with pytest.raises(UnknownLabel, match="class 3 is no label: those are 0 to 2"):
        black_box(shifted, task)


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int32, np.uint8, bool])
def test_features_of_any_number_are_taken(kind):
    rows = (np.arange(12).reshape(4, 3) % 5).astype(kind)
    taken = Samples.taken(rows, np.array([0, 1, 2, 1], dtype=np.int8))
    assert taken.inputs.dtype == torch.float32
    assert np.array_equal(taken.inputs.numpy(), rows.astype(np.float32))
    assert taken.labels.tolist() == [0, 1, 2, 1]


def test_labels_by_name_and_what_is_no_number():
    rows = drawn(3, 0).inputs.numpy()
    assert Samples.taken(rows, ["cat", "ant", "bee"], NAMES).labels.tolist() == [2, 0, 1]
    with pytest.raises(UnknownLabel, match="'cat' is a name"):
        Samples.taken(rows, ["cat", "ant", "bee"])
    with pytest.raises(UnknownLabel, match="'dog' is none of ant, bee, cat"):
        Samples.taken(rows, ["dog", "ant", "bee"], NAMES)
    with pytest.raises(FeatureMismatch, match="categories and text must be made numbers first"):
        Samples.taken([["red"], ["blue"]], [0, 1])
    with pytest.raises(FeatureMismatch, match="not float64"):
        Samples.taken(rows, [0.5, 1.0, 2.0])
    with pytest.raises(NotFinite):
        Samples.taken(np.full((2, 2), 1e300), [0, 1])
