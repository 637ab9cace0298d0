"""manage.py export_products"""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from products.files.formats import FORMATS
from products.files.tests.conftest import read
from products.services import exports
from products.tests.conftest import MakeProduct


@pytest.mark.parametrize("form", FORMATS)
def test_the_ending_of_the_name_tells_the_format(
    tmp_path: Path, make_product: MakeProduct, form: str
) -> None:
    make_product(sku="S-1")
    output = tmp_path / f"products.{form}"
    call_command("export_products", str(output))
    assert [row["sku"] for row in read(output.read_bytes(), form)] == ["S-1"]


def test_without_a_name_it_goes_to_the_standard_output(
    make_product: MakeProduct, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    make_product(sku="S-1", status="active")
    make_product(sku="S-2")
    call_command("export_products", "--format=jsonl", "--status=active")
    assert [row["sku"] for row in read(capsysbinary.readouterr().out, "jsonl")] == ["S-1"]


def test_a_wrong_filter_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="status"):
        call_command("export_products", "--status=broken")


def test_a_file_that_is_not_whole_never_has_its_name(
    tmp_path: Path, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product()
    output = tmp_path / "products.csv"
    output.write_bytes(b"the one before")

    def broken(*args: object, **options: object) -> object:
        yield b"half of"
        raise OSError

    monkeypatch.setattr(exports, "stream", broken)
    with pytest.raises(OSError):  # noqa: PT011 - any of them
        call_command("export_products", str(output))
    assert output.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [output]
