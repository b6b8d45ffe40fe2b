"""`ape run publish`: a shared model from labelled texts, put on a chain and opened.

Each step looks first whether it was done: all addresses follow from what is made. The same command
goes on where it was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from ape.api import AccountAPI

from offchain.crypto.settlement import NATIVE
from offchain.data.seeds import generator
from offchain.files import write_whole
from offchain.report.text import amount
from offchain.storage import cid_from_digest, cid_of, digest_of
from offchain.storage.places import told as told_places
from offchain.sum import columns
from offchain.sum.classifier import MAX_TOUCHED
from offchain.sum.classifiers import CLASSIFIERS, Classifier
from offchain.sum.columns import Columns, read_table
from offchain.sum.described import Prepared
from offchain.sum.perceptron import WEIGHTS_PER_WORD
from offchain.sum.preprocessing import DOCUMENT, Preprocessing
from offchain.sum.texts import MODALITY, LabelledTexts, read_texts, samples
from offchain.task import Task, publish_task
from scripts._stage.chain import (
    ActionRefused,
    chain_home,
    native,
    outlast_reorganisations,
    transact,
)
from scripts._stage.created import create, created_at, creation, lives
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.money import currency, parse_amount, parse_token
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_options import name_of
from scripts._stage.party_sheets import gas_sheet, said_sheet, task_sheet
from scripts._stage.pulse import PULSE
from scripts._stage.retention import own_datastore
from scripts._sum.model import words_of
from scripts._sum.parts import (
    FACTORY,
    PERCEPTRON,
    Part,
    classifier_part,
    contract_at,
    incentive_part,
)
from scripts._sum.party_options import PublishOptions
from scripts._sum.terms_sheets import waits_rows

WORDS_A_CALL = 256
"""That one call initialises: below 6,000,000 gas."""
_CREATE_GAS, _BYTE_GAS, _WORD_GAS, _CALL_GAS = 60_000, 240, 22_800, 60_000
"""From above: of a creation and each byte of its code, of a word that is set, of another call."""


@dataclass(frozen=True)
class Draft:
    """A model before it is on the chain.

    digest: of the task. features: how many there are. words: of storage, of the classifier as it
    opens. token: the currency.
    """

    owner: str
    digest: bytes
    features: int
    classifier: Part
    incentive: Part
    token: str
    words: list[int]
    factory: str

    @property
    def model(self) -> str:
        """Where the model is, or will be."""
        parts = self.classifier.address, self.incentive.address
        code = creation("SharedModel", *parts, self.token, self.owner, self.digest)
        return created_at(code, maker=self.factory)

    @property
    def gas(self) -> dict[str, int]:
        """Of each step, from above, by its name; steps that are done cost nothing."""
        made = {
            self.classifier.name: _CREATE_GAS + _BYTE_GAS * len(self.classifier.code),
            self.incentive.name: _CREATE_GAS + _BYTE_GAS * len(self.incentive.code),
        }
        filled = sum(word != 0 for word in self.words)
        calls = -(-len(self.words) // WORDS_A_CALL)
        model = len(creation("SharedModel", *[NATIVE] * 4, bytes(32)))
        return made | {
            "initialise": calls * _CALL_GAS + _WORD_GAS * filled,
            "createModel": _CREATE_GAS + _BYTE_GAS * model,
            "open": _CALL_GAS,
        }


def run_publish(options: PublishOptions) -> None:
    """Publishes a model, or goes on with it, and serves its documents until it is told to stop."""
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    factory = deployed(FACTORY, options.deployments)
    with telling.doing("reading the texts"):
        texts = texts_of(options)
    preprocessing = prepared(options, texts)
    with telling.doing("training the first model"):
        twin = trained(options, texts, preprocessing, telling)
    home = chain_home()
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        task = task_for(options, texts, preprocessing, store.addresses, home / "models")
        draft = drafted(options, str(account.address), task, twin, factory)
        asked = options.dry_run or not lives(draft.model)
        if asked and not _agreed(options, task, draft, telling):
            return
        store.put(preprocessing.to_bytes())
        publish_task(store, task)
        put_on_chain(draft, account, factory, telling)
        telling.event("model", address=draft.model, task=cid_from_digest(draft.digest))
        if not options.leave and options.ipfs is None:
            telling.show("others fetch task and vocabulary from here: stop it by Ctrl-C")
            _serve()


def trained(
    options: PublishOptions,
    texts: LabelledTexts,
    preprocessing: Prepared,
    telling: PartyTelling,
) -> Classifier:
    """The first model: it learnt the texts in an order that the seed decides."""
    twin = _empty(options, len(preprocessing.vocabulary), len(texts.classes))
    known = samples(texts, preprocessing, twin.max_active, telling.left_out)
    if not known:
        raise click.ClickException(f"{texts.name}: none of its texts can be learnt")
    order = generator(options.seed, "lessons").permutation(len(known))
    chosen = [known[i] for i in order]
    bits = np.stack([preprocessing.sample(one.features) for one in chosen])
    for _ in range(options.epochs):
        twin.learn_many(bits, [one.label for one in chosen], telling.progress)
    return twin


def drafted(
    options: PublishOptions, owner: str, task: Task, twin: Classifier, factory: Deployed
) -> Draft:
    """All that is to be made, from the options. Raises ClickException."""
    digest = digest_of(cid_of(task.to_bytes()))
    shape = twin.feature_count, twin.max_active, twin.class_count
    classifier = classifier_part(type(twin).__name__, owner, digest, *shape)
    incentive = incentive_part(
        options.cost_weight,
        options.submission_cost,
        parse_amount("unit", options.unit),
        options.waits,
        classifier.address,
        options.accuracy,
    )
    token = parse_token(options.token)
    address = str(factory.contract.address)
    return Draft(
        owner,
        digest,
        twin.feature_count,
        classifier,
        incentive,
        token,
        twin.words(),
        address,
    )


def put_on_chain(
    draft: Draft, account: AccountAPI, factory: Deployed, telling: PartyTelling
) -> None:
    """Makes what is not there yet, in order.

    Raises ClickException, before anything is made, where the classifier takes another model's
    lessons; ActionRefused with a contract's reason.
    """
    trainer = _trainer(draft)
    if trainer not in (NATIVE, draft.model):
        raise click.ClickException(
            f"{draft.classifier.address} was opened to {trainer}: another task gives another "
            "classifier"
        )
    for part in (draft.classifier, draft.incentive):
        if not lives(part.address):
            create(account, part.code, part.salt)
            telling.event("made", what=part.name, address=part.address)
    if trainer == NATIVE:
        _initialise(draft, account, telling)
    if not lives(draft.model):
        parts = draft.classifier.address, draft.incentive.address, draft.token, draft.digest
        _once(
            lambda: transact(factory.contract.createModel, parts, account),
            lambda: lives(draft.model),
        )
    if trainer == NATIVE:
        classifier = contract_at(draft.classifier.name, draft.classifier.address)
        _once(
            lambda: transact(classifier.open, (draft.model,), account),
            lambda: _trainer(draft) == draft.model,
        )


def _once(call: Callable[[], object], done: Callable[[], bool]) -> None:
    """A call whose like a killed process may have sent, which comes meanwhile: it is refused then,
    and done. Raises ActionRefused."""
    try:
        call()
    except ActionRefused:
        if not done():
            raise


def _trainer(draft: Draft) -> str:
    """The model whose lessons the classifier takes; NATIVE for none yet."""
    if not lives(draft.classifier.address):
        return NATIVE
    classifier = contract_at(draft.classifier.name, draft.classifier.address)
    return str(native(classifier.trainer(skip_trace=True)))


def _initialise(draft: Draft, account: AccountAPI, telling: PartyTelling) -> None:
    """Sets the words that are not as they should be."""
    classifier = contract_at(draft.classifier.name, draft.classifier.address)
    there = words_of(classifier, 0, len(draft.words))
    with telling.doing("setting the weights") as progress:
        for first in range(0, len(draft.words), WORDS_A_CALL):
            part = draft.words[first : first + WORDS_A_CALL]
            if there[first : first + WORDS_A_CALL] != part:
                transact(classifier.initialise, (first, part), account)
            progress(min(first + WORDS_A_CALL, len(draft.words)), len(draft.words))


def prepared(options: PublishOptions, texts: LabelledTexts) -> Prepared:
    """How its samples are made."""
    if options.table is not None:
        return Columns.of(texts.texts)
    return Preprocessing.of(texts.texts, options.words)


def texts_of(options: PublishOptions) -> LabelledTexts:
    """What the first model learns. Raises TextsError, TaskError, ClickException."""
    if options.texts is not None and options.table is not None:
        raise click.ClickException("give either --texts or --table")
    if options.table is not None:
        texts = read_table(options.table)
    elif options.texts is not None:
        texts = read_texts(options.texts)
    else:
        from offchain.sum.reviews import review_texts

        texts = review_texts()
    texts = texts.relabelled(names=options.names)
    if options.samples is None or options.samples >= len(texts):
        return texts
    chosen = generator(options.seed, "texts").permutation(len(texts))[: options.samples]
    return LabelledTexts(
        tuple(texts.texts[i] for i in chosen),
        tuple(texts.labels[i] for i in chosen),
        texts.classes,
        texts.name,
    )


def _empty(options: PublishOptions, features: int, classes: int) -> Classifier:
    """A classifier without knowledge. Raises ClickException, ClassifierError."""
    name = options.classifier or (PERCEPTRON if classes == 2 else "NaiveBayes")
    if name == PERCEPTRON and classes != 2:
        raise click.ClickException(f"classifier: {name} has two classes, the texts have {classes}")
    most = options.most_active
    if most is None:
        # More active features could touch more words than a call may.
        per_word = WEIGHTS_PER_WORD if name == PERCEPTRON else 2
        most = features if -(-features // per_word) <= MAX_TOUCHED else MAX_TOUCHED
    made = CLASSIFIERS[name]
    return made(features, most) if name == PERCEPTRON else made(features, most, classes)


def task_for(
    options: PublishOptions,
    texts: LabelledTexts,
    preprocessing: Prepared,
    addresses: Sequence[str],
    folder: Path,
) -> Task:
    """The task of these options: the one that a killed process wrote, or a new one.

    addresses: of the own node. The task is kept, since all that is made hangs on it, and the own
    node's address may change meanwhile.
    """
    cid = cid_of(preprocessing.to_bytes())
    name = name_of(options, "dry_run", "leave", "gas_price", words=cid)
    path = folder / f"{name}.task"
    if path.exists():
        return Task.from_bytes(path.read_bytes())
    table = isinstance(preprocessing, Columns)
    task = Task(
        columns.MODALITY if table else MODALITY,
        texts.classes,
        (len(preprocessing.vocabulary),) if table else (),
        options.licence,
        documents={DOCUMENT: cid},
        contact=(*options.contact, *told_places(addresses)),
        content=options.content,
    )
    if not options.dry_run:
        write_whole(path, task.to_bytes())
    return task


def _agreed(options: PublishOptions, task: Task, draft: Draft, telling: PartyTelling) -> bool:
    """Shows what it will be and cost; whether it is to be made."""
    price = gas_price(options.gas_price)
    coin, decimals = currency(draft.token)
    unit = parse_amount("unit", options.unit)
    rows = {
        "owner": draft.owner,
        "classifier": f"{draft.classifier.name}, {draft.features:,} features "
        f"in {len(draft.words):,} words of storage",
        "incentive": draft.incentive.name,
        "deposit": f"{amount(max(1, options.cost_weight) * unit, decimals)} {coin} an hour after a "
        f"lesson, {amount(max(1, 60 * options.cost_weight) * unit, decimals)} at most",
        "cost": f"{amount(options.submission_cost * unit, decimals)} {coin} of each contribution"
        + ("" if options.accuracy is None else " on average, by the information in its label"),
        **waits_rows(options.waits),
    }
    telling.sheets(
        (
            task_sheet(task),
            said_sheet("The model", rows),
            gas_sheet(draft.gas, price, "all", "What is on the chain already costs nothing."),
        )
    )
    if options.dry_run:
        telling.event("dry_run", address=draft.model, gas=sum(draft.gas.values()))
        return False
    if not options.yes:
        click.confirm(f"Make this model, at {draft.model}?", abort=True)
    return True


def _serve() -> None:
    """Keeps the own node up, and the model on the chain, until somebody ends this. Raises
    Stopped."""
    outlast_reorganisations()
    while True:
        PULSE.rest(3_600)
