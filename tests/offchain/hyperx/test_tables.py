"""A table through HyperX in memory: rows are sold as they are, judged by a public projection."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
import torch
from nacl.signing import SigningKey
from sklearn.datasets import load_breast_cancer

from offchain.data.imageset import DataError, split
from offchain.data.originals import Originals
from offchain.data.pictures import UnreadableError
from offchain.data.seeds import generator
from offchain.data.shards import PackedShards
from offchain.data.tables import load_table
from offchain.hyperx import actions as do
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.evaluation import Evaluation, EvaluationSettings
from offchain.hyperx.extractor import load_extractor
from offchain.hyperx.features import FeatureError
from offchain.hyperx.heads import HeadScorer
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.hyperx.provider import Provider
from offchain.hyperx.trust import ExtractorRefused, check_extractor, reduced
from offchain.models.extractor import projection_extractor
from offchain.models.preprocessing import PlainNumbers
from offchain.task import Task, publish_task
from offchain.task.errors import ColumnsUnknown
from offchain.task.forms import as_author, in_form, said
from offchain.task.tables import Table
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    COLLECTOR,
    CPU,
    LICENCE,
    SHARD_SIZE,
    SHARDS,
    SmallMarket,
    deal,
)

LABEL = "diagnosis"


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Originals:
    """scikit-learn's breast cancer set by way of a file."""
    path = tmp_path_factory.mktemp("tables") / "cells.csv"
    data = load_breast_cancer()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*data.feature_names, LABEL])
        for row, label in zip(data.data.tolist(), data.target, strict=True):
            writer.writerow([*row, data.target_names[label]])
    return load_table(path, LABEL)


@pytest.fixture(scope="module")
def parts(rows) -> list[Originals]:
    """The collector's rows, and those of two sellers, as the file has them."""
    return split(rows, [120, SHARDS * SHARD_SIZE, SHARDS * SHARD_SIZE], seed=1)


@pytest.fixture(scope="module")
def evaluation(parts) -> Evaluation:
    """The collector's, by its own rows."""
    return evaluation_of(as_author(parts[0]))


def evaluation_of(validation: Originals) -> Evaluation:
    """A collector's, with fixed secrets."""
    extractor = reduced(EvaluationSettings().extractor(validation.form), validation.form)
    return Evaluation(
        extractor=extractor,
        preprocessing=PlainNumbers(*validation.form.values),
        obfuscation=Obfuscation.draw(extractor.layer_shape[0], seed=2),
        private_key=bytes([7]) * 32,
        signing_key=SigningKey(bytes([8]) * 32),
        validation=validation,
        scorer=HeadScorer(),
        pool=2,
        seed=0,
        device=CPU,
    )


def market_of(folder, evaluation: Evaluation) -> SmallMarket:
    """A session about the collector's table, in which nobody has a seat but the collector."""
    market = SmallMarket(folder)
    store = market.store(COLLECTOR)
    documents = evaluation.publish(store)
    own = evaluation.validation
    task = Task(classes=own.classes, licence=LICENCE, documents=documents, **said(own.form))
    market = about(folder, market, task, evaluation)
    market.collector(how=evaluation)
    return market


def about(folder, market: SmallMarket, task: Task, evaluation: Evaluation) -> SmallMarket:
    """The same datastores, and a session about this task, in which nobody has a seat."""
    store = market.store(COLLECTOR)
    digest = publish_task(store, task)
    made = SmallMarket(folder, task=digest, encryption_key=evaluation.encryption_key)
    made.network.update(store.network)
    made.accepted = set()
    return made


def anna_sells(market: SmallMarket, anna: Originals, bert: Originals) -> str:
    """Bert's labels are wrong, and so Anna's data is bought. The digest of what was."""
    market.provider(ANNA, anna)
    market.provider(BERT, replace(bert, labels=1 - bert.labels))
    market.play()
    assert deal(market) == ANNA
    return market.role(COLLECTOR).dataset().digest()


def renamed(rows: Originals, names: tuple[str, ...]) -> Originals:
    """The same cells under other columns' names."""
    return replace(rows, form=replace(rows.form, names=names))


def test_the_better_table_is_bought_row_by_row(tmp_path, parts, evaluation) -> None:
    """Anna's columns are in another order; Bert's labels are wrong. Neither lists an extractor."""
    anna, bert = parts[1:]
    form = evaluation.form
    backwards = replace(
        anna,
        files=tuple(b",".join(reversed(one.split(b","))) for one in anna.files),
        form=replace(anna.form, names=anna.form.names[::-1]),
    )
    market = market_of(tmp_path, evaluation)
    sold = PackedShards(replace(anna, form=form), SHARDS, SHARD_SIZE).digest()
    assert anna_sells(market, backwards, bert) == sold


