"""What the documents promise of themselves: links that lead somewhere, and a line for every library."""

import re
from pathlib import Path

import pytest

from tests.live import PROJECT

DOCS = PROJECT / "docs"
DOCUMENTS = [PROJECT / "README.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAME = re.compile(r"^([A-Za-z0-9._-]+)", re.MULTILINE)
LINE = re.compile(r"^\| `([A-Za-z0-9._-]+)` \| \S.*\. \| \S.* \|$", re.MULTILINE)
FILE_OR_FOLDER = re.compile(r"`((?:nexus|accounts|products|classification|workflows|tests)(?:[./]\w+)*/?)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_direct_dependency_has_its_line_and_no_other_has_one() -> None:
    direct = {
        name.lower()
        for path in ("requirements.in", "requirements-dev.in")
        for name in NAME.findall((PROJECT / path).read_text())
        if not name.startswith("-")
    }

    assert {name.lower() for name in LINE.findall((DOCS / "dependencies.md").read_text())} == direct


def test_every_place_that_the_plan_of_the_house_names_is_there() -> None:
    named = FILE_OR_FOLDER.findall((DOCS / "architecture.md").read_text())

    assert named
    assert [place for place in named if not exists(place)] == []


def exists(place: str) -> bool:
    """Whether a file, a folder, a module, or a name in a module is there."""
    if (PROJECT / place).exists():
        return True
    path = PROJECT.joinpath(*place.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    module, name = path.parent.with_suffix(".py"), path.name
    return module.exists() and re.search(rf"\b{name}\b", module.read_text()) is not None
