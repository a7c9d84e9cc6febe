"""RecBole, in its own environment: reads the atomic files, with their split by time and as sequences, fits and evaluates."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import shopmill
from conftest import OWN_PYTHON, Written

pytest.importorskip("recbole")

INTERACTIONS, DAYS = "user_item_interactions", 7
END = datetime(2018, 1, 1, tzinfo=UTC)
COMMON = {"topk": [10], "metrics": ["Recall"], "valid_metric": "Recall@10", "epochs": 1, "use_gpu": False}
SMALL = {"hidden_size": 16, "inner_size": 32, "n_layers": 1, "n_heads": 1, "MAX_ITEM_LIST_LENGTH": 20}
"""A transformer that an ordinary processor trains in minutes."""
ONE_WRONG = {"loss_type": "BPR", "train_neg_sample_args": {"distribution": "uniform", "sample_num": 1}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where RecBole leaves its logs and models
    monkeypatch.setattr("sys.argv", ["recbole"])  # it would take pytest's arguments for its own
    return tmp_path / "shop"


def fitted(model: str, folder: Path, chosen: Mapping[str, Any]) -> tuple[Any, float]:
    """The dataset as RecBole read it, and the recall of a model after one pass."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    split = {"group_by": "user", "order": "TO", "split": {"LS": "valid_and_test"}, "mode": "full"}
    settings = {"data_path": str(folder.parent), "eval_args": split, "show_progress": False, **COMMON, **chosen}
    config = Config(model=model, dataset=folder.name, config_dict=settings)
    init_seed(config["seed"], reproducibility=True)
    dataset = create_dataset(config)
    train, valid, test = data_preparation(config, dataset)
    made = get_model(model)(config, train.dataset).to("cpu")
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, made)
    trainer.fit(train, valid, saved=False, show_progress=False)
    return dataset, trainer.evaluate(test, load_best_model=False, show_progress=False)["recall@10"]


def test_recbole_reads_the_split_fits_and_evaluates(exported: Callable[..., Written], proof: Any, folder: Path) -> None:
    written = exported(INTERACTIONS, "recbole", f"test_days={DAYS}", folder=folder, python=OWN_PYTHON)
    every_column = {"benchmark_filename": ["train", "valid", "test"], "load_col": None}
    dataset, recall = fitted("Pop", folder, every_column)
    parts = {name: rows for name, rows in written.rows.items() if name.endswith(".inter")}
    assert len(dataset.inter_feat) == sum(parts.values())
    customers = shopmill.load(INTERACTIONS).manifest.rows("customer_index")
    assert dataset.user_num - 1 <= customers  # RecBole's own 0 stands for nobody
    assert "rfm_segment" in dataset.user_feat.columns
    assert "product_group_name" in dataset.item_feat.columns
    assert 0 < recall < 1
    done = "reads its split by time with users and items, fits Pop, recall@10"
    proof("recbole", done, written, len(dataset.inter_feat), "create_dataset(Config(...))")


def test_recbole_trains_a_model_of_sequences(exported: Callable[..., Written], proof: Any, folder: Path) -> None:
    written = exported(INTERACTIONS, "recbole", folder=folder, python=OWN_PYTHON)
    since = END - timedelta(days=DAYS)
    last_week = {
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "val_interval": {"timestamp": f"[{since.timestamp():.0f},{END.timestamp():.0f})"},
    }
    dataset, recall = fitted("SASRec", folder, {**last_week, **SMALL, **ONE_WRONG})
    with (folder / "shop.inter").open() as rows:
        next(rows)  # the names of the fields
        signals = sum(float(row.rsplit("\t", 1)[1]) >= since.timestamp() for row in rows)
    assert len(dataset.inter_feat) == signals - (dataset.user_num - 1)  # each is to be foretold but a customer's first
    assert 0 < recall < 1
    done = "reads the signals of a week in their order, fits SASRec, recall@10"
    proof("recbole", done, written, len(dataset.inter_feat), "create_dataset(Config(...))")
