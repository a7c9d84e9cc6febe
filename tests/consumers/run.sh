#!/usr/bin/env bash
# Proves the exports in the libraries that load them: environments of their own, the real shop published once, one process per file.
# What was proven, and what it cost, ends as tables in .shopmill/consumers/table.md, and with WRITE=1 in docs/consumers.md.
# RECBOLE=1 is for RecBole alone, which needs torch: some gigabytes. Its table is table-recbole.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=.shopmill/consumers
part=${RECBOLE:+-recbole}
mkdir -p "$home"

environment() { # NAME LOCK: an environment with what the lock names, and with shopmill
  local python=.venv-$1/bin/python
  test -x "$python" || python3 -m venv --without-pip ".venv-$1"
  .venv/bin/uv pip sync --quiet --python "$python" --require-hashes "tests/consumers/$2"
  .venv/bin/uv pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
}

iceberg() { # readers that are not Python's; Spark's is left out where there is no Maven
  test -x .venv-iceberg/bin/python || python3 -m venv --without-pip .venv-iceberg
  .venv/bin/uv pip sync --quiet --python .venv-iceberg/bin/python --require-hashes tests/consumers/requirements-iceberg.lock
  test -d .venv-iceberg/jars || mvn --quiet --batch-mode --file tests/consumers/iceberg_jars.xml dependency:copy-dependencies \
    -DoutputDirectory="$PWD/.venv-iceberg/jars" || echo "Without Maven the test of Iceberg by Spark is skipped."
}

environments() {
  if test -n "$part"; then
    environment recbole requirements-recbole.lock
    return
  fi
  environment consumers requirements.lock
  environment rectools requirements-rectools.lock
  test -x .venv-datacontract/bin/python || python3 -m venv --without-pip .venv-datacontract
  .venv/bin/uv pip sync --quiet --python .venv-datacontract/bin/python --require-hashes tests/consumers/requirements-datacontract.lock
  iceberg
}

environments
export CONSUMERS_STORE=$PWD/$home/store CONSUMERS_PROOFS=$PWD/$home/proofs$part.jsonl
.venv/bin/python tests/consumers/publish.py "$CONSUMERS_STORE"
rm -f "$CONSUMERS_PROOFS"
failed=0
for test in tests/consumers/test_*.py; do
  case $test in *_recbole.py) name=recbole ;; *_rectools.py) name=rectools ;; *) name=consumers ;; esac
  if test "$name" = recbole; then wanted=-recbole; else wanted=; fi
  test "$part" = "$wanted" || continue
  ".venv-$name/bin/python" -m pytest -q --timeout 1800 "$test" "$@" || failed=1
done
.venv/bin/python tests/consumers/table.py "$CONSUMERS_PROOFS" ${WRITE:+--write} | tee "$home/table$part.md"
exit "$failed"