def test_texts_are_bought_as_they_stand(tmp_path) -> None:
    """What they are made of numbers by is the task's tokenizer, by its digest."""
    with (tmp_path / "reviews.csv").open("w", newline="") as file:
        words = {"good": "fine great, lovely", "bad": "dull poor\nslow"}
        rows = [(f"film {i}: {words[kind]}", kind) for i in range(60) for kind in words]
        csv.writer(file).writerows([("review", LABEL), *rows])
    texts = load_table(tmp_path / "reviews.csv", LABEL, "review")
    own, anna, bert = split(texts, [40, SHARDS * SHARD_SIZE, SHARDS * SHARD_SIZE], seed=1)
    evaluation = evaluation_of(as_author(own))
    market = market_of(tmp_path, evaluation)
    sold = PackedShards(anna, SHARDS, SHARD_SIZE).digest()
    assert anna_sells(market, anna, bert) == sold


def test_columns_and_cells_are_looked_at_before_anything_is_stored_or_paid(
    tmp_path, parts, evaluation
) -> None:
    anna = parts[1]
    names = anna.form.names
    market = market_of(tmp_path, evaluation)
    lacking = renamed(anna, ("radius of the cell", *names[1:]))
    odd = replace(anna, files=(anna.files[0].replace(b",", b",much ", 1), *anna.files[1:]))
    for data, error in ((lacking, ColumnsUnknown), (odd, UnreadableError)):
        market.provider(ANNA, data)
        before = set(market.network)
        with pytest.raises(error) as refusal:
            market.role(ANNA, restart=True).next_action(market.chain.clock)
        assert "\n" not in str(refusal.value)
        assert set(market.network) == before
    market.provider(ANNA, lacking, columns={"radius of the cell": names[0]})
    assert isinstance(market.role(ANNA, restart=True).next_action(market.chain.clock), do.Register)


class Copies(Provider):
    """Registers shards that show the same."""

    def _check_copies(self, packed: Originals) -> None:
        """Does not look."""


def test_honest_rows_that_are_alike_to_the_task_are_told_before_a_deposit_is_locked(
    tmp_path, parts
) -> None:
    """All rows of Anna's are different. The author's mean and spread make the same of them all, so
    that a review would be declared rubbish."""
    own = as_author(parts[0])
    columns = tuple(replace(column, mean=1e30, spread=1.0) for column in own.form.columns)
    market = market_of(tmp_path, evaluation_of(in_form(parts[0], Table(columns))))
    market.provider(ANNA, parts[1])
    before = set(market.network)
    with pytest.raises(DataError, match="shard 1 of 3 samples would show the same as shard 0"):
        market.act(ANNA)
    assert market.chain.session().members == {}
    assert set(market.network) == before


def test_rows_that_are_copies_are_found_whatever_their_cells_are_written_like(
    tmp_path, parts, evaluation
) -> None:
    """All shards are of the same rows, with ever more zeros behind their last number."""
    anna = parts[1]
    files, labels = list(anna.files), anna.labels.clone()
    for i, place in enumerate(generator(0, "shards").permutation(len(anna))):
        files[place] = anna.files[i % SHARD_SIZE] + b"0" * (i // SHARD_SIZE)
        labels[place] = anna.labels[i % SHARD_SIZE]
    market = market_of(tmp_path, evaluation)
    market.provider(ANNA, replace(anna, files=tuple(files), labels=labels), Copies)
    market.play()
    assert deal(market) is None
    assert "copy of shard" in market.role(COLLECTOR).objections[ANNA]


def test_the_projection_is_one_that_everybody_has_and_no_other(evaluation) -> None:
    """Weights of the collector's choice would read what column it likes."""
    form = evaluation.form
    public = projection_extractor(*form.values)
    few = reduced(public, form)
    assert few.output_shape == (len(form.columns) // 2, 1, 1)
    check_extractor(obfuscate(few, Obfuscation.draw(256, seed=3)), "cid", (), form)
    with pytest.raises(ExtractorRefused, match="from which records can be read; at most 15 are"):
        check_extractor(public, "cid", (), form)
    spying = replace(few, module=projection_extractor(*form.values).module)
    with torch.no_grad():
        spying.module.linear.weight[0] = 0
        spying.module.linear.weight[0, 5] = 1
    with pytest.raises(ExtractorRefused, match=r"linear.weight of the extractor is not that of"):
        check_extractor(spying, "cid", (), form)


def test_an_extractor_of_another_width_is_refused_before_a_deposit_is_locked(
    tmp_path, parts, evaluation
) -> None:
    other = replace(evaluation, extractor=reduced(projection_extractor(31), evaluation.form))
    market = market_of(tmp_path, evaluation)
    store = market.store(COLLECTOR)
    documents = {EXTRACTOR: other.publish(store)[EXTRACTOR]}
    task = replace(market.role(COLLECTOR).task, documents=documents)
    assert load_extractor(store.get(documents[EXTRACTOR]), store.get, CPU).input_shape == (31, 1, 1)
    changed = about(tmp_path, market, task, evaluation)
    changed.provider(ANNA, parts[1])
    with pytest.raises(FeatureError, match=r"inputs of \(30, 1, 1\), the extractor takes \(31"):
        changed.act(ANNA)
    assert changed.chain.session().members == {}
