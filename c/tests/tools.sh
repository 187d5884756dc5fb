#!/usr/bin/env bash
# Sees to it that the tools are there: tools.sh COMMAND=PACKAGE... ; a COMMAND with a / is a header.
set -euo pipefail
missing=() packages=()
for pair in "$@"; do
    tool=${pair%%=*} package=${pair#*=}
    case $tool in
    */*) echo "#include <$tool>" | "${CC:-cc}" -E -o /dev/null - >/dev/null 2>&1 && continue ;;
    *) command -v "$tool" >/dev/null && continue ;;
    esac
    missing+=("$tool") packages+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]}; install these packages or their like: ${packages[*]}" >&2
    exit 1
fi
echo "missing: ${missing[*]}; installing with apt-get, as root: ${packages[*]}"
apt-get install -y -qq "${packages[@]}" >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq "${packages[@]}" >/dev/null; }
