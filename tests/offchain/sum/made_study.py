"""A study of made-up reviews: enough of them for the paper's sweeps, and few to submit."""

from dataclasses import dataclass

from offchain.runs.spread import Spread
from offchain.sum.study.case import WORDS
from offchain.sum.study.data import Data, Source
from offchain.sum.study.study import Study
from tests.offchain.sum.made_reviews import make_reviews


@dataclass(frozen=True)
class MadeSource(Source):
    """400 reviews beside those that are held out: 32 train and 368 are submitted."""

    seed: int = 0
    held_out: int = 5_000

    def load(self, progress=None):
        return Data(make_reviews(self.held_out + 400, WORDS, self.seed))


ONE = Spread(1)


def made_study(folder, *only, seeds=2, source=None):
    return Study(source or MadeSource(), seeds, only, folder / "runs")
