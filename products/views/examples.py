"""Examples for the OpenAPI schema."""

from drf_spectacular.utils import OpenApiExample

_FIELDS = {
    "sku": "MK-DHP484Z",
    "name": "18V LXT brushless hammer driver drill",
    "description": "Body only, two speeds, 54 Nm",
    "manufacturer": "Makita",
    "part_number": "DHP484Z",
    "gtin": "0088381803328",
    "attributes": {"voltage_v": 18, "brushless": True},
    "status": "active",
}
_CATEGORY = {
    "id": 7,
    "code": "power-tools.drills.hammer-drills",
    "name": "Hammer drills",
    "path": "Power tools > Drills & drivers > Hammer drills",
    "taxonomy": "nexus-hardware",
}
_TIMES = {"created_at": "2026-11-22T09:30:00Z", "updated_at": "2026-11-22T09:30:00Z"}

PRODUCT = OpenApiExample(
    "Product",
    value={"id": 1, **_FIELDS, "category": _CATEGORY, "category_source": "automatic", **_TIMES},
    response_only=True,
    status_codes=["200", "201"],
)
NEW_PRODUCT = OpenApiExample("Product to write", value={**_FIELDS, "category_id": 7}, request_only=True)
CHANGE = OpenApiExample("Two fields", value={"status": "archived", "category_id": None}, request_only=True)
BULK = OpenApiExample(
    "One of each",
    value={
        "create": [{"sku": "BO-2608", "name": "SDS-plus drill bit 8 x 160 mm"}],
        "update": [{"id": 1, "status": "archived"}],
        "delete": [2],
    },
    request_only=True,
)
BULK_RESULT = OpenApiExample(
    "Done", value={"created": [3], "updated": 1, "deleted": 1}, response_only=True, status_codes=["200"]
)
HISTORY_ENTRY = OpenApiExample(
    "A change of status",
    value={
        "id": 42,
        "at": "2026-11-22T09:30:00Z",
        "action": "updated",
        "user": {"id": 3, "email": "editor@example.com"},
        "request_id": "0c4f1a6e8d5b4b0f9f6d2d3b7a1c9e55",
        "source": "api",
        "changes": {"status": {"before": "active", "after": "archived"}},
    },
    response_only=True,
    status_codes=["200"],
)
TAXONOMY = OpenApiExample(
    "Taxonomy",
    value={
        "id": 1,
        "code": "nexus-hardware",
        "version": "1",
        "name": "Nexus hardware",
        "description": "",
        "language": "en",
        "is_current": True,
        "revision": 1,
        **_TIMES,
    },
    response_only=True,
    status_codes=["200", "201"],
)
NEW_TAXONOMY = OpenApiExample(
    "Taxonomy to write",
    value={"code": "shop", "version": "2026", "name": "The shop's own", "is_current": True},
    request_only=True,
)
CATEGORY = OpenApiExample(
    "Category",
    value={
        **_CATEGORY,
        "parent": 3,
        "level": 3,
        "is_leaf": True,
        "keywords": ["combi drill", "percussion drill"],
        "description": "",
    },
    response_only=True,
    status_codes=["200", "201"],
)
NEW_CATEGORY = OpenApiExample(
    "Category to write",
    value={
        "taxonomy": "nexus-hardware",
        "parent": 3,
        "code": "power-tools.drills.angle-drills",
        "name": "Right angle drills",
        "keywords": ["angle drill"],
    },
    request_only=True,
)
CATEGORY_CHANGE = OpenApiExample("A move", value={"parent": 12}, request_only=True)
TAXONOMY_TEXT = OpenApiExample(
    "Three categories",
    value={
        "content": "code,parent,name,keywords\ntools,,Tools,\ndrills,tools,Drills,combi drill|drill driver\n",
        "code": "our-tools",
        "version": "2026",
        "dry_run": True,
    },
    media_type="application/json",
    request_only=True,
)
