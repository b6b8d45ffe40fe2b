"""How threads that compute wait for each other, chosen in one place for all commands.

torch splits even an operation of microseconds among its threads, and the last to arrive ends it.
OpenMP's threads spin while they wait, as if each had a core to itself. Where another process keeps
a core busy, they spend their share of it on spinning: then the scheduler takes the core away just
when the next operation needs it, and every operation costs a time slice of milliseconds. Threads
that sleep while they wait are run as soon as they are woken. Beside others on two cores a training
of small steps took 21 to 46 s by two threads that spin, 2.7 to 4.2 s by two that sleep, and 1.7 to
2.4 s by one; nobody loses by sleeping but who has the machine alone, some percent.
"""

from __future__ import annotations

import os

WAITING = {
    # GNU's OpenMP, which torch uses on Linux.
    "OMP_WAIT_POLICY": "passive",
    # LLVM's and Intel's, on macOS: milliseconds of spinning before a thread sleeps.
    "KMP_BLOCKTIME": "0",
}
"""Variables of the environment; OpenMP reads them when torch is loaded."""


def wait_asleep() -> None:
    """From now on threads sleep while they wait, unless the environment says otherwise.

    Takes effect in this process if torch is not loaded yet, and in those that it starts.
    """
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
