"""The measurement, made once for all tests of this folder and printed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import ape
import pytest
from rich.console import Console
from rich.markdown import Markdown

from tests.gas.measure import People, measure
from tests.gas.report import render
from tests.kit.node import quiet_node

PLAIN_SESSION = "tests/gas/PlainSession.sol"
SNAPSHOT = Path(__file__).with_name("snapshot.json")
REPORT = Path(__file__).parents[2] / "benchmarks" / "gas.md"


@pytest.fixture(scope="session")
def plain_session():
    """The plain transcription of Figure 3, compiled as our contracts are."""
    return ape.project.load_contracts(PLAIN_SESSION)["PlainSession"]


@pytest.fixture(scope="session")
def measured(project, accounts, plain_session):
    """All sessions, played on a chain of their own; with UPDATE=1 kept as the new figures."""
    factory = project.TradingSessionFactory
    people = People(collector=accounts[1], winner=accounts[2], loser=accounts[3])
    with quiet_node():
        measurement = measure(factory.deploy(sender=accounts[0]), plain_session, people)
    report = render(measurement)
    Console(width=120).print(Markdown(report))
    if os.environ.get("UPDATE") == "1":
        SNAPSHOT.write_text(json.dumps(measurement.flat(), indent=2) + "\n")
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(report)
    return measurement
