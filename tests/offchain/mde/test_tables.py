"""Tables in MDE: rows of named columns are the task's, and sellers have of them what is planned."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from offchain.data.tables import load_table
from offchain.mde.asked import offer_of, require_kind, require_sizes
from offchain.mde.errors import ArtefactMismatch, FeatureMismatch
from offchain.mde.owner import Owner
from offchain.mde.partition import Owned, Partition, Plan, lay_out
from offchain.mde.samples import Kind, Samples
from offchain.mde.training import Trainer
from offchain.task import Task, check_offer
from offchain.task.forms import as_author, said


@pytest.fixture(scope="module")
def divided(tmp_path_factory) -> Partition:
    """A table of a number and a category that tell the class, and one of noise."""
    folder: Path = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(1)
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "noise", "work", "income"])
        for _ in range(400):
            rich = rng.random() < 0.5
            likely = [0.7, 0.2, 0.1] if rich else [0.2, 0.7, 0.1]
            work = rng.choice(["State", "Private", ""], p=likely)
            age = round(float(rng.normal(50 if rich else 30, 8)), 1)
            writer.writerow([age, rng.normal(), work, "high" if rich else "low"])
    rows = as_author(load_table(folder / "people.csv", "income"))
    owned = Owned(plenty=60, lacking=3, classes=1, validation=60, test=60)
    return lay_out(rows, Plan.parse("useful,irrelevant", 20), owned)


@pytest.fixture(scope="module")
def task(divided) -> Task:
    """What the owner asks for."""
    return Task(classes=divided.names, licence="MIT", **said(divided.form))


def test_rows_of_a_class_that_the_owner_lacks_help_its_model(divided) -> None:
    useful, irrelevant = (one.samples for one in divided.holdings)
    owner = Owner.of(divided, Trainer((), seed=1))
    gain = owner.gain([useful]).loss
    assert gain > 0.05
    assert gain > owner.gain([irrelevant]).loss


def test_irrelevant_rows_have_cells_of_the_table_and_no_row_of_it(divided) -> None:
    (irrelevant,) = (one.samples for one in divided.holdings[1:])
    known = torch.cat([divided.train.inputs, divided.test.inputs, divided.validation.inputs])
    assert irrelevant.shape == known.shape[1:]
    assert not (irrelevant.inputs[:, None] == known[None]).all(2).any()


def test_rows_are_offered_as_the_tasks_columns(divided, task) -> None:
    """The task says three columns, which become four numbers."""
    samples = divided.holdings[0].samples
    assert (task.shape, samples.shape) == ((3,), (4,))
    check_offer(task, offer_of(samples, task))
    require_sizes(task, 4, 4)
    require_kind(task, Kind((4,), False, 2))


def test_rows_of_another_width_are_no_rows_of_the_task(divided, task) -> None:
    three = Samples(divided.train.inputs[:, :3].clone(), divided.train.labels)
    with pytest.raises(FeatureMismatch, match="the order is for 3 values of 4 bytes"):
        require_sizes(task, 3, 4)
    with pytest.raises(ArtefactMismatch, match="the artefact prices table of 3"):
        require_kind(task, Kind((3,), False, 2))
    words = "samples are 3 numbers, the task's 3 columns become 4"
    with pytest.raises(FeatureMismatch, match=words):
        offer_of(three, task)
    features = replace(task, columns=())  # of a task that names no columns, numbers are taken
    check_offer(features, offer_of(three, features))
