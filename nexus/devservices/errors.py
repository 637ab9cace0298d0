"""What goes wrong with the services of development."""


class ServicesError(SystemExit):
    """PostgreSQL or Redis cannot be had.

    A SystemExit, so that every command that needs them ends with its one line and without a traceback.
    """
