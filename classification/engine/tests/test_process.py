"""The process that fits does so for whoever has begun it, and for nobody else."""

import json
import os
import subprocess
import sys

COMMAND = [sys.executable, "-m", "classification.engine.process"]
NO_LONGER_ITS_PARENT = 2**22 + 1


def head_of(parent: int) -> bytes:
    head = {"parent": parent, "memory_bytes": 2**30, "seconds": 60, "promised_precision": 0.95}
    return json.dumps(head).encode() + b"\n"


def test_it_ends_when_the_process_that_began_it_is_gone() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(head_of(NO_LONGER_ITS_PARENT))
        process.stdin.flush()
        assert process.wait(timeout=30) == os.EX_TEMPFAIL


def test_it_fits_while_the_process_that_began_it_is_there() -> None:
    category = {"id": 1, "code": "a", "name": "Nails", "path": "Nails", "keywords": [], "is_leaf": True}
    given = head_of(os.getpid()) + json.dumps({"category": category}).encode()
    done = subprocess.run(COMMAND, input=given, capture_output=True, check=True, timeout=30)
    head, artefact = done.stdout.split(b"\n", 1)
    assert json.loads(head)["metrics"]["categories"] == 1
    assert artefact.startswith(b"PK")
