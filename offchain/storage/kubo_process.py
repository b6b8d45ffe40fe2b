"""The child process that runs the embedded node: started, asked, ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from offchain.storage import kubo_worker
from offchain.storage.datastore import (
    ContentMissing,
    DatastoreError,
    DatastoreLocked,
    DatastoreUnavailable,
    Network,
)

START_SECONDS = 60.0
"""Loading 80 MB of library, and on the first start making a 2048-bit RSA key."""
STOP_SECONDS = 10.0


def reached_at(repo: Path) -> tuple[str, ...]:
    """Multiaddresses at which this machine reaches the node that has the repository open; none
    where it has no network."""
    try:
        config = json.loads((repo / "config").read_text())
        port = (repo / kubo_worker.PLACE).read_text().strip()
        name, listen = config["Identity"]["PeerID"], config["Addresses"]["Swarm"]
    except (OSError, ValueError, KeyError):
        return ()
    local = (one.replace("/ip4/0.0.0.0/", "/ip4/127.0.0.1/").rpartition("/") for one in listen)
    return tuple(f"{place}/{port}/p2p/{name}" for place, _, _ in local if place.endswith("/tcp"))


class KuboProcess:
    """One running worker for the repository `repo`. Not thread-safe.

    Raises DatastoreUnavailable when it does not start, naming the repository and the reason;
    DatastoreLocked where that is another process.
    """

    def __init__(self, repo: Path, network: Network | None = None) -> None:
        self._repo = repo
        self._errors = repo / "worker.err"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", kubo_worker.__name__, str(repo)),
                    *([json.dumps(asdict(network))] if network else []),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,  # Ctrl-C is for the owner, which then closes the node
            )
        try:
            self._answer(START_SECONDS)
        except (DatastoreError, TimeoutError) as error:
            self.kill()
            reason = (
                f"no answer in {START_SECONDS:g} s" if isinstance(error, TimeoutError) else error
            )
            locked = isinstance(error, DatastoreLocked)
            kind = DatastoreLocked if locked else DatastoreUnavailable
            raise kind(f"the IPFS repository {repo}: {reason}") from error

    def ask(self, timeout: float, operation: str, *arguments: Any) -> Any:
        """One request. Raises DatastoreError, ContentMissing where content did not come in time,
        or TimeoutError after which only `kill` is left."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([operation, *arguments]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._died() from error
        return self._answer(timeout)

    def status(self) -> int | None:
        """The exit status of one that ended."""
        return self._process.poll()

    def stop(self) -> None:
        """Ends the node after what it is doing."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(STOP_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            pass  # it is dead already, or has to be killed
        self.kill()

    def kill(self) -> None:
        """Ends the node at once. Kubo writes its files so that this loses no finished request."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):  # a request that it never read
                    stream.close()

    def _answer(self, timeout: float) -> Any:
        assert self._process.stdout is not None
        line, deadline = b"", time.monotonic() + timeout
        descriptor = self._process.stdout.fileno()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                raise self._died()
            line += piece
        answer = json.loads(line)
        if "error" in answer:
            if answer.get("locked"):
                raise DatastoreLocked(answer["error"])
            kind = ContentMissing if answer.get("absent") else DatastoreError
            raise kind(answer["error"])
        return answer["value"]

    def _died(self) -> DatastoreUnavailable:
        self.kill()
        words = self._errors.read_text(errors="replace").strip().splitlines()
        return DatastoreUnavailable(
            f"the IPFS node for {self._repo} ended with status {self._process.returncode}: "
            + (words[-1] if words else "it left no message")
        )
