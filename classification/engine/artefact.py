"""A classifier as bytes: a zip with ``manifest.json`` and one ``.npy`` file for each array. Never a pickle.

The manifest names the format version, the categories, the features and the figures, and a SHA-256 of every
array; times and order inside the zip are fixed, so that equal classifiers are equal bytes.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classification.engine.calibration import Logistic
from classification.engine.cold_start import ProductFrequencies
from classification.engine.data import Category
from classification.engine.features import Features, View
from classification.engine.learning import Confidence, Figures, Learned
from classification.engine.model import LinearModel

FORMAT = "nexus-classifier"
FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
Arrays = dict[str, NDArray[Any]]


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
    """Read what ``pack`` wrote; ValueError if the bytes are not what they should be."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files.pop(_MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError("these bytes are not a classifier") from error
    if manifest.get("format") != FORMAT or manifest.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"only version {FORMAT_VERSION} of {FORMAT} can be read")
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
    confidence = learned.confidence
    return {
        "grams": learned.features.grams.names,
        "words": learned.features.words.names,
        "temperature": learned.temperature,
        "logistic": asdict(confidence.logistic) if confidence else None,
        "threshold": confidence.threshold if confidence else None,
    }


def _arrays_of(learned: Learned) -> Arrays:
    weights = learned.model.weights
    return {
        "grams_idf": learned.features.grams.idf,
        "words_idf": learned.features.words.idf,
        "weights_data": weights.data,
        "weights_indices": weights.indices.astype(np.int32),
        "weights_starts": weights.indptr.astype(np.int64),
        "bias": learned.model.bias,
        "cold_shares": learned.shares,
    }


def _learned(described: dict[str, Any], arrays: Arrays) -> Learned:
    grams = View(described["grams"], arrays["grams_idf"])
    words = View(described["words"], arrays["words_idf"])
    parts = (arrays["weights_data"], arrays["weights_indices"], arrays["weights_starts"])
    shape = (len(grams.names) + len(words.names), len(arrays["bias"]))
    model = LinearModel(csr_matrix(parts, shape=shape), arrays["bias"])
    confidence = None
    if described["logistic"]:
        logistic = Logistic(**{key: _tuple(value) for key, value in described["logistic"].items()})
        confidence = Confidence(logistic, described["threshold"])
    return Learned(Features(grams, words), model, described["temperature"], arrays["cold_shares"], confidence)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


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
