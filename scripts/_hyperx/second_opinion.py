"""The efficacy price of each provider's sampled features, beside its quality score."""

from __future__ import annotations

import torch

from offchain.data.imageset import Progress
from offchain.data.originals import Dataset
from offchain.hyperx.collector import Collector
from offchain.hyperx.session import Session
from offchain.mde.features import feature_prices
from offchain.mde.samples import Samples
from offchain.storage import Datastore
from scripts._stage.table import Seat


def second_opinion(
    session: Session,
    collector: Collector,
    validation: Dataset,
    seats: list[Seat],
    store: Datastore,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, int]:
    """In the session's currency, by the name of each provider whose features were scored.

    The most is the session's reward. See `feature_prices`.
    """
    evaluation = collector.evaluation

    def samples(features: torch.Tensor, labels: torch.Tensor) -> Samples:
        return Samples(evaluation.inputs(features).float().cpu(), labels)

    own = evaluation.extract(validation.inputs)
    offered = {}
    for seat in seats:
        member = session.members.get(seat.address)
        if seat.address not in collector.scored or member is None or member.features is None:
            continue
        count = len(member.sample or ()) * session.terms.shard_size
        opened = evaluation.open(store, session.party(member.account), member.features, count)
        offered[seat.name] = samples(*opened)
    return feature_prices(
        offered,
        samples(own, validation.labels),
        len(validation.classes),
        int(session.terms.reward),  # Ape gives an int of its own
        seed,
        progress,
    )
