"""What a provider's process needs of memory while it stores its dataset.

`python -m benchmarks.hyperx_memory --gigabytes 0.5` writes benchmarks/hyperx_memory.md. The
pictures are noise, 3 x 64 x 64, and lie in memory as a loaded folder does; they are packed,
encrypted and put into an embedded node as `Provider.dataset` does it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psutil
import torch

from offchain.crypto.shard_cipher import encrypted_batches
from offchain.data.imageset import ImageSet
from offchain.data.shards import PackedShards
from offchain.storage.embedded import EmbeddedDatastore

SHAPE = (3, 64, 64)
SHARD_SIZE = 85
"""About a megabyte."""
LOOK_SECONDS = 0.02
OUT = Path(__file__).with_suffix(".md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=0.5)
    size = parser.parse_args().gigabytes
    count = int(size * 1e9) // (3 * 64 * 64)
    images = torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8)
    data = ImageSet(images, torch.zeros(count, dtype=torch.int64), ("noise",), "noise")
    shards = PackedShards(data, count // SHARD_SIZE, SHARD_SIZE)
    keys = [i.to_bytes(32, "big") for i in range(len(shards))]
    with TemporaryDirectory() as folder, EmbeddedDatastore(Path(folder), timeout=300) as store:
        process = psutil.Process()
        before, most, done = process.memory_info().rss, [0], Event()

        def watch() -> None:
            while not done.wait(LOOK_SECONDS):
                most[0] = max(most[0], process.memory_info().rss)

        looking = Thread(target=watch)
        looking.start()
        begun = time.monotonic()
        stored = sum(len(store.put_many(some)) for some in encrypted_batches(shards, keys))
        seconds = time.monotonic() - begun
        done.set()
        looking.join()
        assert stored == len(shards)
    mega = 1 << 20
    OUT.write_text(
        "# Memory of a provider that stores its dataset\n\n"
        f"`python -m benchmarks.hyperx_memory --gigabytes {size:g}`: {len(shards)} shards of "
        f"{SHARD_SIZE} pictures of 3 x 64 x 64, on one core beside other work.\n\n"
        "| pictures, GB | process with them loaded, MiB | most while storing, MiB | seconds |\n"
        "| --- | --- | --- | --- |\n"
        f"| {size:g} | {before // mega:,} | {most[0] // mega:,} | {seconds:.0f} |\n"
    )
    print(OUT.read_text())


if __name__ == "__main__":
    main()
