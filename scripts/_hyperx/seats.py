"""How HyperX's roles come to life at a table: in a rehearsal, and each in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ape.api import AccountAPI

from offchain.data.imageset import Progress
from offchain.data.originals import Dataset, Originals
from offchain.hyperx.collector import Collector
from offchain.hyperx.evaluation import Evaluation
from offchain.hyperx.policy import Policy
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Session
from offchain.models.device import pick_device
from offchain.storage import Datastore
from scripts._hyperx.options import SessionOptions
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat

COLLECTOR_SECRETS = "collector.json"


def evaluation_of(
    options: SessionOptions, validation: Dataset, home: Path, progress: Progress | None
) -> Evaluation:
    """How the collector evaluates, with its secrets in `home`."""
    return Evaluation.prepare(
        options.settings(),
        validation,
        options.scorer(),
        secrets_at(home / COLLECTOR_SECRETS),
        pick_device(options.device),
        progress,
    )


def collector_seat(
    account: AccountAPI,
    evaluation: Evaluation,
    store: Datastore,
    home: Path,
    policy: Policy,
    progress: Progress | None,
    role: type[Collector] = Collector,
    pay_to: str | None = None,
) -> Seat:
    """The collector's, with its secrets in `home`."""

    def make(session: Session) -> Collector:
        secrets = secrets_at(home / COLLECTOR_SECRETS)
        return role(session, evaluation, store, secrets, policy, progress, pay_to)

    return Seat("collector", account, make)


def provider_seat(
    name: str,
    account: AccountAPI,
    data: Originals,
    store: Datastore,
    secrets: Path,
    device: str | None,
    role: type[Provider] = Provider,
    **more: Any,
) -> Seat:
    """A provider's. secrets: its file. more: what its role takes besides."""

    def make(session: Session) -> Provider:
        return role(
            str(account.address),
            session,
            data,
            store,
            secrets_at(secrets),
            pick_device(device),
            **more,
        )

    return Seat(name, account, make)
