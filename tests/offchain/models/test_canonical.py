"""Documents of strangers are read in one form, and cannot end the process."""

import subprocess
import sys

import pytest

from offchain.models.canonical import MAX_DEPTH, DocumentError, from_canonical, take, to_canonical


def nested(depth):
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_what_is_written_is_read_again():
    document = {"name": 'brackets [[{{ and a "quote', "sizes": [1, 2.5, None, True], "empty": {}}
    assert from_canonical(to_canonical(document), "document", 1000) == document


def test_nesting_is_bounded_by_brackets_outside_strings():
    assert from_canonical(nested(MAX_DEPTH), "document", 1000)
    with pytest.raises(DocumentError, match="deeper than 16 levels"):
        from_canonical(nested(MAX_DEPTH + 1), "document", 1000)
    brackets = {"a": '\\"' + "[" * 100}
    assert from_canonical(to_canonical(brackets), "document", 1000) == brackets


@pytest.mark.parametrize("opening", ["[", '{"a":', "'" + '"[', "[1,", '"\\'])
def test_a_bomb_of_brackets_is_an_error_even_without_a_limit_on_recursion(opening):
    """Libraries raise the limit; json would then run over the end of the stack."""
    code = (
        "import sys; sys.setrecursionlimit(10**9)\n"
        "from offchain.models.canonical import DocumentError, from_canonical\n"
        "try:\n"
        f"    from_canonical({opening!r}.encode() * 200_000, 'document', 1 << 24)\n"
        "except DocumentError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("document is")


def test_fields_of_a_strangers_document_are_told_in_a_line_however_many_and_long():
    document = {f"{number}{'x' * 100_000}": 1 for number in range(9)}
    with pytest.raises(DocumentError, match="task has the fields") as caught:
        take(document, "task", format=str)
    assert len(str(caught.value)) < 600
