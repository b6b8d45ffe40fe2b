"""Where Kubo's library is not made for the machine, the user is told what to give instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain import storage
from offchain.storage import DatastoreUnavailable, open_datastore


def test_without_the_library_an_endpoint_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(storage, "find_spec", lambda _: None)
    monkeypatch.setattr(storage.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(storage.platform, "machine", lambda: "arm64")
    with pytest.raises(DatastoreUnavailable) as refusal:
        open_datastore(None, tmp_path / "ipfs")
    assert "Darwin arm64" in str(refusal.value)
    assert "--ipfs" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "ipfs").exists()
