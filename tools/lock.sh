#!/usr/bin/env bash
# Resolve the workspace and write the locks that `make setup` installs. uv.lock itself is not committed: it holds
# download addresses, which differ from place to place.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
"$uv" lock --quiet
export_lock() {
    "$uv" export --quiet --format requirements-txt --no-emit-workspace --no-header "$@"
}
export_lock --no-default-groups --output-file requirements/run.lock >/dev/null
export_lock --group dev --output-file requirements/dev.lock >/dev/null
"$uv" pip compile --quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11 \
    --output-file requirements/node.lock requirements/node.in >/dev/null
.venv/bin/python tools/thin_npm_lock.py
