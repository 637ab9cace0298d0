"""Kept mappings: how the files of one supplier are read."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from nexus.api.database import meaning
from nexus.api.errors import Conflict, invalid
from products.files import mapping
from products.models import ImportProfile

NAME_UNIQUE = "products_importprofile_name_unique"


def save_profile(profile: ImportProfile, fields: Mapping[str, Any]) -> ImportProfile:
    """Save a new profile, or changes of one.

    Raises Conflict ``name_taken``, and Problem (400) for a mapping to what is not there.
    """
    if "mapping" in fields:
        _check_mapping(fields["mapping"])
    for name, value in fields.items():
        setattr(profile, name, value)
    detail = f"Another profile has the name {profile.name!r}."
    place = {"pointer": "/name", "code": "name_taken", "detail": detail}
    with meaning(NAME_UNIQUE, Conflict("name_taken", detail, errors=[place])), transaction.atomic():
        profile.save()
    # PostgreSQL has its own order of the keys of JSON, and the next read answers in it.
    profile.refresh_from_db()
    return profile


def _check_mapping(given: Any) -> None:
    if not isinstance(given, dict) or not given:
        raise invalid("/mapping", "not_an_object", "A mapping is a JSON object with columns.")
    mapping.checked(given, None)
