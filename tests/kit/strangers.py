"""Parties as strangers are: each a process with home, keystore, data and datastore of its own.

They share an Anvil whose blocks come by themselves, and nothing else. Its time is moved by the test
alone, between their steps.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from eth_account import Account
from eth_hash.auto import keccak
from web3 import HTTPProvider, Web3

from tests.kit.nursery import COMMAND, ROOT, Forked

if TYPE_CHECKING:  # its module loads torch
    from offchain.data.imageset import ImageSet

PASSPHRASE = "a stranger's passphrase"
BALANCE = 100 * 10**18
SECONDS = 400
"""Longest wait for anything."""


@dataclass
class Stranger:
    """One party.

    Attributes:
        name: of its keystore account. folder: its home, and all that it has.
        node: where the chain is. said: what its commands said, line by line.
        logs: where what it says is kept; default its folder.
    """

    name: str
    folder: Path
    node: str
    said: list[dict[str, Any]] = field(default_factory=list)
    process: subprocess.Popen[str] | Forked | None = None
    lives: int = 0
    logs: Path | None = None

    def __post_init__(self) -> None:
        key = keccak(self.name.encode())
        self.address = Account.from_key(key).address
        accounts = self.folder / ".ape" / "accounts"
        accounts.mkdir(parents=True)
        self.logs = self.logs or self.folder
        self.logs.mkdir(parents=True, exist_ok=True)
        locked = Account.encrypt(key, PASSPHRASE, kdf="pbkdf2", iterations=10)
        (accounts / f"{self.name}.json").write_text(json.dumps(locked))
        request = Web3(HTTPProvider(self.node)).provider.make_request
        request("anvil_setBalance", [self.address, hex(BALANCE)])

    @property
    def pictures(self) -> Path:
        """Its own data."""
        return self.folder / "pictures"

    def own(self, data: ImageSet, spelled: Callable[[str], str] = str) -> None:
        """Gives it pictures, one folder for each class, called as `spelled` says."""
        write_pictures(self.pictures, data, spelled)

    @property
    def deployments(self) -> Path:
        """Where its commands look for the file of what was deployed, of which nobody told it: the
        addresses follow from the code."""
        return self.folder / "deployments"

    def arguments(self, *own: str) -> list[str]:
        """What each of its commands takes; it is asked nothing. own: what it says of its data."""
        return ["--account", self.name, "--yes", *own, "--deployments", str(self.deployments)]

    def start(self, command: str, *options: str) -> None:
        """Starts a command, which says what happens in lines of JSON."""
        self._start(self._line(command, *options, "--json"))

    def start_bot(self, command: str, *options: str, find: str = "") -> None:
        """Starts a command as a Silverback bot. find: a filter as TOML has it, for one that is not
        told what to join."""
        # A list of text is the same in JSON as in TOML.
        said = f"command = {json.dumps(command)}\narguments = {json.dumps(options)}\n"
        said += f"find = {find}\n" if find else ""
        (self.folder / "party.toml").write_text(said)
        self._start_bot(self._bot())

    def stop(self) -> None:
        """SIGTERM: it ends when it has done what it is at, and is content."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.ended() == 0

    def _start(self, line: list[str]) -> None:
        self.lives += 1
        self.process = Forked(COMMAND, line, self._environment(), self._log())

    def _start_bot(self, line: list[str]) -> None:
        self.lives += 1
        with self._log().open("w") as log:
            self.process = subprocess.Popen(
                line,
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def kill(self) -> None:
        """SIGKILL: no chance to say or keep anything."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        line = self._line(command, *options)
        with TemporaryDirectory() as folder:
            out, errors = (Path(folder) / name for name in ("out", "errors"))
            process = Forked(COMMAND, line, self._environment(), out, errors)
            status = process.wait(SECONDS)
            return subprocess.CompletedProcess(line, status, out.read_text(), errors.read_text())

    def told(self, event: str, **values: Any) -> dict[str, Any]:
        """The first line of the present life that tells of it; waits for it."""

        def look() -> dict[str, Any] | None:
            lines = self._log().read_text().splitlines()
            for line in lines:
                said = json.loads(line) if line.startswith("{") else {}
                if said.get("event") == event and values.items() <= said.items():
                    return said
            assert self.process is not None
            assert self.process.poll() in (None, 0), "\n".join(lines)
            return None

        return awaited(f"{self.name} to tell of {event} {values}", look)

    def lines(self, event: str) -> Iterator[dict[str, Any]]:
        """What it said of such an event in all its lives so far, in order."""
        assert self.logs is not None
        for life in range(1, self.lives + 1):
            for line in (self.logs / f"life-{life}.log").read_text().splitlines():
                if line.startswith("{") and (said := _parsed(line)).get("event") == event:
                    yield said

    @property
    def alive(self) -> bool:
        """Whether it does anything now."""
        return self.process is not None and self.process.poll() is None

    @property
    def over(self) -> bool:
        """Whether it did something and ended well."""
        return self.process is not None and self.process.poll() == 0

    def end(self) -> None:
        """Ends it, whatever it does."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ended(self) -> int:
        """The exit status of what it does; waits for it."""
        assert self.process is not None
        return self.process.wait(SECONDS)

    def _log(self) -> Path:
        assert self.logs is not None
        return self.logs / f"life-{self.lives}.log"

    def _line(self, command: str, *options: str) -> list[str]:
        return [command, *options]

    def _bot(self) -> list[str]:
        silverback = str(Path(sys.executable).parent / "silverback")
        runner = "--runner", "bots.party:PartyRunner"
        return [silverback, "run", "party", "--network", "ethereum:local:foundry", *runner]

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "HOME": str(self.folder),
            "APE_DATA_FOLDER": str(self.folder / ".ape"),
            "SOUK_HOME": str(self.folder / "souk"),
            "SOUK_PARTY": str(self.folder / "party.toml"),
            "APE_FOUNDRY_HOST": self.node,
            "SOUK_PASSPHRASE": PASSPHRASE,
            f"APE_ACCOUNTS_{self.name}_PASSPHRASE": PASSPHRASE,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }


