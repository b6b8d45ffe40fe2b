"""What a provider and a collector need of memory for a dataset of files.

`python -m benchmarks.hyperx_memory --gigabytes 0.5 2` writes benchmarks/hyperx_memory.md. For each
size it writes noise as JPEG files of half a megabyte, and has `ape run open`, `ape run provide` and
`ape run export` trade them on an Anvil of its own: three processes with folders of their own. Each
is looked at with its embedded node, a process below it; pages that both map count twice. It needs
Anvil, and on the disk four times the dataset, which it gives back.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Self

import numpy as np
import psutil
from PIL import Image

OUT = Path(__file__).with_suffix(".md")
SIDE, QUALITY = 512, 95
SHARD_SIZE = 8
CLASSES = ("red", "blue")
VALIDATION = 60
PHASE_HOURS = 3
LOOK_SECONDS = 0.05
WAIT_SECONDS = 3_000
MEGA = 1 << 20
ROOT = Path(__file__).parents[1]
COMMAND = (
    "import sys; from importlib import import_module; "
    "import_module('scripts.' + sys.argv[1]).cli(sys.argv[2:])"
)
"""What `ape run` does with a script of the project."""


@dataclass
class Watched:
    """A command of `ape run`, and the most memory that it took.

    Attributes:
        most: bytes of the process and those below it, at the same moment.
    """

    name: str
    process: subprocess.Popen[str]
    most: int = 0
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @classmethod
    def start(cls, stack: ExitStack, name: str, home: Path, *words: str) -> Self:
        """Starts it with secrets and content of its own in `home`; it ends with the stack."""
        home.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *words],
            cwd=ROOT,
            env={**os.environ, "SOUK_HOME": str(home / "souk")},
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(process.kill)
        one = cls(name, process)
        Thread(target=one._watch, daemon=True).start()
        return one

    def told(self, event: str, **values: Any) -> dict[str, Any]:
        """The next event of that name with these values; others before it are passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if said["event"] == event and values.items() <= said.items():
                return said
        raise SystemExit(f"{self.name} ended before it told {event} {values}")

    def ended(self) -> None:
        """Reads its output to the end. Raises SystemExit where it failed."""
        assert self.process.stdout is not None
        self.process.stdout.read()
        if self.process.wait(WAIT_SECONDS):
            raise SystemExit(f"{self.name} failed")
        self.seconds = time.monotonic() - self.began

    def _watch(self) -> None:
        try:
            top = psutil.Process(self.process.pid)
            while self.process.poll() is None:
                self.most = max(self.most, sum(map(_resident, [top, *top.children(True)])))
                time.sleep(LOOK_SECONDS)
        except psutil.NoSuchProcess:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.5, 2.0])
    sizes = parser.parse_args().gigabytes
    rows = [row for size in sizes for row in measured(size)]
    told = " ".join(f"{size:g}" for size in sizes)
    OUT.write_text(
        "# Memory of a provider and a collector\n\n"
        f"`python -m benchmarks.hyperx_memory --gigabytes {told}`: JPEG files of {SIDE} x {SIDE}, "
        f"shards of {SHARD_SIZE}, `--image-size 64`, a tenth of the shards opened, beside other "
        "work on two cores. Each process is counted with its embedded IPFS node. Seconds of the "
        "first two are of the whole session, in which they also wait for each other.\n\n"
        "| files, GB | shards | process | most memory, MiB | seconds |\n"
        "| --- | --- | --- | --- | --- |\n" + "".join(rows)
    )
    print(OUT.read_text())


def measured(gigabytes: float) -> list[str]:
    """One session about so much data, as rows of the table."""
    with TemporaryDirectory(prefix="souk-memory-") as place, _Chain() as chain, ExitStack() as all_:
        folder = Path(place)
        count, size = write_pictures(folder / "pictures", int(gigabytes * 1e9))
        write_pictures(folder / "validation", 0, VALIDATION)
        shards = count // SHARD_SIZE
        deployments = "--deployments", str(folder / "deployments")
        deploy = Watched.start(all_, "deploy", folder / "deployer", "deploy", "--yes", *deployments)
        deploy.ended()
        common = ("--yes", "--json", "--image-size", "64", *deployments)
        counts = "--shards", str(shards), "--shard-size", str(SHARD_SIZE), "--sample", "10"
        terms = "--hours", str(PHASE_HOURS), "--response-minutes", "60", "--expect", "1"
        collector = Watched.start(
            *(all_, "collector: open, to the deal", folder / "collector", "open"),
            *("--account", "TEST::1", "--dataset", str(folder / "validation"), *common),
            *(*counts, *terms, "--licence", "CC0-1.0"),
        )
        peer = collector.told("datastore")["peer"]
        address = collector.told("session")["address"]
        provider = Watched.start(
            *(all_, "provider: provide", folder / "provider", "provide", address),
            *("--account", "TEST::2", "--dataset", str(folder / "pictures"), *common),
            *("--peer", peer, "--licence", "CC0-1.0"),
        )
        provider.told("sent", call="submitFeatures")
        chain.later(2 * 3600 * PHASE_HOURS)
        if not collector.told("over")["deal"]:
            raise SystemExit("nothing was bought")
        collector.ended()
        provider.ended()
        export = Watched.start(
            *(all_, "collector: export", folder / "collector", "export", address),
            *("--out", str(folder / "bought"), "--json", *deployments),
        )
        export.told("exported", samples=shards * SHARD_SIZE)
        export.ended()
        return [
            f"| {size / 1e9:.2f} | {shards} | {one.name} | {one.most // MEGA:,} | "
            f"{one.seconds:.0f} |\n"
            for one in (provider, collector, export)
        ]


def write_pictures(folder: Path, total: int, least: int = 0) -> tuple[int, int]:
    """Writes files of `total` bytes in all, and `least` in number; their number and bytes."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    count = size = 0
    with ThreadPoolExecutor(2) as pool:
        while size < total or count < least:
            numbers = range(count, count + 16)
            size += sum(pool.map(lambda i: _write_picture(folder, i), numbers))
            count += 16
    return count, size


def _write_picture(folder: Path, number: int) -> int:
    """Noise, red or blue."""
    rng = np.random.default_rng([number, len(folder.name)])
    pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    pixels[:, :, 2 * (number % 2 == 0)] //= 8
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
    path = folder / CLASSES[number % 2 == 1] / f"{number:06d}.jpg"
    return path.write_bytes(file.getvalue())


class _Chain:
    """An Anvil of its own, where Ape finds it; a block each second."""

    def __enter__(self) -> Self:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ("--hardfork", "prague", "--block-time", "1", "--port", str(port))
        self.url = f"http://127.0.0.1:{port}"
        os.environ["APE_FOUNDRY_HOST"] = self.url
        self._anvil = subprocess.Popen(["anvil", *options], stdout=subprocess.DEVNULL)
        time.sleep(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._anvil.terminate()
        self._anvil.wait()

    def later(self, seconds: int) -> None:
        """Lets so much time pass."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": "evm_increaseTime", "params": [seconds]}
        request = urllib.request.Request(
            self.url, json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            assert "error" not in json.loads(answer.read())


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
