"""``code,parent,name,keywords`` and, where wanted, ``description``: the CSV for taxonomies of one's own."""

from products.taxonomy_files.reading import CategoryRow, Reading
from products.taxonomy_files.tables import header_of, keywords_of, rows_of


def read_plain(text: str) -> Reading:
    """A row a category, in any order; what is below a root has an empty parent."""
    reading = Reading()
    columns = set(header_of(text))
    for row in rows_of(text, reading):
        cells = row.cells
        reading.rows.append(
            CategoryRow(
                code=cells.get("code", ""),
                name=cells.get("name", ""),
                parent=row.first("parent", "parentcode"),
                keywords=keywords_of(cells.get("keywords", "")) if "keywords" in columns else None,
                description=cells.get("description", "") if "description" in columns else None,
                line=row.line,
            )
        )
    return reading
