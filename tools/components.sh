#!/usr/bin/env bash
# Install what tools/components.txt names and this machine lacks. Safe to repeat; asks for nothing when all is there.
# Tests start what they need by themselves: services that packages bring are not started, now or with the machine.
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
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
for package in "${missing[@]}"; do
    if [[ -d /run/systemd/system && -n $(systemctl list-unit-files --no-legend "$package.service") ]]; then
        "${as_root[@]}" systemctl disable --quiet "$package.service"
    fi
done
