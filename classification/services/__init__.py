"""Everything that changes classifiers, classifications and reviews."""
