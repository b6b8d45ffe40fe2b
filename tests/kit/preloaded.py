"""What takes seconds, done once in the process from which the nursery forks all others.

Some of it is imported late, by the first call that needs it: then each process would pay for it.
"""

import ape
import IPython
import pandas
import scipy.optimize
import scipy.sparse.linalg
import scipy.stats
import sklearn.datasets
import sklearn.metrics
import torch
import torch._dynamo

assert torch, "models and their updates"
assert torch._dynamo, "which torch imports when it first makes an optimiser"
assert IPython, "which Ape imports when it first makes a contract's errors"
assert pandas, "which Ape imports when it first looks for logs"
assert scipy.optimize, "curves"
assert scipy.sparse.linalg, "solvers"
assert scipy.stats, "intervals"
assert sklearn.datasets, "digits"
assert sklearn.metrics, "what trees and texts are measured by"
assert ape.project.contracts, "compiled, or read from the cache"
assert ape.networks.ethereum.local.providers, "whose modules are imported when they are looked up"
