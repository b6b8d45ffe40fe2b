"""Threads compute what the loop does, to the bit, and leave torch as they found it."""

import pytest
import torch

from offchain.seccl.engine import EngineError, LoopEngine
from offchain.seccl.parameters import ModelError, initial_model
from offchain.seccl.threads import ThreadEngine
from tests.offchain.seccl.small import Tiny, WithDropout, small, tiny_task


@pytest.fixture
def engine():
    made = ThreadEngine(tiny_task(), *small(), workers=3)
    yield made
    made.close()


def test_threads_do_what_the_loop_does_to_the_bit(engine):
    start, loop = initial_model(Tiny, 0), LoopEngine(tiny_task(), *small())
    changes = loop.train(start, 1)
    for _ in range(5):
        assert torch.equal(engine.train(start, 1), changes)
    assert torch.equal(engine.confusions(start + changes), loop.confusions(start + changes))


def test_torchs_settings_are_as_before(engine):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch.manual_seed(5)
        drawn = torch.get_rng_state()
        flags = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
        for round_ in range(5):
            engine.confusions(initial_model(Tiny, 0) + engine.train(initial_model(Tiny, 0), round_))
        assert torch.equal(torch.get_rng_state(), drawn)
        assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == flags
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_model_that_draws_random_numbers_is_refused():
    with pytest.raises(EngineError, match="draws random numbers"):
        ThreadEngine(tiny_task(factory=WithDropout), *small(), workers=2)


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="workers must be 1 or more, not 0"):
        ThreadEngine(tiny_task(), *small(), workers=0)


def test_an_error_in_a_thread_is_the_callers():
    class Counting(Tiny):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            self.seen += self.training
            return super().forward(x)

    engine = ThreadEngine(tiny_task(factory=Counting), *small(), workers=2)
    with pytest.raises(ModelError, match="training changes the buffer seen"):
        engine.train(initial_model(Counting, 0), 0)
    engine.close()
