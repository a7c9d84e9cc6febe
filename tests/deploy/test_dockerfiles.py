"""The Dockerfiles, without Docker: linted, pinned, not root, and copying only what there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "docker"
FILES = sorted(FOLDER.glob("*Dockerfile"))
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-model.lock", FOLDER / "requirements-gpu.lock"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(hadolint), "--no-color", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_images_are_pinned_and_every_last_stage_is_not_root(path: Path) -> None:
    stages = re.split(r"^FROM ", path.read_text(), flags=re.MULTILINE)[1:]
    named = {match[1] for stage in stages if (match := re.match(r"\S+ AS (\w[\w-]*)", stage))}
    users: dict[str, str] = {}
    for stage in stages:
        image = stage.split()[0]
        assert image in named or re.search(r":\d+\.\d+\.\d+", image), image
        name = match[1] if (match := re.match(r"\S+ AS (\S+)", stage)) else "last"
        users[name] = (
            match[1] if (match := re.search(r"^USER (\S+)", stage, re.MULTILINE)) else users.get(image, "root")
        )
    assert {user for name, user in users.items() if not name.startswith("build")} == {"50000:0"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_let_through(path: Path) -> None:
    let_through = (FOLDER / f"{path.name}.dockerignore").read_text().splitlines()
    assert let_through[0] == "*"
    for line in re.findall(r"^COPY (?!--from)(.+)$", path.read_text(), re.MULTILINE):
        for source in [word for word in line.split() if not word.startswith("--")][:-1]:
            assert (ROOT / source).exists(), source
            assert any(_lets(rule.removeprefix("!"), source) for rule in let_through if rule.startswith("!")), source


def _lets(rule: str, source: str) -> bool:
    return Path(source).match(rule) or source.startswith(f"{rule}/")


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_a_hash_for_everything_and_no_address(path: Path) -> None:
    text = path.read_text()
    pinned = re.findall(r"^[\w.-]+(?:\[[^\]]*\])?==.*$(?=\n    --hash)|^[\w.-]+==.*\\$", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.-]+.*==", text, re.MULTILINE))
    assert "://" not in text


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (["scheduler"], "airflow scheduler"),
        (["celery", "worker"], "airflow celery worker"),
        (["airflow", "db", "migrate"], "airflow db migrate"),
        (["bash", "-c", "echo $0"], "bash"),
        ([], "airflow"),
    ],
)
def test_the_entrypoint_runs_airflow_unless_told_otherwise(tmp_path: Path, arguments: list[str], runs: str) -> None:
    (tmp_path / "airflow").write_text('#!/bin/sh\necho airflow "$@"\n')
    (tmp_path / "airflow").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [str(FOLDER / "entrypoint.sh"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == runs
