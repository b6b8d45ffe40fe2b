"""Letters between parties that share a chain and a datastore and nothing else."""

from offchain.post.envelope import Envelope
from offchain.post.letter import (
    MAX_BODY_BYTES,
    Letter,
    Post,
    PostError,
    PostFull,
    Topic,
)
from offchain.post.local import FolderPost, MemoryPost
from offchain.post.node_post import NodePost

__all__ = [
    "MAX_BODY_BYTES",
    "Envelope",
    "FolderPost",
    "Letter",
    "MemoryPost",
    "NodePost",
    "Post",
    "PostError",
    "PostFull",
    "Topic",
]
