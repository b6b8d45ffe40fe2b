"""The provider's role: it locks no deposit in vain."""

from dataclasses import replace

import pytest

from offchain.data.imageset import DataError
from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.extractor import ExtractorError
from offchain.hyperx.features import FeatureError
from offchain.models.canonical import DocumentError
from offchain.models.preprocessing import Preprocessing
from offchain.policy import Limit, Policy, TermsRefused
from offchain.storage import DatastoreError, cid_from_digest, digest_of
from offchain.task import ClassNames, Least, TaskError
from offchain.task.errors import ClassesUnknown, LicenceRefused, OfferRefused
from tests.offchain.hyperx.small_market import (
    ANNA,
    COLLECTOR,
    LICENCE,
    SHARD_SIZE,
    SHARDS,
    START,
    anna,
    evaluation,
    honest,
    make_terms,
    of_digit,
    other_task,
    published,
    session,
)


@pytest.fixture
def market(tmp_path):
    return honest(tmp_path)


# ---------------------------------------------------------------------- the deposit is safe


def cids():
    """Where the task and what it names lie."""
    return {"task": cid_from_digest(make_terms().task), **published()[0].documents}


def with_document(market, name, content):
    """A session whose task has other `content` for the document `name`."""
    documents = {**published()[0].documents, name: market.store(COLLECTOR).put(content)}
    return session(task=other_task(market, documents=documents))


@pytest.mark.parametrize("document", ["task", "extractor", "preprocessing"])
def test_it_does_not_register_when_a_document_is_missing(market, document):
    del market.network[cids()[document]]
    with pytest.raises(DatastoreError, match="is not there"):
        market.act(ANNA)
    assert market.chain.events == []


def test_it_does_not_register_when_the_weights_are_missing(market):
    weights = max(market.network, key=lambda cid: len(market.network[cid]))
    del market.network[weights]
    with pytest.raises(DatastoreError, match="is not there"):
        market.act(ANNA)
    assert market.chain.events == []


@pytest.mark.parametrize("document", ["extractor", "preprocessing"])
def test_it_does_not_register_when_a_document_is_not_what_it_says(market, document):
    """Something else lies under the hash that the terms name: each reader refuses it."""
    role = anna(market, with_document(market, document, b'{"format":"souk"}'))
    with pytest.raises((ExtractorError, DocumentError)) as caught:
        role.next_action(START)
    assert "\n" not in str(caught.value)


def test_it_does_not_register_when_an_extractors_signature_is_not_its_signers(market):
    document = market.network[cids()["extractor"]]
    forged = document.replace(b'"activation":"none"', b'"activation":"relu"')
    assert forged != document
    with pytest.raises(ExtractorError, match="signature"):
        anna(market, with_document(market, "extractor", forged)).next_action(START)


def test_it_does_not_register_when_preprocessing_and_extractor_do_not_fit(market):
    """Each is in order by itself; together they would strand it after registration."""
    other = with_document(market, "preprocessing", Preprocessing(64).to_bytes())
    with pytest.raises(FeatureError, match=r"\(3, 64, 64\), the extractor takes \(3, 32, 32\)"):
        anna(market, other).next_action(START)


def test_it_does_not_register_when_what_lies_under_the_tasks_digest_is_no_task(market):
    digest = digest_of(market.store(COLLECTOR).put(b'{"format":"souk"}'))
    with pytest.raises(TaskError, match="task has the fields"):
        anna(market, session(task=digest)).next_action(START)


@pytest.mark.parametrize("name", ["extractor", "preprocessing"])
def test_it_does_not_register_for_a_task_without_a_document(market, name):
    kept = {n: cid for n, cid in published()[0].documents.items() if n != name}
    role = anna(market, session(task=other_task(market, documents=kept)))
    with pytest.raises(TaskError, match=f"there is no document '{name}'"):
        role.next_action(START)


TOKEN = "0x" + "Ee" * 20


def test_it_sells_for_no_token_that_its_owner_does_not_take(market):
    """A collector's own token is worth what the collector says."""
    terms = session(token=TOKEN)
    with pytest.raises(TermsRefused, match=f"pay in token {TOKEN}, accepted: the native coin$"):
        anna(market, terms).next_action(START)
    with pytest.raises(TermsRefused, match=f"pay in the native coin, accepted: {TOKEN}$"):
        anna(market, session(), tokens=(TOKEN,)).next_action(START)
    assert market.store(ANNA).pinned == {}
    # The twin: an owner that takes it.
    action = anna(market, terms, tokens=(TOKEN.lower(),)).next_action(START)
    assert isinstance(action, do.Register)


# ------------------------------------------------------------------- what the task asks for

