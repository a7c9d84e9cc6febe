"""RecBole, in its own environment: reads the atomic files with their split by time, fits and evaluates."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import shopmill
from conftest import OWN_PYTHON, Written

pytest.importorskip("recbole")

DAYS = 7


def test_recbole_reads_the_split_fits_and_evaluates(
    exported: Callable[..., Written], proof: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    written = exported(
        "user_item_interactions", "recbole", f"test_days={DAYS}", folder=tmp_path / "shop", python=OWN_PYTHON
    )
    monkeypatch.chdir(tmp_path)  # where RecBole leaves its logs and models
    monkeypatch.setattr("sys.argv", ["recbole"])  # it would take pytest's arguments for its own
    config = Config(
        model="Pop",
        dataset="shop",
        config_dict={
            "data_path": str(tmp_path),
            "benchmark_filename": ["train", "valid", "test"],
            "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"], "user": None, "item": None},
            "eval_args": {"group_by": "user", "order": "TO", "split": {"LS": "valid_and_test"}, "mode": "full"},
            "metrics": ["Recall"],
            "topk": [10],
            "valid_metric": "Recall@10",
            "epochs": 1,
            "use_gpu": False,
            "show_progress": False,
        },
    )
    init_seed(config["seed"], reproducibility=True)
    dataset = create_dataset(config)
    parts = {name: rows for name, rows in written.rows.items() if name.endswith(".inter")}
    assert len(dataset.inter_feat) == sum(parts.values())
    customers = shopmill.load("user_item_interactions").manifest.rows("customer_index")
    assert dataset.user_num - 1 <= customers  # RecBole's own 0 stands for nobody
    train, valid, test = data_preparation(config, dataset)
    model = get_model(config["model"])(config, train.dataset).to("cpu")
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    trainer.fit(train, valid, saved=False, show_progress=False)
    result = trainer.evaluate(test, load_best_model=False, show_progress=False)
    assert 0 < result["recall@10"] < 1
    proof(
        "recbole",
        "reads its split by time, fits Pop, recall@10",
        written,
        len(dataset.inter_feat),
        "create_dataset(Config(...))",
    )
