#!/usr/bin/env bash
# Install what tools/components.txt names and this machine lacks. Safe to repeat; asks for nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done < <(grep -v '^#' tools/components.txt)

if [[ ${#missing[@]} -eq 0 ]]; then
    echo "components: everything is installed"
    exit 0
fi
as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
