"""What goes wrong with the services of development."""

HOW_TO_INSTALL = "Type: pip install --require-hashes -r requirements.txt -r requirements-dev.txt"


class ServicesError(SystemExit):
    """PostgreSQL or Redis cannot be had.

    A SystemExit, so that every command that needs them ends with its one line and without a traceback.
    """