def spelled(name: str) -> str:
    """What who calls its classes otherwise calls one of digits."""
    return f"{name} - digit"


def mapping(digits: Iterable[int]) -> list[str]:
    """Says to a command what classes that are `spelled` otherwise are called in the task."""
    return [f"--class-name={spelled(str(digit))}={digit}" for digit in digits]


def refused_by_name(one: Stranger, command: str, options: Iterable[str], *classes: str) -> None:
    """Who calls the classes otherwise is told so, by name, and pays nothing."""
    refused = one.run(command, *options)
    assert refused.returncode == 1
    named = ", ".join(map(repr, classes))
    assert f"classes that the task does not have: {named}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert gained(one.node, one.address) == 0


def write_pictures(folder: Path, data: ImageSet, spelled: Callable[[str], str] = str) -> None:
    """Writes pictures, one folder for each class, called as `spelled` says."""
    from PIL import Image

    for i in range(len(data)):
        place = folder / spelled(data.classes[int(data.labels[i])])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[i, 0].numpy()).save(place / f"{i:05}.png")


def _parsed(line: str) -> dict[str, Any]:
    """A line of JSON; nothing where it was not written to its end yet."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return found


@contextmanager
def strangers(folder: Path, node: str, *names: str) -> Iterator[tuple[Stranger, ...]]:
    """Parties by name; what they still do at the end is ended."""
    found = tuple(Stranger(name, folder / name, node) for name in names)
    try:
        yield found
    finally:
        for one in found:
            one.end()


def awaited(what: str, look: Callable[[], Any]) -> Any:
    """What `look` finds, asked until it finds something. Raises AssertionError in the end."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {SECONDS} s for {what}"
        time.sleep(0.3)
    return found


def exported(by: Stranger, what: str, folder: Path) -> list[str]:
    """What somebody bought, written to `folder`/bought and checked; the options of that."""
    options = ["--out", str(folder / "bought"), "--deployments", str(by.deployments)]
    for more in ((), ("--check",)):
        done = by.run("export", what, *options, *more)
        assert done.returncode == 0, done.stderr
    return options


def go_to(node: str, timestamp: int) -> None:
    """Lets the chain's time be `timestamp`, in the next block that comes by itself."""
    web3 = Web3(HTTPProvider(node))
    web3.provider.make_request("evm_setNextBlockTimestamp", [timestamp])
    awaited(f"time {timestamp}", lambda: web3.eth.get_block("latest")["timestamp"] >= timestamp)


def fees(node: str, account: str) -> int:
    """What an account paid for gas, in wei."""
    web3 = Web3(HTTPProvider(node))
    total = 0
    for number in range(web3.eth.block_number + 1):
        for transaction in web3.eth.get_block(number, True)["transactions"]:
            if transaction["from"] == account:
                receipt = web3.eth.get_transaction_receipt(transaction["hash"])
                total += receipt["gasUsed"] * receipt["effectiveGasPrice"]
    return total


def gained(node: str, account: str) -> int:
    """What an account has more than at first, fees set aside, in wei."""
    held = Web3(HTTPProvider(node)).eth.get_balance(account)
    return held - BALANCE + fees(node, account)
