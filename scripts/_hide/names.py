"""Names that options can have, known without what they name, which takes seconds to load."""

NETWORKS = ("small-resnet", "resnet18", "plain")
"""Those of offchain/hide/networks.py."""
