"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nexus.settings")

application = get_wsgi_application()

# gunicorn loads this module once and then forks, so that its workers share what is in memory by then.
from classification.services.engines import warm_up  # noqa: E402 - the applications must be ready

warm_up()
