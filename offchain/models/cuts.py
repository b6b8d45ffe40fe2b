"""Where each backbone may be cut: a layer that is linear, and the activation that follows it.

The names of the first three tables are the paper's (Tables 2 and 5); its layers are Keras's:

- VGG19, `n_block`: the last convolution of block n. The max pooling that ends the block comes
  after the activation, hence after decoding, and is left to the collector's own pooling.
- Inception-V3, `conv2d_n`: the n-th convolution in the order in which Keras creates them, from 1;
  torchvision creates the same ones in that order, apart from its auxiliary classifier.
- DenseNet-169, `convB_n`: layer n of Keras's list. 52, 140 and 368 are the pooled outputs of the
  transitions. 203 is the concatenation after nine layers of the third dense block, taken
  through the batch norm that reads it, which scales and shifts each channel. 594 is the last
  batch norm with its ReLU.

Section 4.2 says conv2d_30 where Table 2 says conv2d_50; Table 5 gives 50 the better accuracy, and
so does the default here. VGG19's default is its fourth block and not, as in Table 2, its first,
whose features are as fine as the picture.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """A layer of a backbone.

    path: the module of the network whose output is taken.
    activation: what the network applies next: "relu", "relu6" or "none". The collector does,
        after decoding.
    """

    path: str
    activation: str


VGG19 = {
    "1_block": Cut("features.2", "relu"),
    "2_block": Cut("features.7", "relu"),
    "3_block": Cut("features.16", "relu"),
    "4_block": Cut("features.25", "relu"),
    "5_block": Cut("features.34", "relu"),
}

INCEPTION_V3 = {
    "conv2d_12": Cut("Mixed_5b.branch_pool.bn", "relu"),
    "conv2d_30": Cut("Mixed_6a.branch3x3dbl_3.bn", "relu"),
    "conv2d_50": Cut("Mixed_6c.branch_pool.bn", "relu"),
    "conv2d_60": Cut("Mixed_6d.branch_pool.bn", "relu"),
    "conv2d_94": Cut("Mixed_7c.branch_pool.bn", "relu"),
}

DENSENET_169 = {
    "conv2_52": Cut("features.transition1.pool", "none"),
    "conv3_140": Cut("features.transition2.pool", "none"),
    "conv4_203": Cut("features.denseblock3.denselayer10.norm1", "none"),
    "conv4_368": Cut("features.transition3.pool", "none"),
    "conv5_594": Cut("features.norm5", "relu"),
}

EFFICIENTNET_LITE0 = {
    "block5_project": Cut("_blocks.5._bn2", "none"),
    "block8_project": Cut("_blocks.8._bn2", "none"),
    "block9_expand": Cut("_blocks.9._bn0", "relu6"),
    "block10_expand": Cut("_blocks.10._bn0", "relu6"),
    "block12_expand": Cut("_blocks.12._bn0", "relu6"),
}
"""Blocks count from 0. `expand` is the convolution that widens a block, followed by ReLU6;
`project` the one that ends a block, here of blocks that add no skip to it."""
