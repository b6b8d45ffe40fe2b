"""Seconds of making masks, ours beside the published loop of unlearnable examples, same work.

    python -m benchmarks.hide_masks [DATASET] [--images N] [--seed S]

DATASET is a name or a directory, the digits unless given. The reference implementation (Huang et
al., 2021) is research code in a public repository and no package that could be installed, so its
loop is written here anew, in our own words: ten batches train the model; then a pass over the data
adds each image's mask by a loop over images, takes one step of PGD on the images with the model
held fixed, and sets a class's mask to the mean over its images; then a pass measures the error, and
all repeats until that error is low. Both run on one thread, with the same network, batch, bound,
step and images, and end when the masked images are classified with less than a tenth of errors. How
far the masks work is then measured alike: accuracy on clean images of a fresh model of another
seed. Ours is run without shifting images, which the reference does not do either.

Prints CPU and wall seconds, accuracies and the ratio.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

import click
import torch
from torch.nn import functional

from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.hide.masks import Masks, MaskSettings, generate, with_room
from offchain.hide.networks import ModelFactory, factory
from offchain.hide.training import (
    Standard,
    TrainingSettings,
    as_pixels,
    batches,
    fresh,
    own_randomness,
    train,
)

BATCH, EPSILON, STOP_ERROR, TRAIN_STEPS = 128, 8, 0.1, 10
STEPS = 20
"""Of ours; the accuracies printed show whether they suffice."""


def published_loop(data: ImageSet, make: ModelFactory, seed: int) -> Masks:
    """Masks by class as the reference finds them, with its loops over images."""
    classes, cpu = len(data.classes), torch.device("cpu")
    images, labels = as_pixels(with_room(data, EPSILON).images), data.labels
    standard = Standard.of(data.images)
    with own_randomness(seed, "published loop", cpu) as random:
        masks = (torch.rand(classes, *data.shape, generator=random) * 2 - 1) * EPSILON
        model = fresh(make, cpu)
        optimiser = torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=5e-4)
        order = batches(len(data), BATCH, 10_000, seed)
        error = 1.0
        while error > STOP_ERROR:
            model.train()
            for _ in range(TRAIN_STEPS):
                chosen = next(order)
                x = torch.stack([images[i] + masks[int(labels[i])] for i in chosen])
                loss = functional.cross_entropy(model(standard(x)), labels[chosen])
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
            model.eval()
            for chosen in torch.split(torch.arange(len(data)), BATCH):
                worn = torch.stack([masks[int(labels[i])] for i in chosen])
                x = (images[chosen] + worn).requires_grad_()
                loss = functional.cross_entropy(model(standard(x)), labels[chosen])
                (gradient,) = torch.autograd.grad(loss, [x])
                moved = (worn - EPSILON / 10 * gradient.sign()).clamp(-EPSILON, EPSILON)
                of_class: dict[int, list[torch.Tensor]] = defaultdict(list)
                for place, i in enumerate(chosen):
                    of_class[int(labels[i].item())].append(moved[place])
                for label, own in of_class.items():
                    masks[label] = torch.stack(own).mean(0).clamp(-EPSILON, EPSILON)
            wrong = 0
            with torch.no_grad():
                for chosen in torch.split(torch.arange(len(data)), BATCH):
                    x = torch.stack([images[i] + masks[int(labels[i])] for i in chosen])
                    wrong += int((model(standard(x)).argmax(1) != labels[chosen]).sum())
            error = wrong / len(data)
    return Masks(masks.round().to(torch.int8), labels, EPSILON)


def ours(data: ImageSet, make: ModelFactory, seed: int) -> Masks:
    """Masks by class as `ape run hide` finds them, without shifting."""
    settings = MaskSettings(EPSILON, moving=False, steps=STEPS, batch=BATCH)
    return generate(data, data.labels, make, settings, seed)


def measured(
    find: Callable[[ImageSet, ModelFactory, int], Masks], data: ImageSet, seed: int
) -> tuple[Masks, float, float]:
    """The masks, CPU seconds and wall seconds."""
    make = factory("small-resnet", len(data.classes), data.shape)
    wall, cpu = time.perf_counter(), time.process_time()
    masks = find(data, make, seed)
    return masks, time.process_time() - cpu, time.perf_counter() - wall


@click.command()
@click.argument("dataset", default="digits")
@click.option("--images", type=int, default=4_000, show_default=True)
@click.option("--epochs", type=int, default=8, show_default=True, help="Of the fresh models.")
@click.option("--seed", type=int, default=0, show_default=True)
def main(dataset: str, images: int, epochs: int, seed: int) -> None:
    """Run both, ours last, and print what each took."""
    torch.set_num_threads(1)
    whole = load_dataset(dataset, limit=images + images // 4)
    test, data = split(whole, [len(whole) // 5, len(whole) - len(whole) // 5], seed)
    make = factory("small-resnet", len(data.classes), data.shape)
    fresh_settings = TrainingSettings(epochs=epochs)
    measured(ours, data, seed)  # The first run pays for what libraries set up.
    seconds = {}
    for name, find in (("published loop", published_loop), ("ours", ours)):
        masks, cpu, wall = measured(find, data, seed)
        masked = masks.added_to(with_room(data, EPSILON))
        reached = train(make, masked, fresh_settings, seed + 1).accuracy(test)
        seconds[name] = cpu
        print(f"{name:<15} {cpu:7.2f} CPU s {wall:7.2f} s, fresh model {reached:.3f}", flush=True)
    clean = train(make, with_room(data, EPSILON), fresh_settings, seed + 1).accuracy(test)
    print(f"no masks: fresh model {clean:.3f}")
    print(f"ratio of CPU seconds: {seconds['published loop'] / seconds['ours']:.1f}")


if __name__ == "__main__":
    main()
