"""A party as a process: `python -m tests.offchain.post.party FOLDER NAME COUNT [PEER]`.

Its node is an embedded one in FOLDER. It sends COUNT letters, if it has not yet, tells its node's
address and then each letter that it reads, in lines of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from offchain.post import NodePost
from offchain.storage import Network, open_datastore
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.post.parties import TOPIC


def main(folder: Path, name: str, count: int, *peers: str) -> None:
    with open_datastore(None, folder / "ipfs", Network(peers=peers)) as store:
        post = NodePost(store, TOPIC, KeyWallet(name), recover, folder / "post.sqlite")
        own = sum(one.sender == post.address for one in post.letters())
        for i in range(own, count):
            post.send(f"{name} {i}".encode())
        print(json.dumps({"peer": store.addresses[0]}), flush=True)
        told = 0
        while True:
            for letter in post.letters()[told:]:
                print(json.dumps({"number": letter.number, "body": letter.body.decode()}))
                told += 1
            sys.stdout.flush()
            time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
