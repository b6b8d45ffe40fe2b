"""`ape run predict`: what a shared model says of texts, computed here and asked of the contract."""

from __future__ import annotations

import click

from offchain.report.text import plain
from offchain.storage import Network
from scripts._stage.deployments import deployed
from scripts._stage.party import PartyTelling
from scripts._stage.reading import reading_store
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY
from scripts._sum.party_options import PredictOptions
from scripts._sum.teaching import described

MOST_ASKED = 100
"""Texts that the contract is asked about as well; all are computed here."""


def run_predict(address: str, options: PredictOptions) -> None:
    """Tells the class of each text. Raises ClickException where contract and twin differ."""
    telling = PartyTelling(as_json=options.as_json)
    model = ModelOnChain.resume(deployed(FACTORY, options.deployments), address)
    texts = options.wanted()
    network = Network(options.listen, options.peer)
    with reading_store(options.ipfs, network) as store:
        with telling.doing("fetching the task"):
            task, preprocessing = described(model, store)
        if task.modality != options.modality:
            raise click.ClickException(
                f"{model.address} is asked about {task.modality}, not {options.modality}"
            )
        twin = model.twin()
        for number, item in enumerate(texts.texts):
            features, text = preprocessing.features(item), plain(str(item), 60)
            if not 0 < len(features) <= twin.max_active:
                _tell(telling, text, len(features), None)
                continue
            label = twin.predict(preprocessing.sample(features))
            if number < MOST_ASKED:
                said = int(
                    model.contract.predict(list(preprocessing.bitmap(features)), skip_trace=True)
                )
                if said != label and said != model.twin().predict(preprocessing.sample(features)):
                    raise click.ClickException(
                        f"{model.address} says {task.classes[said]!r} of {text!r}, its "
                        f"weights say {task.classes[label]!r}"
                    )
                label = said
            _tell(telling, text, len(features), task.classes[label], number < MOST_ASKED)


def _tell(
    telling: PartyTelling, text: str, known: int, label: str | None, asked: bool = False
) -> None:
    """One answer. known: of its features. label: its class; None where nothing is known.

    asked: whether the contract was, too.
    """
    if telling.as_json:
        telling.event("text", text=text, known_words=known, label=label, asked=asked)
    else:
        why = "" if label else f" ({known:,} of its features are in the model)"
        telling.show(f"{plain(label or 'no class', 40)}: {text}{why}")
