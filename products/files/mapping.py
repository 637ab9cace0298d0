"""Which column of a file is which field of a product: guessed from names in the usual languages, or given.

A mapping says for each column of the file its target: one of `TARGETS`, or ``attributes.`` and the name of an
attribute. A column that is mapped to nothing is passed over.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nexus.api.errors import invalid, invalid_request, pointer_of
from products.files.columns import READ
from products.validators import MAX_ATTRIBUTE_NAME

TARGETS = (*READ, "category_path")
ATTRIBUTE = "attributes."
# The column that the list of failed rows adds: whoever sends that list back has it in the file.
FAULTS_COLUMN = "import_error"

# How suppliers head their columns, without blanks, signs and accents that are left out as often as not. English,
# German, French, Spanish, Italian, Dutch, Polish, and the short forms of trade formats (BMEcat, Google, Shopify).
SYNONYMS: dict[str, str] = {
    "sku": """sku artikelnummer artikelnr artikelno artnr artno articlenumber articleno articleid itemnumber itemno
        itemid itemcode productcode productid productnumber produktnummer produktnr bestellnummer bestellnr supplieraid
        supplierpid materialnummer stockcode variantsku reference référence référencearticle codearticle
        référenceproduit referencia codigo código codigodearticulo códigodeartículo codice codicearticolo artikelcode
        indeks kodproduktu symbol""",
    "name": """name title productname producttitle itemname articlename bezeichnung artikelbezeichnung produktname
        produktbezeichnung artikelname kurzbezeichnung kurztext descriptionshort shortdescription nom désignation
        designation libellé libelle intitulé nombre nombredelproducto denominación título titulo nome nomeprodotto
        denominazione titolo naam productnaam omschrijvingkort nazwa nazwaproduktu""",
    "description": """description longdescription descriptionlong productdescription bodyhtml beschreibung
        langbeschreibung langtext artikelbeschreibung produktbeschreibung descriptif descripción descripcion descrizione
        omschrijving beschrijving opis opisproduktu details""",
    "manufacturer": """manufacturer manufacturername brand brandname make maker vendor hersteller herstellername marke
        fabrikat fabricant marque fabricante marca produttore costruttore fabrikant merk producent marka""",
    "part_number": """partnumber partno mpn manufacturerpartnumber manufacturerpartno manufacturersku manufactureraid
        manufacturerpid mfrpartnumber mfrpartno mfgpartnumber herstellernummer herstellernr herstellerartikelnummer
        herstellerartikelnr herstellerteilenummer teilenummer typnummer modelnumber modellnummer modelno
        référencefabricant referencefabricant referenciafabricante codiceproduttore fabrikantcode numerproducenta""",
    "gtin": """gtin ean ean13 eancode eannummer eannr gtin13 gtin14 gtin12 upc upccode upca barcode strichcode
        internationalpid codebarres codebarre codeean codigodebarras códigodebarras codiceabarre streepjescode
        kodkreskowy kodean isbn""",
    "attributes": "attributes attribute merkmale attributs atributos attributi kenmerken atrybuty",
    "status": "status state zustand statut estado stato",
    "taxonomy": "taxonomy taxonomie",
    "category_code": """categorycode categoryid category kategorie kategoriecode warengruppe warengruppencode
        warengruppennummer productgroup groupcode catégorie categorie codecatégorie categoría categoria
        codicecategoria kategoria etimclass unspsc""",
    "category_path": """categorypath path kategoriepfad productcategory googleproductcategory breadcrumb
        producttype chemincatégorie rutacategoria kategorieëpad""",
    "category_source": "categorysource",
}
_NOT_LETTERS = re.compile(r"[\W_]+")
_TARGET_OF = {name: target for target, names in SYNONYMS.items() for name in names.split()}

Columns = Mapping[str, str]


def target_of(column: str) -> str | None:
    """The target of a column by its name; None for one that is not known."""
    return _TARGET_OF.get(_NOT_LETTERS.sub("", column.casefold()))


def known(columns: Iterable[str]) -> int:
    """How many of some names are those of columns."""
    return sum(target_of(column) is not None for column in columns)


def guess(columns: Iterable[str], *, unmapped_to_attributes: bool = False) -> dict[str, str]:
    """The targets of those columns whose names are known, each target once: the column whose name it is, or the first.

    A path is passed over where there is a code, which says the same without doubt.
    """
    columns = list(columns)
    found: dict[str, str] = {}
    for column in sorted(columns, key=lambda name: name not in TARGETS):
        target = target_of(column)
        if target and target not in found.values():
            found[column] = target
    if "category_code" in found.values():
        found = {column: target for column, target in found.items() if target != "category_path"}
    if unmapped_to_attributes:
        found |= {column: f"{ATTRIBUTE}{column}" for column in columns if _is_attribute(column, found)}
    return {column: found[column] for column in columns if column in found}


def _is_attribute(column: str, found: Mapping[str, str]) -> bool:
    told_by_nexus = column in {"id", "category_path", "created_at", "updated_at", FAULTS_COLUMN}
    return column not in found and not told_by_nexus and len(column) <= MAX_ATTRIBUTE_NAME


def checked(
    mapping: Mapping[str, Any], columns: Iterable[str] | None, *, pointer: str = "/mapping"
) -> dict[str, str]:
    """A mapping that a user has given, without the columns that are mapped to nothing.

    `columns` are those that there are; None where that is not known. Raises Problem (400) naming every mistake.
    """
    names = None if columns is None else set(columns)
    errors: list[dict[str, str]] = []
    used: set[str] = set()
    for column, target in mapping.items():
        if error := _mistake(column, target, names, used):
            errors.append({"pointer": pointer + pointer_of(column), "code": error[0], "detail": error[1]})
        elif target:
            used.add(target)
    if errors:
        raise invalid_request(errors)
    return {column: target for column, target in mapping.items() if target}


def _mistake(column: str, target: Any, names: set[str] | None, used: set[str]) -> tuple[str, str] | None:
    if names is not None and column not in names:
        return "unknown_column", f"The file has no column {column!r}."
    if not target:
        return None
    if not isinstance(target, str) or not (target in TARGETS or _names_attribute(target)):
        return "unknown_target", f"The targets are {', '.join(TARGETS)}, and {ATTRIBUTE}<name>."
    if target in used:
        return "duplicate", f"Another column is mapped to {target!r}."
    return None


def _names_attribute(target: str) -> bool:
    return target.startswith(ATTRIBUTE) and 0 < len(target) - len(ATTRIBUTE) <= MAX_ATTRIBUTE_NAME


def check_sufficient(mapping: Columns, *, needs_name: bool) -> None:
    """Raise Problem (400) when products cannot be known, or made, by what is mapped."""
    targets = set(mapping.values())
    missing = [name for name in ("sku", "name") if name not in targets and (name == "sku" or needs_name)]
    if missing:
        raise invalid(
            "/mapping", "required", f"No column is mapped to {' or '.join(missing)}. Say which one it is."
        )
    if "category_source" in targets and not targets & {"category_code", "category_path"}:
        raise invalid("/mapping", "required", "A category_source needs a category.")
