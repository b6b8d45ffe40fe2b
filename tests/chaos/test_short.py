"""A seller and a buyer who are killed, and whom node and datastores fail, end as rehearsed."""

from __future__ import annotations

from tests.chaos.faults import Mixed
from tests.chaos.prepared import prepared
from tests.chaos.stage import Stage, datastores
from tests.market.plays import HIDE

SEED = 1
SECONDS = 600


def test_whatever_fails_all_are_paid_what_the_rehearsal_pays(tmp_path):
    fault = Mixed(SEED, HIDE.parties)
    folder = prepared(tmp_path, HIDE.name)
    with datastores() as daemons:
        ended = Stage(HIDE, fault, folder, daemons, tmp_path / "said", SECONDS).run()
    assert ended.same, ended
    assert ended.killed > 0
    assert ended.strikes > ended.killed
