"""`ape run browse`: what is open, filtered and told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import ape
import click

from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, plain
from offchain.storage import Network, cid_from_digest
from offchain.task import Task
from scripts._stage.chain import clock, node_told
from scripts._stage.deployments import ARGUMENTS, is_there
from scripts._stage.market import Open, Wanted, browse
from scripts._stage.money import currency, parse_amount, parse_token
from scripts._stage.party import PartyTelling
from scripts._stage.party_sheets import time_of
from scripts._stage.reading import reading_store

JOINED_BY = {
    "hyperx": "ape run provide",
    "hide": "ape run buy",
    "mde": "ape run quote",
    "seccl": "ape run join",
    "sum": "ape run teach",
}


def run_browse(
    listed: Callable[[str, Path], Sequence[Open]],
    mechanisms: Sequence[str],
    *,
    classes: tuple[str, ...],
    licence: str | None,
    least_reward: str | None,
    token: str | None,
    all_: bool,
    listen: str,
    peer: tuple[str, ...],
    ipfs: str | None,
    deployments: Path,
    as_json: bool,
) -> None:
    """Lists what is open and wanted.

    listed: all that a mechanism has, by its name. Raises ClickException for an amount that is none,
    and where the chain has none of the contracts.
    """
    telling = PartyTelling(as_json=as_json)
    least = 0 if least_reward is None else parse_amount("least-reward", least_reward)
    paid_in = parse_token(token)
    wanted = Wanted(classes, licence, least, paid_in, 0 if all_ else clock().now)
    chosen = [partial(listed, name, deployments) for name in mechanisms]
    with reading_store(ipfs, Network(listen, peer)) as store:
        found = browse(chosen, wanted, store)
        others = [] if found else browse(chosen, replace(wanted, classes=(), licence=None), store)
    if not found and not any(is_there(name) for name in ARGUMENTS):
        raise click.ClickException(
            f"no contract of Souk's on {ape.chain.provider.network.name}{node_told()}: "
            "ape run deploy puts them there"
        )
    for one, task in found:
        if as_json:
            telling.event("open", **_values(one, task))
    unknown = any(task is None for _, task in found)
    hint = " A task that is not found lies at its author's node: name it by --peer." * unknown
    compared = f" Only what pays in {currency(paid_in)[0]} was compared." if least else ""
    telling.sheets([_sheet(found, compared + _others(others) + hint)])
    for number, (one, _) in enumerate(found, 1):
        # In a table a narrow terminal would break what is to be copied.
        telling.show(f"{number}  {JOINED_BY[one.mechanism]} {one.address}", whole=True)


def _others(found: list[tuple[Open, Task | None]]) -> str:
    """What there is where nothing was found: somebody may have misspelt a class."""
    if not found:
        return ""
    names = dict.fromkeys(name for _, task in found if task for name in task.classes)
    said = f", with classes {plain(', '.join(names), 80)}" if names else ""
    return f" Without --class and --licence there would be {len(found)}{said}."


def _values(one: Open, task: Task | None) -> dict[str, object]:
    return {
        "mechanism": one.mechanism,
        "address": one.address,
        "author": one.author,
        "reward": str(one.reward),
        "deposit": str(one.deposit),
        "token": one.token,
        "until": one.until,
        "joined": one.joined,
        "task": cid_from_digest(one.task),
        "classes": task and list(task.classes),
        "licence": task and task.licence,
        "contact": task and list(task.contact),
    }


def _sheet(found: list[tuple[Open, Task | None]], compared: str) -> Sheet:
    rows = []
    for number, (one, task) in enumerate(found, 1):
        coin, decimals = currency(one.token)
        classes = plain(", ".join(task.classes), 40) if task else "task not found"
        rows.append(
            Row(
                (
                    str(number),
                    one.mechanism,
                    classes,
                    plain(task.licence, 20) if task else "-",
                    "-" if one.until is None else time_of(one.until),
                    f"{amount(one.reward, decimals)} {coin}" if one.reward else "-",
                    f"{amount(one.deposit, decimals)} {coin}" if one.deposit else "-",
                    str(one.joined),
                )
            )
        )
    headers = ("", "mechanism", "classes", "licence", "join until", "reward", "to pay", "joined")
    return Sheet("Open", headers, 5, tuple(rows), note=f"{len(found)} found.{compared}")
