"""The collector's side of extraction: what it publishes, and what it makes of what comes back.

It publishes the obfuscated extractor, gets linear features, undoes the obfuscation, applies the
activation and the pooling, and has a scorer judge them (sections 3.1.4 and 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from secrets import token_bytes

import torch
from nacl.signing import SigningKey

from offchain.crypto.commitments import Party
from offchain.crypto.sealing import public_key_of
from offchain.crypto.secrets_file import SecretsFile
from offchain.data.form import IMAGES, Form
from offchain.data.imageset import Progress
from offchain.data.originals import Dataset, form_of
from offchain.hyperx.documents import EXTRACTOR, PREPROCESSING
from offchain.hyperx.extractor import publish
from offchain.hyperx.features import (
    DEFAULT_POOL,
    LabelledFeatures,
    extract,
    to_inputs,
)
from offchain.hyperx.heads import Head, Standardisation, default_settings, train_heads
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.hyperx.quality import LabelledInputs, QualityScore, Scorer, screen
from offchain.hyperx.submission import max_sealed_bytes, open_features
from offchain.hyperx.trust import reduced
from offchain.models.backbones import (
    DEFAULT_BACKBONE,
    BackboneError,
    backbone,
    default_preprocessing,
)
from offchain.models.extractor import (
    Extractor,
    pretrained_extractor,
    private_extractor,
    projection_extractor,
    weights_digest,
)
from offchain.models.preprocessing import PlainNumbers, Preprocessing
from offchain.models.weights import read_weights
from offchain.storage import Datastore, cid_from_digest
from offchain.task import Task, TaskError
from offchain.task.forms import check_form, documents_of

GUESSED = 0.001
"""How often whoever only guesses may reach the least accuracy."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What a collector chooses; the defaults suit small images such as digits.

    Attributes:
        backbone, cut: names in `offchain.models.backbones`; the cut defaults to the backbone's.
        size: side of the extractor's input in pixels; defaults to the backbone's.
        weights: a safetensors file of weights that are published nowhere, see
            `private_extractor`; without one they are ImageNet's, of which obfuscation hides
            nothing.
        pool: side of the grid that features are averaged to, in cells.
        seed: of the training of heads.
    """

    backbone: str = DEFAULT_BACKBONE
    cut: str | None = None
    size: int | None = None
    weights: Path | None = None
    pool: int = DEFAULT_POOL
    seed: int = 0

    def extractor(self, form: Form) -> Extractor:
        """Before obfuscation, on the CPU: of records that are no pictures the public projection.

        Raises BackboneError.
        """
        if form.modality != IMAGES:
            if self.weights is not None:
                raise BackboneError(f"extractor: {self.weights} is for images, not {form.modality}")
            return projection_extractor(*form.values)
        if self.weights is None:
            return pretrained_extractor(self.backbone, self.cut, self.size)
        # The name before the file: one that does not exist shows before anything is read.
        backbone(self.backbone)
        weights = read_weights(self.weights)
        return private_extractor(weights, self.backbone, self.cut, self.size)


@dataclass(frozen=True)
class Evaluation:
    """How one collector evaluates features.

    Attributes:
        extractor: before obfuscation; the collector's own.
        preprocessing: what makes a sample the extractor's input.
        obfuscation: the secret per-channel delta and sigma.
        private_key: X25519, 32 bytes.
        signing_key: Ed25519; signs the extractor's description.
        validation: the collector's own labelled samples; their classes are the task's.
        scorer: judges features float32 (N, D).
        pool: side of the grid that features are averaged to, in cells.
        seed: of the training of heads.
        device: where all of it runs.
    """

    extractor: Extractor
    preprocessing: Preprocessing | PlainNumbers
    obfuscation: Obfuscation
    private_key: bytes
    signing_key: SigningKey
    validation: Dataset
    scorer: Scorer
    pool: int
    seed: int
    device: torch.device
    progress: Progress | None = None

    @classmethod
    def prepare(
        cls,
        settings: EvaluationSettings,
        validation: Dataset,
        scorer: Scorer,
        secrets_file: SecretsFile,
        device: torch.device,
        progress: Progress | None = None,
    ) -> Evaluation:
        """An evaluation whose secrets are drawn once and read from `secrets_file` ever after."""
        form = form_of(validation)
        plain = settings.extractor(form)
        channels = plain.output_shape[0]
        name = f"obfuscation of {plain.backbone} at {plain.cut}"
        if settings.weights is not None:
            # One that hid public weights is known to all, and must hide no others.
            name += f" with weights {weights_digest(plain)}"
        obfuscation = secrets_file.remember(name, lambda: Obfuscation.draw(channels).to_bytes())
        extractor = reduced(plain, form).to(device)
        return cls(
            extractor=extractor,
            preprocessing=default_preprocessing(extractor.backbone, extractor.size)
            if form.modality == IMAGES
            else PlainNumbers(*form.values),
            obfuscation=Obfuscation.from_bytes(obfuscation),
            private_key=secrets_file.remember("encryption key", lambda: token_bytes(32)),
            signing_key=SigningKey(secrets_file.remember("signing key", lambda: token_bytes(32))),
            validation=validation,
            scorer=scorer,
            pool=settings.pool,
            seed=settings.seed,
            device=device,
            progress=progress,
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels of the task."""
        return self.validation.classes

    def check_task(self, task: Task) -> None:
        """Raises TaskError where the validation samples are not of the task."""
        own = self.validation
        if task.classes != own.classes:
            raise TaskError(
                f"the task has {len(task.classes)} classes, and they are not the "
                f"{len(own.classes)} of {own.name}"
            )
        check_form(task, self.form)

    @property
    def form(self) -> Form:
        """What the records of the task are."""
        return form_of(self.validation)

    @property
    def least_accuracy(self) -> float:
        """What shows that a head learned anything: guessing reaches it once in a thousand times.

        The best guess is the class of which the validation set has most. So it is 1 / classes
        and a margin: what chance adds on so many images, and what the classes differ in number.
        """
        from scipy.stats import binom  # type: ignore[import-untyped, unused-ignore]

        labels = self.validation.labels
        guessed = float(labels.bincount().max()) / len(labels)
        return min(1.0, float(binom.isf(GUESSED, len(labels), guessed) + 1) / len(labels))

    @cached_property
    def published(self) -> Extractor:
        """The extractor that providers get: the collector's own, obfuscated."""
        return obfuscate(self.extractor, self.obfuscation)

    @property
    def encryption_key(self) -> bytes:
        """The X25519 key to which features are sealed, as terms carry it."""
        return public_key_of(self.private_key)

    def publish(self, store: Datastore) -> dict[str, str]:
        """Stores extractor, and preprocessing or tokenizer; their CIDs, as a task names them.

        Doing it again yields the same.
        """
        documents = {EXTRACTOR: store.put(publish(self.published, self.signing_key, store.put))}
        if isinstance(self.preprocessing, Preprocessing):
            documents[PREPROCESSING] = store.put(self.preprocessing.to_bytes())
        documents |= {name: store.put(data) for name, data in documents_of(self.form).items()}
        return documents

    def open(self, store: Datastore, party: Party, digest: bytes, samples: int) -> LabelledFeatures:
        """A provider's sealed features: linear, obfuscated float32 (samples, C, H, W), and labels.

        Raises what the datastore, the seal or the format raise on anything else.
        """
        shape = self.published.output_shape
        sealed = store.get(cid_from_digest(digest), max_sealed_bytes(samples, shape))
        return open_features(party, self.private_key, sealed, samples, shape)

    def score(
        self, submitted: Mapping[str, LabelledFeatures]
    ) -> tuple[dict[str, QualityScore], dict[str, str]]:
        """Scores by account, and for each account that cannot be scored the reason."""
        count = len(self.classes)
        inputs = {a: (self.inputs(raw), labels) for a, (raw, labels) in submitted.items()}
        validation = self._validation
        faults = screen(list(inputs.values()), tuple(validation[0].shape[1:]), torch.float32, count)
        accounts = list(inputs)
        broken = {accounts[fault.provider]: fault.reason for fault in faults}
        sound = [account for account in accounts if account not in broken]
        if not sound:
            return {}, broken
        scores = self.scorer.score(
            [inputs[account] for account in sound],
            validation,
            count,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )
        return dict(zip(sound, scores, strict=True)), broken

    def agrees(self, seen: LabelledFeatures) -> torch.Tensor:
        """Which labels the collector's own head gives too: bool (N,), on the CPU."""
        scale, head = self._own_head
        inputs = self.inputs(seen.features).to(self.device)
        return head.predict(scale.apply(inputs)).cpu() == seen.labels

    @cached_property
    def _own_head(self) -> tuple[Standardisation, Head]:
        """Trained on the validation set."""
        raw, labels = self._validation
        inputs, settings = raw.to(self.device), default_settings(raw.shape[1])
        scale = Standardisation.of(inputs)
        samples = [(scale.apply(inputs), labels)]
        (head,) = train_heads(samples, len(self.classes), settings, self.seed)
        return scale, head

    @cached_property
    def _validation(self) -> LabelledInputs:
        raw = self.extract(self.validation.inputs, self.progress)
        return self.inputs(raw), self.validation.labels

    def extract(self, samples: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """What the published extractor makes of samples (N, *form.values)."""
        return extract(self.published, self.preprocessing, samples, self.device, progress=progress)

    def inputs(self, raw: torch.Tensor) -> torch.Tensor:
        """What heads see, float32 (N, D), of obfuscated features (N, C, H, W)."""
        secret = self.obfuscation.first(raw.shape[1])
        return to_inputs(raw, secret, self.extractor.activation, self.pool)
