"""Files of products in: accepted, cut into chunks, checked by the rules of the API, written a chunk at a time."""

from products.services.imports.accepting import Options, accept, again, preview, preview_again
from products.services.imports.work import KIND, PERMISSION

__all__ = ["KIND", "PERMISSION", "Options", "accept", "again", "preview", "preview_again"]
