"""Pages for staff. Importing the modules registers them."""

from classification.admin import answers, classifiers, rules

__all__ = ["answers", "classifiers", "rules"]
