"""What takes seconds, done once in the process from which the nursery forks all others."""

import ape
import IPython
import torch

assert torch, "models and their updates"
assert IPython, "which Ape imports when it first makes a contract's errors"
assert ape.project.contracts, "compiled, or read from the cache"
assert ape.networks.ethereum.local.providers, "whose modules are imported when they are looked up"
