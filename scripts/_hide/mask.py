"""What `ape run hide` does, and what it prints meanwhile."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from offchain.crypto.secrets_file import SecretsFile
from offchain.hide.countermeasures import Regained, countermeasures, regained
from offchain.hide.errors import HideError
from offchain.hide.family import SECRET_BYTES, Secret
from offchain.hide.making import VERSION, make_family
from offchain.models.device import pick_device
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from scripts._hide.mask_options import MaskOptions
from scripts._hide.mask_report import Masked
from scripts._stage.telling import Telling


def hide(options: MaskOptions, out: Path, telling: Telling | None = None) -> None:
    """Makes the family of a dataset and writes it to `out`; see `ape run hide --help`.

    Nothing is written before the request and the data are known to be usable.
    """
    plan, device = options.plan(), pick_device(options.device)
    if (out / "published").exists():
        raise HideError(f"{out / 'published'} exists: name another folder")
    telling = telling or Telling(Console(width=120))
    with telling.doing("reading images") as progress:
        split = options.split(telling.left_out, progress)
    private = out / "private"
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = SecretsFile(private / "secret.json").remember(
        "family", lambda: os.urandom(SECRET_BYTES)
    )
    kept = Finished(private / "points", VERSION)
    with telling.doing("making masks and searching levels"):
        made = make_family(
            split,
            plan,
            Secret(secret),
            device=device,
            kept=kept,
            telling=telling.turn_to,
        )
    counters: list[Regained] = []
    if options.counter:
        with telling.doing("trying free counter-measures") as progress:
            counters = regained(
                made.family.masked.subset(split.learned),
                split.test,
                countermeasures(plan.masks.epsilon, plan.held_out),
                plan.network,
                plan.training,
                plan.seed,
                device=device,
                progress=progress,
                finished=kept,
                spread=Spread.of(options.workers, gpu=device.type == "cuda"),
            )
    with telling.doing("writing") as progress:
        masked = Masked.of(made, split, counters, options.network, asdict(options))
        masked.write(out, progress)
    telling.sheets(masked.sheets())
    for one in made.found:
        if not one.within:
            telling.show(f"level {one.wanted:g} is out of reach: {one.why}")
    cost = made.cost
    telling.show(
        f"{cost.trainings} trainings in {cost.training_seconds:.0f} s, {cost.kept} were kept; "
        f"masks in {cost.mask_seconds:.1f} s"
    )
    telling.show(f"publish {out / 'published'}; keep {private} to yourself", whole=True)
