"""`imgconv help`: the pages of the manual."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from imgconv.cli.messages import on_terminal, terminal_width
from imgconv.cli.options import HeadedCommand
from imgconv.cli.parameters import completed_by
from imgconv.vocabulary import suggestion

_FOLDER = Path(__file__).resolve().parent.parent / "manual"
_WIDEST = 100


@click.command("help", cls=HeadedCommand)
@click.argument("topic", required=False, shell_complete=completed_by("complete_topics"))
@click.pass_context
def command(context: click.Context, topic: str | None) -> None:
    """Show a page of the manual, or the help of a command.

    \b
        imgconv help
        imgconv help borders
        imgconv help apply

    Without TOPIC, list the pages. A page is formatted on a terminal, and plain Markdown in a pipe.
    """
    parent = context.parent
    assert parent is not None
    assert isinstance(parent.command, click.Group)
    if topic is None:
        _list_pages(parent)
        return
    if topic not in find_pages() and topic in parent.command.list_commands(parent):
        found = parent.command.get_command(parent, topic)
        assert found is not None
        click.echo(found.get_help(click.Context(found, info_name=topic, parent=parent)))
        return
    click.echo(_formatted(_page(topic, parent)), nl=False)


def find_pages() -> dict[str, Path]:
    """Return the pages of the manual by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.md"))}


def _list_pages(parent: click.Context) -> None:
    formatter = parent.make_formatter()
    with formatter.section("Topics of `imgconv help TOPIC`"):
        formatter.write_dl([(name, _summary(path)) for name, path in find_pages().items()])
    assert isinstance(parent.command, click.Group)
    parent.command.format_commands(parent, formatter)
    click.echo(formatter.getvalue().rstrip("\n"))


def _summary(path: Path) -> str:
    """Return the first sentence of a page, which stands below its title."""
    text = path.read_text(encoding="utf-8").split("\n\n")[1]
    return " ".join(text.split(". ")[0].split()).rstrip(".")


def _page(topic: str, parent: click.Context) -> Path:
    """Return the page of a topic, which may be named by one of its words: `depth` for range-and-depth."""
    pages = find_pages()
    word = topic.lower().replace("_", "-")
    if word in pages:
        return pages[word]
    parts = {name: name.split("-") for name in pages}
    for alike in (str.__eq__, _begins_alike):
        if len(found := [name for name in pages if any(alike(part, word) for part in parts[name])]) == 1:
            return pages[found[0]]
    found = [name for name, page in pages.items() if topic.lower() in page.read_text(encoding="utf-8").lower()]
    if len(found) == 1:
        return pages[found[0]]
    if found:
        raise click.UsageError(f"no page of the manual is called {topic!r}; these contain it: {', '.join(found)}")
    assert isinstance(parent.command, click.Group)
    close = suggestion(word, [*pages, *parent.command.list_commands(parent)])
    raise click.UsageError(f"no page of the manual is called {topic!r}{close}; the pages are {', '.join(pages)}")


def _begins_alike(part: str, word: str) -> bool:
    """Return whether one of two words begins with the other, as `border` and `borders`."""
    return len(word) > 2 and (part.startswith(word) or word.startswith(part))


def _formatted(path: Path) -> str:
    """Return a page for the terminal, or as it is where stdout is none."""
    text = path.read_text(encoding="utf-8")
    if not on_terminal(sys.stdout):
        return text
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    text = re.sub(r"\[([^\]]+)\]\(([\w-]+)\.md(?:#[\w-]*)?\)", r"\1 (`imgconv help \2`)", text)
    buffer = StringIO()
    width = min(terminal_width(), _WIDEST)
    theme = Theme({"markdown.code": "bold cyan", "markdown.h1": "bold", "markdown.h2": "bold underline"})
    console = Console(file=buffer, width=width, force_terminal=True, highlight=False, theme=theme)
    console.print(Markdown(text, code_theme="ansi_light", hyperlinks=False))
    return buffer.getvalue()
