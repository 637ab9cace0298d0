# syntax=docker/dockerfile:1

FROM python:3.11-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/requirements.txt \
 && rm -rf /opt/venv/lib/python3.11/site-packages/pip /opt/venv/lib/python3.11/site-packages/pip-* \
    /opt/venv/lib/python3.11/site-packages/setuptools /opt/venv/lib/python3.11/site-packages/setuptools-* \
 && find /opt/venv -type d -name tests -prune -exec rm -rf {} +

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NEXUS_ENVIRONMENT=production DJANGO_SETTINGS_MODULE=nexus.settings
RUN groupadd --system --gid 10001 nexus \
 && useradd --system --uid 10001 --gid nexus --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nexus \
 && install --directory --owner nexus --group nexus /var/lib/nexus
WORKDIR /app
COPY --from=builder /opt/venv /opt/venv
COPY manage.py ./
COPY nexus nexus
COPY accounts accounts
COPY products products
COPY classification classification
COPY workflows workflows
# Nothing here connects to anything: settings ask for the variables, collectstatic uses none of them.
RUN SECRET_KEY=only-for-this-one-command-and-never-stored-in-the-image-0123456789 ALLOWED_HOSTS=localhost \
    DATABASE_URL=postgresql://nobody@localhost/none REDIS_URL=redis://localhost/0 \
    python manage.py collectstatic --no-input --verbosity 0 \
 && python -m compileall -q nexus accounts products classification workflows
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["gunicorn", "-c", "nexus/gunicorn.py", "--bind", "0.0.0.0:8000", "nexus.wsgi:application"]
