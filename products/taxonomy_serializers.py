"""Taxonomies as files are sent, and what is reported about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers

from nexus.api.serializers import Serializer
from products.services.taxonomy_imports import Wanted
from products.taxonomy_files import Format


class WantedSerializer(Serializer):
    """What a file may not say itself."""

    format = serializers.ChoiceField(
        choices=Format.choices, required=False, help_text="Guessed from the file without it."
    )
    code = serializers.SlugField(
        max_length=60,
        required=False,
        help_text="Of the taxonomy; without it `google`, `shopify`, `unspsc` or `etim`.",
    )
    version = serializers.CharField(
        max_length=40, required=False, help_text="Without it the one that the file says it is."
    )
    name = serializers.CharField(max_length=200, required=False)
    language = serializers.RegexField(
        "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        max_length=10,
        required=False,
        help_text="Of the names, such as `de` or `de-DE`; guessed from the name of the file, and else `en`.",
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Tell all mistakes and changes, and write nothing."
    )


class TaxonomyUploadSerializer(WantedSerializer):
    """A file."""

    file = serializers.FileField(help_text="Text, CSV, XLSX, or for ETIM the ZIP of its tables.")


class TaxonomyTextSerializer(WantedSerializer):
    """The text of a file."""

    content = serializers.CharField(trim_whitespace=False, help_text="What the file would hold.")


@dataclass(frozen=True, slots=True)
class SentTaxonomy:
    """A file as it was sent, and what was said about it."""

    content: bytes
    filename: str
    wanted: Wanted
    dry_run: bool


def sent_taxonomy(data: Any) -> SentTaxonomy:
    """What a request sends. Raises ValidationError."""
    is_file = isinstance(data, Mapping) and isinstance(data.get("file"), UploadedFile)
    serializer = (TaxonomyUploadSerializer if is_file else TaxonomyTextSerializer)(data=data)
    serializer.is_valid(raise_exception=True)
    given = dict(serializer.validated_data)
    dry_run = given.pop("dry_run")
    if is_file:
        file: UploadedFile = given.pop("file")
        return SentTaxonomy(file.read(), file.name or "", Wanted(**given), dry_run)
    return SentTaxonomy(given.pop("content").encode(), "", Wanted(**given), dry_run)


class ImportedTaxonomySerializer(serializers.Serializer[Any]):
    """The version that an import is for."""

    id = serializers.IntegerField(allow_null=True, help_text="Null while there is none, in a dry run.")
    code = serializers.CharField()
    version = serializers.CharField()


class IssueSerializer(serializers.Serializer[Any]):
    """A mistake in a file."""

    line = serializers.IntegerField(help_text="From 1; 0 for the file as a whole.")
    column = serializers.CharField()
    code = serializers.CharField()
    value = serializers.CharField()
    reason = serializers.CharField()
    mend = serializers.CharField(help_text="What to do about it.")


class ImportReportSerializer(serializers.Serializer[Any]):
    """What an import did, or in a dry run would do."""

    format = serializers.ChoiceField(choices=Format.choices)
    taxonomy = ImportedTaxonomySerializer()
    language = serializers.CharField()
    is_translation = serializers.BooleanField(help_text="Whether names were added as keywords.")
    dry_run = serializers.BooleanField()
    categories = serializers.IntegerField(help_text="In the file.")
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    absent = serializers.IntegerField(help_text="In the taxonomy and not in the file; they stay as they are.")
    unknown_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Of a translation: codes that the taxonomy does not have."
    )
    error_count = serializers.IntegerField()
    errors = IssueSerializer(many=True, help_text="In a dry run: the first 1,000 mistakes.")  # type: ignore[assignment]