FOUR = SHARDS * SHARD_SIZE
"""All of Anna's samples, which are fours."""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shape": (3, 0, 0)}, r"shape: 1x28x28, 3x\?x\? is asked for"),
        ({"modality": "text", "shape": ()}, "modality: images, text are asked for"),
        ({"least": Least(samples=FOUR + 1)}, "samples: 36, at least 37 are asked for"),
        ({"least": Least(per_class=FOUR + 1)}, "samples of a class: 4 36, at least 37 are"),
        ({"least": Least(distinct=FOUR + 1)}, "distinct samples: 36, at least 37 are asked for"),
    ],
)
def test_it_does_not_register_without_what_the_task_asks_for(market, changes, reason):
    """Nothing is stored either; the twin that asks for as much as there is is accepted."""
    role = anna(market, session(task=other_task(market, **changes)))
    stored = set(market.network)
    with pytest.raises(OfferRefused, match=f"^not what the task asks for: {reason}"):
        role.next_action(START)
    assert set(market.network) == stored


@pytest.mark.parametrize(
    "changes",
    [{"shape": (0, 28, 0)}, {"least": Least(per_class=FOUR, samples=FOUR, distinct=FOUR)}],
)
def test_it_registers_with_exactly_what_the_task_asks_for(market, changes):
    role = anna(market, session(task=other_task(market, **changes)))
    assert isinstance(role.next_action(START), do.Register)


def test_it_does_not_register_copies_for_distinct_samples(market):
    copies = of_digit(4).subset([0] * FOUR)
    role = anna(market, session(task=other_task(market, least=Least(distinct=2))), copies)
    with pytest.raises(OfferRefused, match="distinct samples: 1, at least 2 are"):
        role.next_action(START)


def test_it_does_not_register_under_another_licence_than_its_owners(market):
    with pytest.raises(LicenceRefused, match=r"asks for 'CC-BY-4\.0', given is CC0-1.0, MIT"):
        anna(market, session(), licences=("CC0-1.0", "MIT")).next_action(START)
    role = anna(market, session(), licences=("MIT", LICENCE))
    assert isinstance(role.next_action(START), do.Register)


def spelled(name):
    """Anna's fours, which she calls by another name."""
    fours = of_digit(4)
    return replace(fours, labels=fours.labels * 0, classes=(name,))


def test_classes_that_the_task_does_not_have_are_refused_by_name(market):
    with pytest.raises(ClassesUnknown, match="does not have: '4 - four'; it has 0, 1, 2"):
        anna(market, session(), spelled("4 - four")).next_action(START)
    assert market.chain.events == []


def test_what_its_owner_calls_otherwise_is_sold_under_the_tasks_name(market):
    """One class out of ten, under another name: the shards have the task's labels."""
    role = anna(market, session(), spelled("4 - four"), names=ClassNames({"4 - four": "4"}))
    assert isinstance(role.next_action(START), do.Register)
    assert role.data.labels.tolist() == [4] * FOUR
    assert role.data.classes == evaluation().classes
    assert list(role.shards) == list(anna(market, session()).shards)


def test_it_does_not_register_when_nothing_can_be_sealed_to_the_collector(market):
    with pytest.raises(TermsRefused, match=r"^terms refused: nothing can be sealed to the key 00"):
        anna(market, session(encryption_key=bytes(32))).next_action(START)


@pytest.mark.parametrize("size", [1, SHARDS * SHARD_SIZE - 1])
def test_data_too_small_for_the_terms_is_refused_in_one_line(market, size):
    with pytest.raises(DataError, match=f"ask for 36 samples, digit 4 has {size}$"):
        anna(market, session(), of_digit(4, size))


def test_it_does_not_register_after_registration_has_ended(market):
    market.chain.now = market.chain.terms.registration_end
    assert market.act(ANNA) is None


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"response time": Limit(least=101)}, "response time: 100, at least 101"),
        ({"time locked": Limit(most=2999)}, "time locked: 3000, at most 2999"),
        ({"penalty": Limit(most=29)}, "penalty: 30, at most 29"),
        ({"burn": Limit(most=499)}, "burn: 500, at most 499"),
        ({"reward": Limit(least=1001)}, "reward: 1000, at least 1001"),
        ({"compensation": Limit(least=251)}, "compensation: 250, at least 251"),
        ({"deposit": Limit(most=599)}, "deposit: 600, at most 599"),
        ({"sampled share": Limit(most=0.2)}, "sampled share: 0.25, at most 0.2"),
    ],
)
def test_it_registers_under_no_terms_outside_its_owners_limits(market, limit, reason):
    """The reason is named, nothing is stored; once it takes part it does what the terms ask."""
    stored = set(market.network)
    role = anna(market, session(), policy=Policy(limit))
    with pytest.raises(TermsRefused, match=f"^terms refused: {reason} is accepted$"):
        role.next_action(START)
    assert set(market.network) == stored
    joined = session()
    joined.apply(ev.Registered(ANNA, bytes(32), bytes(32), bytes(32)))
    assert anna(market, joined, policy=Policy(limit)).next_action(START) is None
    role.policy = Policy()
    assert isinstance(role.next_action(START), do.Register)
