"""An exported folder certifies what was bought, and nothing that was written into it since."""

from __future__ import annotations

import json
from dataclasses import replace

import click
import pytest
import torch

from offchain.data.imageset import ImageSet
from offchain.storage import cid_of, digest_of
from offchain.task import Task
from scripts._stage.exported import PROOF, TASK, read_back, write_bought

SOLD = Task("images", ("benign", "proof.json"), (1, 8, 8), "CC-BY-NC-4.0")
FACTS = {"provider": "0xA", "reward": "1"}
PROVED = FACTS | {"licence": SOLD.licence}


@pytest.fixture
def bought(tmp_path):
    """The folder, and what was bought; one class is called as a document beside it."""
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8, generator=rng)
    one = ImageSet(images, torch.tensor([0, 1, 0, 1, 1, 0]), SOLD.classes, "bought")
    write_bought(one, SOLD, PROVED, tmp_path / "out", lambda done, total: None)
    return tmp_path / "out", one


def digest(task: Task) -> bytes:
    return digest_of(cid_of(task.to_bytes()))


def test_what_was_written_is_read_back(bought):
    folder, one = bought
    assert read_back(folder, digest(SOLD), FACTS).digest() == one.digest()


def test_another_licence_or_other_class_names_are_found(bought):
    """Pictures and numbers of labels are the same, and so is the root that was registered."""
    folder, _ = bought
    for forged in (replace(SOLD, licence="CC0-1.0"), replace(SOLD, classes=("acute", "normal"))):
        (folder / TASK).write_bytes(forged.to_bytes())
        with pytest.raises(click.ClickException, match="is not the task that was agreed on"):
            read_back(folder, digest(SOLD), FACTS)


@pytest.mark.parametrize(
    "lie", [{"licence": "CC0-1.0"}, {"provider": "0xB"}, {"reward": "0"}, {"sha256": "00"}]
)
def test_a_proof_that_says_otherwise_is_found(bought, lie):
    folder, _ = bought
    proof = json.loads((folder / PROOF).read_text()) | lie
    (folder / PROOF).write_text(json.dumps(proof))
    with pytest.raises(click.ClickException, match=f"not what was sold: {next(iter(lie))}"):
        read_back(folder, digest(SOLD), FACTS)


@pytest.mark.parametrize("name", ["licence", "provider", "sha256"])
def test_a_proof_that_leaves_something_out_is_refused_by_name(bought, name):
    folder, _ = bought
    proof = json.loads((folder / PROOF).read_text())
    del proof[name]
    (folder / PROOF).write_text(json.dumps(proof))
    with pytest.raises(click.ClickException, match=f"lacks {name}"):
        read_back(folder, digest(SOLD), FACTS)


def test_who_believes_what_lies_in_the_folder_certifies_it(bought):
    """The twin: the digest of the task that lies there, and no facts."""
    folder, _ = bought
    forged = replace(SOLD, licence="CC0-1.0")
    (folder / TASK).write_bytes(forged.to_bytes())
    proof = json.loads((folder / PROOF).read_text()) | {"licence": forged.licence}
    (folder / PROOF).write_text(json.dumps(proof))
    assert len(read_back(folder, digest(forged))) == 6
