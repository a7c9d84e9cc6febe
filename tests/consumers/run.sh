#!/usr/bin/env bash
# Proves the exports in the libraries that load them: environments of their own, the real shop published once, one process per file.
# What was proven, and what it cost, ends as a table in .shopmill/consumers/table.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=.shopmill/consumers
mkdir -p "$home"

environment() { # NAME LOCK: an environment with what the lock names, and with shopmill
  local python=.venv-$1/bin/python
  test -x "$python" || python3 -m venv --without-pip ".venv-$1"
  .venv/bin/uv pip sync --quiet --python "$python" --require-hashes "tests/consumers/$2"
  .venv/bin/uv pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
}

environment consumers requirements.lock
environment rectools requirements-rectools.lock
test -x .venv-datacontract/bin/python || python3 -m venv --without-pip .venv-datacontract
.venv/bin/uv pip sync --quiet --python .venv-datacontract/bin/python --require-hashes tests/consumers/requirements-datacontract.lock
export CONSUMERS_STORE=$PWD/$home/store CONSUMERS_PROOFS=$PWD/$home/proofs.jsonl
.venv/bin/python tests/consumers/publish.py "$CONSUMERS_STORE"
rm -f "$CONSUMERS_PROOFS"
failed=0
for test in tests/consumers/test_*.py; do
  name=consumers
  test "$test" != tests/consumers/test_rectools.py || name=rectools
  ".venv-$name/bin/python" -m pytest -q "$test" "$@" || failed=1
done
.venv/bin/python tests/consumers/table.py "$CONSUMERS_PROOFS" | tee "$home/table.md"
exit "$failed"
