"""Post on one machine: every party reads all letters, in the order in which they were written."""

from __future__ import annotations

import pytest

from offchain.post import MAX_BODY_BYTES, FolderPost, Letter, MemoryPost, PostError

ANNA, BERT = "0x" + "aA" * 20, "0x" + "bB" * 20


@pytest.fixture(params=["memory", "folder"])
def posts(request, tmp_path):
    shared: list[Letter] = []
    if request.param == "memory":
        return MemoryPost(shared, ANNA), MemoryPost(shared, BERT)
    return FolderPost(tmp_path / "letters", ANNA), FolderPost(tmp_path / "letters", BERT)


def test_all_read_all_in_order(posts):
    anna, bert = posts
    assert anna.send(b"one") == Letter(ANNA, 0, b"one")
    assert bert.send(b"two") == Letter(BERT, 0, b"two")
    assert anna.send(b"") == Letter(ANNA, 1, b"")
    expected = [Letter(ANNA, 0, b"one"), Letter(BERT, 0, b"two"), Letter(ANNA, 1, b"")]
    assert anna.letters() == bert.letters() == expected
    anna.close()
    anna.close()


def test_a_letter_that_is_too_long_is_not_sent(posts):
    anna, bert = posts
    anna.send(bytes(MAX_BODY_BYTES))
    with pytest.raises(PostError, match="at most 4096 bytes, not 4097"):
        anna.send(bytes(MAX_BODY_BYTES + 1))
    assert len(bert.letters()) == 1


def test_what_is_in_the_folder_and_no_letter_is_passed_over(tmp_path):
    anna = FolderPost(tmp_path, ANNA)
    anna.send(b"one")
    (tmp_path / "notes.txt").write_bytes(b"mine")
    (tmp_path / "000001-nobody.letter").write_bytes(b"malformed")
    (tmp_path / f"000002-{BERT}.letter").write_bytes(bytes(MAX_BODY_BYTES + 1))
    (tmp_path / f"000003-{BERT}.letter").mkdir()
    anna.send(b"two")
    assert [(one.number, one.body) for one in anna.letters()] == [(0, b"one"), (1, b"two")]


def test_a_folder_outlives_who_wrote_to_it(tmp_path):
    FolderPost(tmp_path, ANNA).send(b"one")
    assert FolderPost(tmp_path, ANNA).send(b"two").number == 1
    assert len(FolderPost(tmp_path, BERT).letters()) == 2
