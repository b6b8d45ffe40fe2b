"""The weakened copies keep the attacks honest: one that fails everywhere shows nothing."""

from pathlib import Path

from tests.hyperx.weakened import FACTORY_WEAKENINGS, WEAKENINGS


def test_every_weakened_copy_is_attacked():
    """A copy that no attack uses would be dead weight."""
    source = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in WEAKENINGS | FACTORY_WEAKENINGS if f'"{name}"' not in source] == []
