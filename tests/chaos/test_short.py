"""A seller and a buyer who are killed, and whom node and datastores fail, end as rehearsed."""

from __future__ import annotations

from scripts._stage.chain import HOME
from tests.chaos.faults import Dropped, Kill, Mixed, Reorganised, Skewed, StoreLies
from tests.chaos.prepared import prepare
from tests.chaos.stage import Stage, datastores
from tests.market.plays import HIDE

SEED = 1
SECONDS = 900


class KilledOnce(Kill):
    """Each party once."""

    TIMES = 1


class DroppedSeldom(Dropped):
    """Of transactions half the answers, of others few: who is cut off while it connects begins
    anew, and that takes long."""

    SHARE = 0.01


class LiedToOnce(StoreLies):
    """Each party's datastore lies up to four times in a row."""

    TIMES = 1


class Short(Mixed):
    """What takes little time."""

    OF = KilledOnce, DroppedSeldom, Reorganised, LiedToOnce, Skewed


def test_whatever_fails_all_are_paid_what_the_rehearsal_pays(project, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "deployer"))
    folder = tmp_path / "prepared"
    prepare(folder, HIDE.name)
    fault = Short(SEED, HIDE.parties)
    with datastores() as daemons:
        ended = Stage(HIDE, fault, folder, daemons, tmp_path / "said", SECONDS).run()
    assert ended.same, ended
    assert ended.killed > 0
    assert ended.strikes > ended.killed
