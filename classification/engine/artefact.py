"""A classifier as bytes: a zip with ``manifest.json`` and one ``.npy`` file for each array. Never a pickle.

The manifest names the format version, the categories, the features and the figures, and a SHA-256 of every
array; times and order inside the zip are fixed, so that equal classifiers are equal bytes.
"""

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.calibration import Confidence, Logistic
from classification.engine.cold_start import ProductFrequencies
from classification.engine.data import Category
from classification.engine.explanation import Exemplars
from classification.engine.features import Features
from classification.engine.gate import Gate
from classification.engine.learning import Learned
from classification.engine.model import LinearModel
from classification.engine.report import Figures

FORMAT = "nexus-classifier"
FORMAT_VERSION = 3
_MANIFEST = "manifest.json"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# What zipfile and json raise, one after the other, when single bits of a file have turned.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
)
Arrays = dict[str, NDArray[Any]]


class NewerFormatError(ValueError):
    """The bytes are a classifier of a format that a later version of this code writes; nothing is wrong with them."""


class Content(NamedTuple):
    """What an artefact holds; the cold start is built again from the categories."""

    categories: tuple[Category, ...]
    frequencies: ProductFrequencies
    learned: Learned | None
    metrics: Figures


def pack(
    categories: Sequence[Category], frequencies: ProductFrequencies, learned: Learned | None, metrics: Figures
) -> bytes:
    """Write the parts of a classifier."""
    arrays = _arrays_of(learned) if learned else {}
    files = {f"{name}.npy": _array_bytes(array) for name, array in sorted(arrays.items())}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "categories": [asdict(category) for category in categories],
        "product_frequencies": {"total": frequencies.total, "counts": dict(frequencies.counts or {})},
        "learned": _described(learned) if learned else None,
        "metrics": metrics,
        "sha256": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    return _zipped({_MANIFEST: json.dumps(manifest, sort_keys=True).encode("ascii")} | files)


def unpack(data: bytes) -> Content:
    """Read what ``pack`` wrote; ValueError if they are something else, NewerFormatError if too new."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files.pop(_MANIFEST))
    except _DAMAGED as error:
        raise ValueError("these bytes are not a classifier") from error
    version = manifest.get("format_version") if manifest.get("format") == FORMAT else None
    if version != FORMAT_VERSION:
        is_newer = isinstance(version, int) and version > FORMAT_VERSION
        kind = NewerFormatError if is_newer else ValueError
        raise kind(f"only version {FORMAT_VERSION} of {FORMAT} can be read")
    if {name: sha256(content).hexdigest() for name, content in files.items()} != manifest["sha256"]:
        raise ValueError("the classifier's arrays are damaged")
    arrays = {name.removesuffix(".npy"): _array(content) for name, content in files.items()}
    return _content(manifest, arrays)


def _content(manifest: dict[str, Any], arrays: Arrays) -> Content:
    categories = tuple(
        Category(**{**one, "keywords": tuple(one["keywords"])}) for one in manifest["categories"]
    )
    learned = _learned(manifest["learned"], arrays) if manifest["learned"] else None
    return Content(
        categories, ProductFrequencies(**manifest["product_frequencies"]), learned, manifest["metrics"]
    )


def _described(learned: Learned) -> dict[str, Any]:
    confidence, gate = learned.confidence, learned.gate
    return {
        "temperature": learned.temperature,
        "confidence": asdict(confidence) if confidence else None,
        "gate": asdict(gate) if gate else None,
        "is_blended": learned.shares is not None,
        "trusts_cold": learned.trusts_cold,
    }


def _arrays_of(learned: Learned) -> Arrays:
    features, examples = learned.features, learned.exemplars
    arrays: Arrays = {
        "hashes": features.hashes,
        "idf": features.idf,
        "views": features.views,
        "bias": learned.model.bias,
        "is_proven": learned.is_proven,
        "example_ids": examples.ids,
        "example_labels": examples.labels.astype(np.int32),
        **_sparse("weights", learned.model.weights),
        **_sparse("examples", examples.rows),
    }
    return arrays if learned.shares is None else arrays | {"cold_shares": learned.shares}


def _sparse(name: str, matrix: csr_matrix) -> Arrays:
    return {
        f"{name}_data": matrix.data.astype(np.float16),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_counts": np.diff(matrix.indptr).astype(np.int32),
    }


def _learned(described: dict[str, Any], arrays: Arrays) -> Learned:
    features = Features(arrays["hashes"], arrays["idf"], arrays["views"])
    leaves = len(arrays["bias"])
    weights = _matrix("weights", arrays, leaves)
    examples = _matrix("examples", arrays, features.size)
    return Learned(
        features,
        LinearModel(weights, arrays["bias"]),
        described["temperature"],
        arrays["cold_shares"] if described["is_blended"] else None,
        _confidence(described["confidence"]),
        _gate(described["gate"]),
        Exemplars(examples, arrays["example_ids"], arrays["example_labels"].astype(np.int64)),
        arrays["is_proven"],
        described["trusts_cold"],
    )


def _matrix(name: str, arrays: Arrays, columns: int) -> csr_matrix:
    starts = np.concatenate(([0], np.cumsum(arrays[f"{name}_counts"])))
    parts = (arrays[f"{name}_data"].astype(np.float32), arrays[f"{name}_indices"], starts)
    return csr_matrix(parts, shape=(len(starts) - 1, columns))


def _confidence(described: dict[str, Any] | None) -> Confidence | None:
    if described is None:
        return None
    logistics: dict[str, Any] = {name: _logistic(described[name]) for name in ("logistic", "above")}
    return Confidence(**{**described, **logistics})


def _gate(described: dict[str, Any] | None) -> Gate | None:
    return Gate(**{**described, "logistic": _logistic(described["logistic"])}) if described else None


def _logistic(described: dict[str, Any] | None) -> Logistic | None:
    if described is None:
        return None
    parts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in described.items()
    }
    return Logistic(**parts)


def _array_bytes(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _array(content: bytes) -> NDArray[Any]:
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))


def _zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=6)
    return stream.getvalue()
