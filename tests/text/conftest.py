"""The real default model, turned into ONNX once per run of the tests."""

from pathlib import Path

import pytest

from shopmill.text.encoder import Encoder
from shopmill.text.model import find_model


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> Encoder:
    return Encoder(find_model(cache=model_cache), threads=2, provider="cpu")


@pytest.fixture(scope="session")
def int8_encoder(model_cache: Path) -> Encoder:
    return Encoder(find_model(cache=model_cache, precision="int8"), threads=2, provider="cpu")
