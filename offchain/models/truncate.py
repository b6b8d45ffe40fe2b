"""A network up to one of its layers, with batch norm folded away, ending in a linear layer.

The paper truncates the backbone after K layers and wants no activation after the last one, so
that its obfuscation can be undone (section 3.1.1, equation 2).
"""

from __future__ import annotations

import copy

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def truncate(network: nn.Module, path: str) -> fx.GraphModule:
    """The part of `network` that computes the output of its module `path`, in inference mode.

    Every batch norm becomes part of the convolution before it, or, where none is, a 1x1
    convolution of each channel by itself: all that is left to store are weights and biases of
    convolutions. Works on the meta device too, where it costs no memory. `network` is put into
    inference mode and is otherwise left as it was.

    Raises ValueError when `network` has no module `path`, or when what it computes is not
    linear in a convolution's output.
    """
    traced = _up_to(network, path)
    _fold_batch_norms(traced)
    traced.delete_all_unused_submodules()
    traced.recompile()
    # Layers without a batch norm are still the network's own.
    traced = copy.deepcopy(traced)
    last = traced.get_submodule(last_layer(traced))
    assert isinstance(last, nn.Conv2d)
    if last.bias is None:
        # An additive obfuscation needs somewhere to go.
        zeros = torch.zeros(last.out_channels, device=last.weight.device)
        last.register_parameter("bias", nn.Parameter(zeros))
    return traced.requires_grad_(False)


def tensors_up_to(network: nn.Module, path: str) -> dict[str, torch.Tensor]:
    """The parameters and buffers of `network` on which the output of its module `path` hangs.

    Raises ValueError when `network` has no module `path`.
    """
    traced = _up_to(network, path)
    traced.delete_all_unused_submodules()
    counts = "num_batches_tracked"  # of training alone
    return {k: v for k, v in traced.state_dict().items() if not k.endswith(counts)}


def last_layer(module: fx.GraphModule) -> str:
    """Name of the convolution that a truncated `module` ends in.

    Average pooling without padding may follow: it leaves what is linear linear and a constant
    constant. Raises ValueError when something else does.
    """
    (output,) = module.graph.find_nodes(op="output")
    node = output.args[0]
    while isinstance(node, fx.Node) and node.op == "call_module":
        layer = module.get_submodule(str(node.target))
        if isinstance(layer, nn.Conv2d):
            return str(node.target)
        if not (isinstance(layer, nn.AvgPool2d) and layer.padding in (0, (0, 0))):
            break
        node = node.args[0]
    raise ValueError(f"the network ends in {node}, which is no convolution")


def _up_to(network: nn.Module, path: str) -> fx.GraphModule:
    traced = fx.symbolic_trace(network.eval())
    _stop_at(traced.graph, path)
    return traced


def _stop_at(graph: fx.Graph, path: str) -> None:
    found = [node for node in graph.nodes if node.op == "call_module" and node.target == path]
    if len(found) != 1:
        raise ValueError(f"the network calls its module {path!r} {len(found)} times, not once")
    # Everything behind the cut goes, whatever it is; dead code before it (side branches) too.
    for node in reversed(list(graph.nodes)):
        if node is found[0]:
            break
        graph.erase_node(node)
    graph.output(found[0])
    graph.eliminate_dead_code()


def _fold_batch_norms(traced: fx.GraphModule) -> None:
    for node in list(traced.graph.nodes):
        if node.op != "call_module":
            continue
        norm = traced.get_submodule(node.target)
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        before = node.args[0]
        conv = traced.get_submodule(before.target) if before.op == "call_module" else None
        if isinstance(conv, nn.Conv2d) and len(before.users) == 1:
            traced.set_submodule(before.target, fuse_conv_bn_eval(conv, norm))
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
        else:
            traced.set_submodule(node.target, _as_convolution(norm))


def _as_convolution(norm: nn.BatchNorm2d) -> nn.Conv2d:
    channels = norm.num_features
    device = norm.weight.device
    conv = nn.Conv2d(channels, channels, 1, groups=channels, bias=False, device=device)
    with torch.no_grad():
        conv.weight.fill_(1)
    return fuse_conv_bn_eval(conv.eval(), norm)
