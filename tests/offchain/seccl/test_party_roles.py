"""Server and members on their own come to what the conductor comes to, whoever is away."""

from __future__ import annotations

import pytest

from offchain.seccl import actions as do
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from tests.offchain.seccl.roles_in_memory import Market, mean_of
from tests.offchain.seccl.session_in_memory import (
    FIRST,
    LAYOUT,
    MEMBERS,
    description,
)

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
WINNERS = [(0, 1)] * 3


def expected(winners) -> str:
    model = FIRST
    for round_, chosen in enumerate(winners):
        model = model + mean_of(chosen, round_)
    return model_digest(LAYOUT, model)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("ballots", ["open", "hidden", "scores"])
def test_nobody_does_what_the_server_does_in_time(tmp_path, ballots: str, batched: bool) -> None:
    market = Market(tmp_path, about=description(ballots=ballots), batched=batched)
    market.play()
    session = market.session
    assert [session.closed[i].winners for i in range(3)] == WINNERS
    assert {market.model(i) for i in range(MEMBERS)} == {expected(WINNERS)}
    assert {who for who, _ in market.acted} == {"server"}
    assert session.withdrawn
    assert all(role.is_over(market.now) for role in market.members.values())
    assert market.server.is_over(market.now)
    carried = [action for _, action in market.acted if isinstance(action, do.Relay)]
    assert len(carried) == 3 * (2 if ballots == "hidden" else 1)
