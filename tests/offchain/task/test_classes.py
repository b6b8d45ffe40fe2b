"""Labels are told by name: whatever the order, and nothing is taken for another name unasked."""

from __future__ import annotations

import difflib
import unicodedata

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from offchain.data.imageset import DataError, ImageSet
from offchain.task import ClassNames, TaskError, canonical_classes
from offchain.task.errors import ClassesUnknown
from offchain.task.images import distinct_samples, offer_of, relabelled

NFD_CAFE = unicodedata.normalize("NFD", "café")
NAMES = st.lists(
    st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6).map(
        lambda text: unicodedata.normalize("NFC", text)
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


def pictures(classes, labels):
    images = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    return ImageSet(images.contiguous(), torch.tensor(labels), tuple(classes), "pictures")


@given(NAMES, st.randoms())
def test_the_order_of_classes_means_nothing(names, random):
    """Every sample keeps the name of its class, whatever order either side has."""
    shuffled = list(names)
    random.shuffle(shuffled)
    task = canonical_classes(names)
    assert task == canonical_classes(shuffled)
    labels = ClassNames().labels(shuffled, task)
    assert [task[label] for label in labels] == shuffled


@given(NAMES, st.data())
def test_a_provider_may_lack_classes(names, data):
    some = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    task = canonical_classes(names)
    assert [task[label] for label in ClassNames().labels(some, task)] == some


@given(NAMES, NAMES)
def test_every_class_that_the_task_lacks_is_refused_and_no_other(own, names):
    lacking = tuple(name for name in own if name not in names)
    if not lacking:
        return
    with pytest.raises(ClassesUnknown) as caught:
        ClassNames().labels(own, canonical_classes(names))
    assert caught.value.names == lacking


def test_a_decomposed_name_is_its_composed_one():
    assert NFD_CAFE != "café"
    assert canonical_classes([NFD_CAFE]) == ("café",)
    assert ClassNames().labels(["tea", NFD_CAFE], ("café", "tea")) == (1, 0)


@pytest.mark.parametrize(
    ("own", "meant"),
    [
        ("Cat", "cat"),
        ("cafe", "café"),
        ("CAFÉ", "café"),
        ("sea-lion", "sea lion"),
        ("elefant", "elephant"),
        ("ﬁsh", "fish"),
    ],
)
def test_a_misspelt_name_is_refused_with_what_was_perhaps_meant(own, meant):
    task = canonical_classes(["cat", "café", "sea lion", "elephant", "fish", "12"])
    with pytest.raises(ClassesUnknown, match=rf"does not have: '{own}' \(perhaps '{meant}'\);"):
        ClassNames().labels([own], task)


def test_of_a_name_like_no_other_nothing_is_guessed():
    with pytest.raises(ClassesUnknown, match=r"does not have: 'xyz'; it has"):
        ClassNames().labels(["xyz"], ("cat", "dog"))


def test_many_unknown_names_are_one_short_line():
    with pytest.raises(ClassesUnknown, match="and 95 more; it has") as caught:
        ClassNames().labels(
            [f"own {i:03}\x1b" for i in range(100)], canonical_classes([str(i) for i in range(99)])
        )
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    assert len(caught.value.names) == 100


def test_an_owner_says_what_the_task_calls_its_classes():
    names = ClassNames.parse(["0 - zero=0", "a=b=1", "drafts="])
    assert names.labels(["0 - zero", "a=b", "drafts", "2"], ("0", "1", "2")) == (0, 1, -1, 2)


def test_two_own_classes_may_be_one_of_the_tasks_if_that_is_said():
    assert ClassNames.parse(["kitten=cat"]).labels(["cat", "kitten"], ("cat",)) == (0, 0)


@pytest.mark.parametrize("said", ["zero", "=0", "", "\x1b"])
def test_what_names_no_class_is_refused(said):
    with pytest.raises(TaskError, match="is not OWN=TASK") as caught:
        ClassNames.parse([said])
    assert str(caught.value).isprintable()


def test_a_name_said_twice_is_refused():
    with pytest.raises(TaskError, match="'a' is given twice"):
        ClassNames.parse(["a=1", "a=2"])


def test_a_name_that_the_data_does_not_have_is_refused():
    with pytest.raises(TaskError, match=r"no class 'Zero' in this data \(perhaps 'zero'\)"):
        ClassNames.parse(["Zero=0"]).labels(["zero"], ("0", "zero"))


def test_a_name_that_was_said_must_be_one_of_the_tasks():
    with pytest.raises(ClassesUnknown, match=r"does not have: 'Null' \(perhaps 'null'\)"):
        ClassNames.parse(["zero=Null"]).labels(["zero"], ("null",))


@pytest.mark.parametrize("make", [canonical_classes, lambda own: ClassNames().labels(own, own)])
def test_two_names_that_are_one_once_composed_are_refused(make):
    with pytest.raises(TaskError, match="'café' stands there twice"):
        make(("café", NFD_CAFE))


# -------------------------------------------------------------------------------- image sets


def test_a_set_gets_the_tasks_labels_and_keeps_its_samples():
    own = pictures(["dog", "cat"], [0, 1, 1, 0])
    ours = relabelled(own, ("bird", "cat", "dog"))
    assert ours.classes == ("bird", "cat", "dog")
    assert ours.labels.tolist() == [2, 1, 1, 2]
    assert torch.equal(ours.images, own.images)
    assert relabelled(ours, ours.classes) is ours


def test_whoever_writes_the_task_gets_its_own_classes_in_their_one_form():
    ours = relabelled(
        pictures(["tea", NFD_CAFE, "drafts", "mug"], [0, 1, 2, 3, 0]),
        names=ClassNames.parse(["drafts=", "mug=cup"]),
    )
    assert ours.classes == ("café", "cup", "tea")
    assert ours.labels.tolist() == [2, 0, 1, 2]
    assert ours.images[:, 0, 0, 0].tolist() == [0, 1, 3, 4]


def test_a_set_of_which_nothing_is_left_is_refused():
    with pytest.raises(DataError, match="leave no sample"):
        relabelled(pictures(["a", "b"], [0, 0]), ("b",), ClassNames.parse(["a="]))


def test_an_offer_counts_samples_by_class_and_copies_once():
    own = pictures(["cat", "dog", "emu"], [0, 2, 2, 0, 0])
    twice = own.subset([0, 1, 2, 3, 4, 0, 2])
    offer = offer_of(twice)
    assert (offer.shape, list(offer.counts), offer.distinct) == ((1, 2, 2), [4, 0, 3], 5)
    assert distinct_samples(own.images) == 5


@pytest.mark.parametrize(("count", "hint"), [(500, True), (20_000, False)])
def test_a_hint_is_looked_for_among_few_names_alone(count, hint, monkeypatch):
    """Names and their number are a stranger's: of a large task a hint would take minutes."""
    task = canonical_classes([f"class number {number:06}" for number in range(count)])
    looked = []
    found = difflib.get_close_matches

    def close(name, names, **more):
        looked.append(len(names))
        return found(name, names, **more)

    monkeypatch.setattr(difflib, "get_close_matches", close)
    with pytest.raises(ClassesUnknown) as caught:
        ClassNames().labels(["clas numer 000007"], task)
    assert ("perhaps" in str(caught.value)) == hint
    assert looked == [count if hint else 0]
