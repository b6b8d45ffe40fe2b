"""What the documents show is so: commands, options, targets, links, tables."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tools.touched import ROOMS

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
README = PAGES[0].read_text()
COMMANDS = sorted(p.stem for p in (ROOT / "scripts").glob("*.py") if p.stem != "__init__")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def said(pattern: str) -> list[tuple[str, str]]:
    """All that matches in the pages' code, as (page, text): fenced lines and inline code."""
    found = []
    for page in PAGES:
        text = page.read_text()
        fenced = [
            line
            for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        found += [
            (page.name, code.strip()) for code in (*fenced, *inline) if re.match(pattern, code)
        ]
    return sorted(set(found))


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the words that it takes."""
    command = importlib.import_module(f"scripts.{words[0]}").cli
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name, *rest = rest
        assert name in command.commands, f"{words[0]} has no command {name}"
        command = command.commands[name]
    return command, rest


def require_sound(command: click.Command, words: list[str]) -> None:
    """Options that the command has, with values that it takes; files need not exist."""
    context = click.Context(command)
    values, _, _ = command.make_parser(context).parse_args(list(words))
    for option in command.params:
        value = values.get(option.name)
        checked = isinstance(option.type, (click.Choice, click.IntRange, click.FloatRange))
        # Capital letters stand for what the reader fills in.
        for one in value if isinstance(value, list) else [value]:
            if checked and one and not str(one).isupper():
                option.type.convert(one, option, context)


@pytest.mark.parametrize(("page", "code"), said(r"ape run \w+"), ids=lambda x: str(x)[:60])
def test_every_command_exists_and_takes_the_options_shown(page, code):
    words = shlex.split(code.split(" && ")[0])
    require_sound(*command_of(words[2:]))


@pytest.mark.parametrize(("page", "code"), said(r"make [a-z]"), ids=lambda x: str(x)[:60])
def test_every_target_of_make_exists(page, code):
    for word in shlex.split(code)[1:]:
        assert "=" in word or word in TARGETS, code


@pytest.mark.parametrize(("page", "code"), said(r"python -m benchmarks"), ids=lambda x: str(x)[:60])
def test_every_module_that_is_run_exists(page, code):
    module = shlex.split(code)[2]
    assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_is_dead(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_is_named_exists(page):
    """In inline code, as `contracts/hide/`. What a run writes has other names; contributing.md's
    example is a mechanism that is not there."""
    for code in re.findall(r"`([^`\n]+)`", page.read_text()):
        if re.fullmatch(r"(contracts|offchain|scripts|tests|docs|benchmarks|tools)/[\w./-]*", code):
            example = page.name == "contributing.md" and re.search("[Ll]end|borrow", code)
            assert example or (ROOT / code).exists(), code


def figures(line: str) -> list[str]:
    return re.findall(r"\d[\d,]*\.?\d*", line)


def marked() -> Iterator[tuple[Path, str, Path]]:
    """Tables that stand between `<!-- from FILE -->` and `<!-- /from -->`."""
    for page in PAGES:
        for source, block in re.findall(
            r"<!-- from (\S+) -->\n(.*?)<!-- /from -->", page.read_text(), re.DOTALL
        ):
            yield page, block, ROOT / source


def test_tables_are_those_of_the_benchmarks():
    """Each row's figures stand in one row of the file that the page names, in that order."""
    tables = list(marked())
    assert tables
    for page, block, source in tables:
        rows = [figures(line) for line in source.read_text().splitlines() if line.startswith("|")]
        for line in block.splitlines()[2:]:  # below the headers
            wanted = figures(line.split("|", 2)[2]) if line.count("|") > 2 else []
            if wanted:
                assert any(_within(wanted, row) for row in rows), f"{page.name}: {line}"


def _within(wanted: list[str], row: list[str]) -> bool:
    rest = iter(row)
    return all(one in rest for one in wanted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_table_of_figures_says_where_it_comes_from(page):
    """A table with numbers is copied from a benchmark, or is what a command printed."""
    text = re.sub(r"<!-- from \S+ -->.*?<!-- /from -->", "", page.read_text(), flags=re.DOTALL)
    numbers = [
        line for line in text.splitlines() if re.search(r"\|\s*[\d,]{4,}(\s\w+)?\s*\|", line)
    ]
    assert not numbers, numbers


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_figures_beside_a_link_to_a_benchmark_stand_in_it(page):
    """Gas, that is: figures of five digits and more, in the sentence or row that has the link."""
    for line in page.read_text().splitlines():
        files = re.findall(r"\]\(((?:\.\./)?benchmarks/gas\w*\.md)\)", line)
        if files:
            there = "".join((page.parent / file).read_text() for file in files)
            for figure in re.findall(r"\b\d{2,3},\d{3}\b", line):
                assert figure in there, f"{figure} is not in {files}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_mechanism_has_a_page_and_a_row_in_the_readme(room):
    assert (ROOT / f"docs/{room}.md").is_file()
    assert re.search(rf"^\| \[[^]]+\]\(docs/{room}\.md\) \|", README, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_lists_every_command(command):
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("|")]
    assert any(f"`ape run {command}`" in row for row in rows)


def test_the_stories_of_trade_are_those_that_the_page_lists():
    from scripts._hyperx.stories import STORIES

    text = (ROOT / "docs/hyperx.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(STORIES)
