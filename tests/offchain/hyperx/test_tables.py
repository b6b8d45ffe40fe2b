"""A table through HyperX in memory: rows are sold as they are, by features of a public projection."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import cache

import pytest
import torch
from nacl.signing import SigningKey
from sklearn.datasets import load_breast_cancer

from offchain.crypto.bitmap import to_bitmap
from offchain.data.imageset import split
from offchain.data.originals import Originals
from offchain.data.pictures import UnreadableError
from offchain.data.shards import PackedShards
from offchain.data.tables import load_table
from offchain.hyperx.documents import EXTRACTOR, PREPROCESSING
from offchain.hyperx.evaluation import Evaluation, EvaluationSettings
from offchain.hyperx.extractor import load_extractor
from offchain.hyperx.features import extract
from offchain.hyperx.heads import HeadScorer
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.hyperx.trust import ExtractorRefused, check_extractor, reduced
from offchain.models.extractor import projection_extractor
from offchain.models.preprocessing import Rows
from offchain.task import Task, publish_task
from offchain.task.errors import ColumnsUnknown
from offchain.task.forms import as_author, said
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    COLLECTOR,
    CPU,
    LICENCE,
    SHARD_SIZE,
    SHARDS,
    SmallMarket,
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> list[Originals]:
    """scikit-learn's breast cancer set by way of a file: the collector's rows, and two sellers'."""
    path = tmp_path_factory.mktemp("tables") / "cells.csv"
    data = load_breast_cancer()
    out = io.StringIO()
    csv.writer(out).writerow([*data.feature_names, "diagnosis"])
    for row, label in zip(data.data.tolist(), data.target, strict=True):
        csv.writer(out).writerow([*row, data.target_names[label]])
    path.write_text(out.getvalue())
    rows = load_table(path, "diagnosis")
    return split(rows, [120, SHARDS * SHARD_SIZE, SHARDS * SHARD_SIZE], seed=1)
