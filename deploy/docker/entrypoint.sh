#!/bin/bash
# `docker run shopmill scheduler` is `airflow scheduler`; the programs named here run as they are.
set -euo pipefail
case "${1:-}" in
  airflow | bash | python | python3 | sh | shopmill | /*) exec "$@" ;;
  *) exec airflow "$@" ;;
esac
