"""A model is made once however often its publisher is killed, and a foreign one is told apart."""

from __future__ import annotations

from dataclasses import replace

import ape
import click
import pytest
from ape.utils import ZERO_ADDRESS

from offchain.crypto.settlement import NATIVE
from offchain.policy import TermsRefused
from offchain.sum.classifier import ClassifierError
from offchain.sum.preprocessing import DOCUMENT, Preprocessing
from offchain.task.errors import ClassesUnknown, LicenceRefused
from scripts._stage.deployments import deployments_path, note_what_is_there
from scripts._stage.party import PartyTelling
from scripts._sum import browsing, parts, publishing
from scripts._sum import model as on_chain
from scripts._sum.model import ModelOnChain
from scripts._sum.teaching import described
from tests.kit.memory_store import MemoryStore
from tests.sum.model_driver import WAITS
from tests.sum.stories.made_texts import (
    LIE,
    MAPPING,
    TRUE,
    publish_options,
    teach_options,
    write_csv,
)
from tests.sum.stories.rehearsal import Rehearsal


class Killed(BaseException):
    """The process ends, and catches nothing."""


@pytest.fixture
def owner(accounts):
    return accounts[1]


@pytest.fixture
def rehearsal(project, tmp_path, owner) -> Rehearsal:
    made = Rehearsal(tmp_path, owner)
    note_what_is_there(deployments_path(tmp_path / "deployments"))
    return made


def published(folder, owner, most: int) -> tuple[Rehearsal | None, list[str]]:
    """The model, None if the process died first, and what was sent; it dies after `most` steps."""
    sent: list[str] = []

    def counted(real):
        def call(*arguments):
            if len(sent) == most:
                raise Killed
            sent.append(real.__name__)
            return real(*arguments)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("create", "transact"):
            patch.setattr(publishing, name, counted(getattr(publishing, name)))
        try:
            return Rehearsal(folder, owner), sent
        except Killed:
            return None, sent


def test_who_is_killed_at_any_step_goes_on_with_the_same_model(
    project, tmp_path, owner, monkeypatch
) -> None:
    """Nothing is made twice, and the weights are the twin's."""
    monkeypatch.setattr(publishing, "WORDS_A_CALL", 2)
    with ape.chain.isolate():
        undisturbed, whole = published(tmp_path, owner, 99)
    assert whole[:2] == ["create", "create"]
    for most in range(len(whole)):
        with ape.chain.isolate():
            assert published(tmp_path, owner, most) == (None, whole[:most])
            rehearsal, rest = published(tmp_path, owner, 99)
            assert whole[:most] + rest == whole
            assert rehearsal.model.address == undisturbed.model.address
            assert rehearsal.model.words(len(rehearsal.draft.words)) == rehearsal.draft.words
            assert published(tmp_path, owner, 0)[1] == []


def test_what_an_earlier_life_sent_comes_between_a_look_and_a_call(
    project, tmp_path, owner, monkeypatch
) -> None:
    """Each call is there when it is made: it is refused as what is done, and that is no error."""

    def twice(real):
        def call(*arguments):
            real(*arguments)
            return real(*arguments)

        return call

    with ape.chain.isolate():
        undisturbed, _ = published(tmp_path, owner, 99)
    for name in ("create", "transact"):
        monkeypatch.setattr(publishing, name, twice(getattr(publishing, name)))
    rehearsal = Rehearsal(tmp_path, owner)
    assert rehearsal.model.address == undisturbed.model.address
    assert rehearsal.model.words(len(rehearsal.draft.words)) == rehearsal.draft.words


def test_a_task_whose_classifier_is_anothers_costs_nothing(project, tmp_path, owner) -> None:
    """Other terms give another model, which the classifier of the same task would refuse."""
    first, _ = published(tmp_path, owner, 99)
    height = ape.chain.blocks.height
    refused = f"{first.draft.classifier.address} was opened to {first.model.address}"
    with pytest.raises(click.ClickException, match=refused):
        Rehearsal(tmp_path, owner, unit="0.004 ether")
    assert ape.chain.blocks.height == height


