"""The paper's two baselines on a demonstration's raw data, which no collector would ever see."""

from __future__ import annotations

import torch

from offchain.data.imageset import Progress
from offchain.data.originals import Dataset
from offchain.data.shards import packed_part
from offchain.hyperx.baselines import ScratchSubset, TrainWhole
from offchain.hyperx.quality import LabelledInputs
from offchain.hyperx.session import Session
from offchain.models.device import pick_device
from scripts._hyperx.options import TradeOptions
from scripts._hyperx.scene import Contender


def baseline_scores(
    session: Session,
    validation: Dataset,
    contenders: tuple[Contender, ...],
    options: TradeOptions,
    progress: Progress | None = None,
) -> dict[str, dict[str, float]]:
    """Accuracy by baseline and provider: on whole datasets, and on the sampled shards alone."""
    terms = session.terms
    whole: list[LabelledInputs] = []
    subset: list[LabelledInputs] = []
    for contender in contenders:
        data = packed_part(contender.data, terms.shard_count, terms.shard_size)
        member = session.members.get(contender.seat.address)
        shards = torch.tensor(member.sample or () if member else (), dtype=torch.int64)
        indices = (shards[:, None] * terms.shard_size + torch.arange(terms.shard_size)).flatten()
        whole.append((data.inputs, data.labels))
        subset.append((data.inputs[indices], data.labels[indices]))
    device = pick_device(options.device)
    result = {}
    for scorer, providers in ((TrainWhole(), whole), (ScratchSubset(), subset)):
        names = [o.seat.name for o, (_, y) in zip(contenders, providers, strict=True) if len(y)]
        scores = scorer.score(
            [one for one in providers if len(one[1])],
            (validation.inputs, validation.labels),
            len(validation.classes),
            seed=options.seed,
            device=device,
            progress=progress,
        )
        result[scorer.name] = {n: s.accuracy for n, s in zip(names, scores, strict=True)}
    return result
