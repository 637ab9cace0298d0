"""A small part of ``make fuzz``, the same each time."""

from tests.fuzz import fuzz
from tests.live import Live


def test_every_answer_is_one_that_the_schema_promises(fresh_live: Live) -> None:
    options = (
        "--phases",
        "examples,fuzzing",
        "--max-examples",
        "1",
        "--generation-deterministic",
        "--no-shrink",
    )
    assert fuzz(fresh_live, "admin", *options) == 0