def test_gas_is_foretold_from_above(project, tmp_path, owner, monkeypatch) -> None:
    """By no more than a half."""
    spent = {}

    def counting(name):
        real = getattr(publishing, name)

        def call(*arguments):
            receipt = real(*arguments)
            spent[len(spent)] = receipt.gas_used
            return receipt

        monkeypatch.setattr(publishing, name, call)

    for name in ("create", "transact"):
        counting(name)
    rehearsal = Rehearsal(tmp_path, owner)
    foretold = sum(rehearsal.draft.gas.values())
    assert sum(spent.values()) <= foretold <= 1.5 * sum(spent.values())


# ---------------------------------------------------------------- foreign models


def addresses(folder) -> list[str]:
    return [one.address for one in browsing.listed(folder / "deployments")]


def test_a_model_is_listed_once_it_takes_lessons(rehearsal, tmp_path) -> None:
    assert addresses(tmp_path) == [rehearsal.model.address]
    assert browsing.knows(rehearsal.model.address, tmp_path / "deployments")


def test_what_the_factory_did_not_make_is_unknown(rehearsal, project, tmp_path, owner) -> None:
    """Though code and parts are the same."""
    draft = rehearsal.draft
    arguments = draft.classifier.address, draft.incentive.address, NATIVE, owner, draft.digest
    foreign = project.SharedModel.deploy(*arguments, sender=owner)
    assert foreign.address not in addresses(tmp_path)
    assert not browsing.knows(str(foreign.address), tmp_path / "deployments")
    with pytest.raises(click.ClickException, match="is no model of the factory"):
        ModelOnChain.resume(rehearsal.factory, str(foreign.address))
    assert not browsing.knows("nobody", tmp_path / "deployments")


@pytest.fixture
def foreign(rehearsal, project, doubles, owner):
    """Makes a model by the factory whose parts are given, the rehearsal's where none is."""

    def make(classifier=None, incentive=None, sender=owner):
        draft = rehearsal.draft
        receipt = rehearsal.factory.contract.createModel(
            classifier or draft.classifier.address,
            incentive or draft.incentive.address,
            ZERO_ADDRESS,
            draft.digest,
            sender=sender,
        )
        (told,) = rehearsal.factory.contract.SharedModelCreated.from_receipt(receipt)
        return str(told.model), receipt.block_number

    return make


@pytest.mark.parametrize("kind", ["told", "by hand", "of another owner"])
def test_a_foreign_classifier_is_told_apart(
    rehearsal, foreign, project, doubles, tmp_path, owner, accounts, kind
) -> None:
    """One that answers what it is told to; the right code, of whose past nothing is known; and
    the rehearsal's own under another's model."""
    sender = owner
    if kind == "told":
        classifier = owner.deploy(doubles["ToldClassifier"])
    elif kind == "by hand":
        shape = rehearsal.model.shape
        classifier = project.NaiveBayes.deploy(owner, *shape, sender=owner)
    else:
        classifier, sender = None, accounts[4]
    address, block = foreign(classifier=classifier, sender=sender)
    assert addresses(tmp_path) == [rehearsal.model.address]
    with pytest.raises(click.ClickException, match="its classifier is not of this version's code"):
        ModelOnChain(address, block)


@pytest.mark.parametrize("kind", ["told", "by hand"])
def test_a_foreign_incentive_is_told_apart(
    rehearsal, foreign, project, doubles, tmp_path, owner, kind
) -> None:
    """One that pays what it is told to; and the right code, made otherwise."""
    if kind == "told":
        incentive = owner.deploy(doubles["ToldIncentive"])
    else:
        incentive = project.StakeIncentive.deploy(0, 1, 10**15, WAITS, sender=owner)
    address, block = foreign(incentive=incentive)
    assert addresses(tmp_path) == [rehearsal.model.address]
    with pytest.raises(click.ClickException, match="its incentive is not of this version's code"):
        ModelOnChain(address, block)


