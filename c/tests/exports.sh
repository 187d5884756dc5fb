#!/usr/bin/env bash
# The shared library exports what the header declares and nothing else: exports.sh LIBRARY HEADER
set -euo pipefail
declared=$(grep -oE '\blightning_db_[a-z_]+\(' "$2" | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | sort -u)
# Names that documentation mentions with brackets are declared too.
if ! diff <(echo "$declared") <(echo "$exported"); then
    echo 'declared (<) and exported (>) differ' >&2
    exit 1
fi
readelf -d "$1" | grep 'SONAME.*\[liblightning_db.so.0\]' >/dev/null
echo "exports: $(echo "$exported" | wc -l) functions, soname liblightning_db.so.0, 1 passed"
