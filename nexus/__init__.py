"""Nexus keeps and classifies large catalogues of hardware products."""

__version__ = "0.1.0"