def test_a_reader_that_compares_nothing_takes_the_foreign_one(
    rehearsal, foreign, project, tmp_path, owner, monkeypatch
) -> None:
    """The twin: whatever that classifier was made by would judge deposits."""
    classifier = project.NaiveBayes.deploy(owner, *rehearsal.model.shape, sender=owner)
    address, block = foreign(classifier=classifier)
    classifier.open(address, sender=owner)
    with pytest.raises(click.ClickException, match="its classifier is not of this version's code"):
        ModelOnChain(address, block)
    monkeypatch.setattr(on_chain, "known_classifier", lambda *_: ("NaiveBayes", classifier))
    assert ModelOnChain(address, block).address == address
    assert address in addresses(tmp_path)


def test_a_model_that_takes_no_lessons_is_not_listed(rehearsal, foreign, project, tmp_path) -> None:
    """Its classifier was opened to another."""
    waits = replace(publishing_waits(rehearsal), quiet=61)
    part = parts.incentive_part(0, 1, 3 * 10**15, waits, rehearsal.draft.classifier.address, None)
    publishing.create(rehearsal.owner, part.code, part.salt)
    address, block = foreign(incentive=part.address)
    with pytest.raises(click.ClickException, match="is not open"):
        ModelOnChain(address, block)
    assert addresses(tmp_path) == [rehearsal.model.address]


def publishing_waits(rehearsal):
    return rehearsal.model.terms.waits


# ---------------------------------------------------------------- what an author refuses


def lessons(rehearsal, folder, rows=TRUE, **more):
    path = write_csv(folder / "own.csv", rows)
    return rehearsal.seat("anna", rehearsal.owner, teach_options(folder, path, **more))


@pytest.mark.parametrize(
    ("more", "error", "reason"),
    [
        ({}, ClassesUnknown, "'bad', 'good'; it has negative, positive"),
        ({"licence": ("MIT",)}, LicenceRefused, "the task's licence is CC-BY-4.0"),
        ({"most_cost": "0.002 ether"}, TermsRefused, "cost: 0.003 ETH at least, at most 0.002"),
        ({"most_deposit": "1 wei"}, TermsRefused, "deposit: 0.003 ETH at least"),
        ({"most_stake": "0.005 ether"}, TermsRefused, "stake: 0.006 ETH at least"),
    ],
)
def test_terms_outside_an_owners_limits_are_refused(
    rehearsal, tmp_path, more, error, reason
) -> None:
    if more:
        more = {"class_name": MAPPING, **more}
    with pytest.raises(error, match=reason):
        lessons(rehearsal, tmp_path, **more)


def test_a_token_is_taken_by_who_says_so_alone(rehearsal, tmp_path) -> None:
    """Whoever publishes a model names any contract as its currency."""
    token = "0x" + "12" * 20
    rehearsal.model.terms = replace(rehearsal.model.terms, token=token)
    for accepted in ((), ("0x" + "21" * 20,)):
        with pytest.raises(TermsRefused, match=f"paid in {token}; --accept-token takes it"):
            lessons(rehearsal, tmp_path, class_name=MAPPING, accept_token=accepted)
    assert lessons(rehearsal, tmp_path, class_name=MAPPING, accept_token=(token.upper(),))


def test_texts_of_which_nothing_is_known_are_refused(rehearsal, tmp_path) -> None:
    with pytest.raises(click.ClickException, match="none of its texts can be taught"):
        lessons(rehearsal, tmp_path, [("zebra", "positive")])


