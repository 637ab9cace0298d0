"""A classifier is the same wherever and whenever it is made, saved or read."""

import io
import zipfile

import pytest

from classification.engine import Category, Classifier, Example, Text, fit

TITLES = [
    Text("Makita combi drill"),
    Text("Zenith leather hand protection 9mm"),
    Text("zxqv"),
    Text("M.2 NVMe"),
]


def test_the_same_input_gives_the_same_bytes(categories: list[Category], examples: list[Example]) -> None:
    assert fit(categories, examples).to_bytes() == fit(categories, examples).to_bytes()


def test_the_order_of_the_categories_does_not_matter(categories: list[Category]) -> None:
    assert fit(categories).predict(TITLES) == fit(categories[::-1]).predict(TITLES)


def test_a_batch_is_answered_as_its_items_are(cold: Classifier, trained: Classifier) -> None:
    for classifier in (cold, trained):
        one_by_one = [classifier.predict([text])[0] for text in TITLES * 40]
        assert classifier.predict(TITLES * 40) == one_by_one


def test_a_saved_classifier_answers_as_before(
    categories: list[Category], cold: Classifier, trained: Classifier
) -> None:
    counted = fit(categories, (), [Text(f"drill {number}") for number in range(250)])
    for classifier in (cold, trained, counted):
        saved = classifier.to_bytes()
        restored = Classifier.from_bytes(saved)
        assert restored.predict(TITLES) == classifier.predict(TITLES)
        assert restored.metrics == classifier.metrics
        assert restored.to_bytes() == saved


def test_the_file_is_a_zip_of_json_and_arrays_only(trained: Classifier) -> None:
    with zipfile.ZipFile(io.BytesIO(trained.to_bytes())) as archive:
        assert {name.rsplit(".", 1)[1] for name in archive.namelist()} == {"json", "npy"}


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04broken"])
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a classifier"):
        Classifier.from_bytes(data)


def test_another_format_version_is_refused(cold: Classifier) -> None:
    with pytest.raises(ValueError, match="version"):
        Classifier.from_bytes(_changed(cold, "manifest.json", b'"format_version": 3', b'"format_version": 9'))


def test_a_damaged_array_is_refused(trained: Classifier) -> None:
    with pytest.raises(ValueError, match="damaged"):
        Classifier.from_bytes(_changed(trained, "bias.npy", b"\x00", b"\x01"))


def test_a_file_in_which_a_byte_has_turned_is_refused_or_read_as_before(trained: Classifier) -> None:
    saved = trained.to_bytes()
    for place in range(0, len(saved), len(saved) // 150):
        damaged = bytearray(saved)
        damaged[place] ^= 0b100
        try:
            read = Classifier.from_bytes(bytes(damaged))
        except ValueError:
            continue
        assert read.to_bytes() == saved


def _changed(classifier: Classifier, name: str, old: bytes, new: bytes) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(classifier.to_bytes())) as before,
        zipfile.ZipFile(stream, "w") as after,
    ):
        for entry in before.namelist():
            content = before.read(entry)
            after.writestr(entry, content.replace(old, new) if entry == name else content)
    return stream.getvalue()
