"""Kinds of long work that are disturbed on purpose: how each is asked for, and all that it leaves behind."""

import http.client
import json
from collections.abc import Sequence
from typing import Any, Protocol

from tests.faults.conftest import Nexus

# Several chunks.
LEAST_ROWS = 5_000

Rows = Sequence[tuple[Any, ...]]


class Scenario(Protocol):
    """A kind of long work: how it is asked for, and what it leaves behind."""

    name: str
    # What a job of it comes to.
    ends_as: str
    # Where files for it are uploaded, and a file without faults.
    path: str
    file: bytes

    def submit(self, nexus: Nexus, token: str) -> str:
        """Ask for it; the id of the job."""

    def state(self, nexus: Nexus, job_id: str) -> Rows:
        """All that a job has left behind, in an order, without what differs from job to job (ids, times, lots)."""


class Batch:
    """Classification of all products of the catalogue."""

    name = "batch"
    ends_as = "succeeded"
    path = "/api/v1/classify/batch"
    file = b"name\n" + b"18V cordless hammer drill\n" * 2_000

    def submit(self, nexus: Nexus, token: str) -> str:
        """A job by filter."""
        answer = nexus.call("POST", self.path, {"filter": {}, "taxonomy": "nexus-hardware"}, token)
        assert answer.status == 202, answer
        return str(answer.body["job_id"])

    def state(self, nexus: Nexus, job_id: str) -> Rows:
        """Every answer."""
        return nexus.rows(
            "SELECT position, product_id, category_id, confidence, candidates::text, back_off::text, decision, source, "
            "error, input::text FROM classification_classification WHERE job_id = %s ORDER BY position, id",
            job_id,
        )


class Import:
    """A file with as many rows as the catalogue has products, or LEAST_ROWS.

    Of ten rows two are about products that there are, one of which it changes; of 50 one is wrong, and of 70 one has
    the SKU of an earlier row. Each job has SKUs of its own, which begin with its mark.
    """

    ends_as = "partially_failed"
    path = "/api/v1/products/import"
    file = b"sku,name\n" + b"".join(b"upload-%d,Drill\n" % n for n in range(2_000))

    def __init__(self, mode: str) -> None:
        self.name = self._mode = mode
        self._marks: dict[str, str] = {}

    def submit(self, nexus: Nexus, token: str) -> str:
        """A job, after some of its products were put into the catalogue."""
        mark = f"{self._mode}-{len(self._marks)}-"
        ((number,),) = nexus.rows(
            "SELECT count(*) FROM products_product WHERE sku !~ '^(create|upsert|upload)-'"
        )
        number = max(number, LEAST_ROWS)
        nexus.rows(
            "INSERT INTO products_product (sku, name, description, manufacturer, part_number, gtin, attributes, "
            "status, created_at, updated_at) SELECT %s || n, 'Product ' || n, '', '', '', '', '{}', 'draft', now(), "
            "now() FROM generate_series(0, %s) AS n WHERE n %% 10 < 2",
            mark,
            number - 1,
        )
        upload = start_upload(nexus, token, self.path, self._file(mark, number), mode=self._mode)
        job_id = end_upload(*upload)
        self._marks[job_id] = mark
        return job_id

    def _file(self, mark: str, number: int) -> bytes:
        lines = ["sku,name,gtin,attributes.volts"]
        for n in range(number):
            sku = f"{mark}{n - 69 if n % 70 == 69 else n}"
            name = f"Product {n}" + (" II" if n % 10 == 1 else "")
            lines.append(f"{sku},{name},{'4006381333930' if n % 50 == 49 else ''},{n % 10 and n}")
        return "\n".join(lines).encode()

    def state(self, nexus: Nexus, job_id: str) -> Rows:
        """Every product, every change of one, every error, and the counts of the job."""
        mark = self._marks[job_id]
        like = f"{mark}%"
        products = nexus.rows(
            "SELECT substr(sku, %s), name, description, gtin, attributes::text, status FROM products_product "
            "WHERE sku LIKE %s ORDER BY 1",
            len(mark) + 1,
            like,
        )
        events = nexus.rows(
            "SELECT substr(sku, %s), pgh_label, name, attributes::text FROM products_productevent "
            "WHERE sku LIKE %s ORDER BY 1, pgh_id",
            len(mark) + 1,
            like,
        )
        faults = nexus.rows(
            "SELECT row, \"column\", replace(value, %s, ''), code, replace(detail, %s, '') "
            "FROM products_importfault WHERE job_id = %s ORDER BY row, 2, code",
            mark,
            mark,
            job_id,
        )
        counts = nexus.rows(
            "SELECT total, processed, succeeded, failed, result->>'created', result->>'updated', "
            "result->>'unchanged', result->>'failed', result->>'errors' FROM nexus_jobs_job WHERE id = %s",
            job_id,
        )
        keys = nexus.rows("SELECT 'key', sku FROM products_importkey WHERE job_id = %s", job_id)
        return [*products, *events, *faults, *counts, *keys]


SCENARIOS: tuple[Scenario, ...] = (Batch(), Import("create"), Import("upsert"))


def start_upload(
    nexus: Nexus, token: str, path: str, file: bytes, **form: str
) -> tuple[http.client.HTTPConnection, bytes]:
    """A connection over which half of a form with a CSV file was sent, and the other half."""
    fields = "".join(
        f'--nexus\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.items()
    )
    body = (
        fields.encode() + b'--nexus\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + file + b"\r\n--nexus--\r\n"
    )
    connection = http.client.HTTPConnection("127.0.0.1", nexus.port, timeout=60)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=nexus")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def end_upload(connection: http.client.HTTPConnection, rest: bytes) -> str:
    """Send the other half; the id of the job that was made of the file."""
    connection.send(rest)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    assert answer.status == 202, content
    return str(content.get("job_id") or content["id"])