def test_a_task_that_is_not_the_classifiers_is_refused(rehearsal) -> None:
    """Labels and words would mean something else."""
    store = MemoryStore({})
    store.connect = lambda peers: None
    store.put(rehearsal.preprocessing.to_bytes())
    store.put(rehearsal.task.to_bytes())
    task, preprocessing = described(rehearsal.model, store)
    assert (task, preprocessing) == (rehearsal.task, rehearsal.preprocessing)
    other = Preprocessing(rehearsal.preprocessing.vocabulary[1:])
    wrong = replace(rehearsal.task, documents={DOCUMENT: store.put(other.to_bytes())})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts._sum.teaching.fetch_task", lambda *_: wrong)
        with pytest.raises(click.ClickException, match=r"its task has 2 classes of text and \d+"):
            described(rehearsal.model, store)


def test_a_lie_can_be_taught_by_its_own_names(rehearsal, tmp_path) -> None:
    assert len(lessons(rehearsal, tmp_path, LIE).make(rehearsal.model.read()).lessons) == 1


# ---------------------------------------------------------------- what the first model learns


def test_a_part_of_the_texts_is_drawn_the_same_each_time(project, tmp_path) -> None:
    """By their own names, unless others are said."""
    options = publish_options(tmp_path, samples=5, class_name=("positive=good",))
    drawn = publishing.texts_of(options)
    assert len(drawn) == 5
    assert drawn.classes == ("good", "negative")
    assert publishing.texts_of(options) == drawn
    assert publishing.texts_of(replace(options, seed=1)) != drawn
    assert len(publishing.texts_of(replace(options, samples=None))) == 20


def test_without_texts_of_ones_own_it_learns_film_reviews(project, tmp_path) -> None:
    found = publishing.texts_of(publish_options(tmp_path, texts=None, samples=200))
    assert (len(found), found.classes) == (200, ("negative", "positive"))
    assert 60 < sum(found.labels) < 140


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"classifier": "SparsePerceptron"}, "SparsePerceptron has two classes, the texts have 3"),
        ({"most_active": 41}, "41 active features, must be 1 to 3"),
    ],
)
def test_a_classifier_that_does_not_fit_is_refused(project, tmp_path, more, reason) -> None:
    texts = write_csv(tmp_path / "three.csv", [("one", "a"), ("two", "b"), ("three", "c")])
    with pytest.raises((click.ClickException, ClassifierError), match=reason):
        Rehearsal(tmp_path, ape.accounts.test_accounts[1], texts=texts, **more)


def test_three_classes_are_learnt_by_what_counts(project, tmp_path, owner) -> None:
    texts = write_csv(tmp_path / "three.csv", [("one", "a"), ("two", "b"), ("three", "c")])
    made = Rehearsal(tmp_path, owner, texts=texts, classifier=None)
    assert made.model.kind == "NaiveBayes"
    twin, rule = made.model.twin(), made.preprocessing
    said = [twin.predict(rule.sample(rule.features(text))) for text in ("one", "two", "three")]
    assert said == [0, 1, 2]


def test_a_table_is_learnt_and_taught_by_its_columns(project, tmp_path, owner) -> None:
    """Its task says how many columns there are; an author's may be in another order."""
    rows = "age,label,young,member\n20,no,1,0\n25,no,1,0\n40,yes,0,1\n50,yes,0,1\n"
    table, mine = tmp_path / "table.csv", tmp_path / "mine.csv"
    table.write_text(rows)
    mine.write_text("member,age,young,label\n1,60,0,yes\n0,10,1,no\n")
    options = publish_options(tmp_path, texts=None, table=table)
    found = publishing.texts_of(options)
    rule = publishing.prepared(options, found)
    task = publishing.task_for(options, found, rule, (), tmp_path / "models")
    assert (task.modality, task.shape, task.classes) == ("table", (3,), ("no", "yes"))
    twin = publishing.trained(options, found, rule, PartyTelling(as_json=True))
    assert [twin.predict(rule.sample(rule.features(row))) for row in found.texts] == [0, 0, 1, 1]
    teaching = teach_options(tmp_path, None, table=mine)
    assert [rule.features(row) for row in teaching.load().texts] == [(0, 2), (1,)]
    assert teaching.modality == task.modality
    with pytest.raises(click.ClickException, match="give either --texts or --table"):
        replace(teaching, texts=table).load()
