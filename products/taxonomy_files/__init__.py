"""Published taxonomies as files: which format one is in, its categories, and all that is wrong with it.

Nothing here knows the database.
"""

from products.taxonomy_files.formats import Format, read
from products.taxonomy_files.reading import Issue, Reading, UnreadableFileError

__all__ = ["Format", "Issue", "Reading", "UnreadableFileError", "read"]
