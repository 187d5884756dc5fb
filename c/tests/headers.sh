#!/usr/bin/env bash
# Each header compiles alone, as every language that is promised, and an ignored status is noticed. Reads CC, CXX, C_WARN
# and CXX_WARN.
set -euo pipefail
cd "$(dirname "$0")/../include"
passed=0

# compiles COMMAND... ; what is compiled is the input.
compiles() {
    "$@" -I. -c -o /dev/null - || { echo "failed: $*" >&2; exit 1; }
    passed=$((passed + 1))
}

read -ra c_warn <<<"$C_WARN -Wstrict-prototypes -Wmissing-prototypes"
read -ra cxx_warn <<<"$CXX_WARN"
read -ra cxx17_warn <<<"$CXX_WARN -Wzero-as-null-pointer-constant -Wuseless-cast -Wsuggest-override"
for standard in c99 c11 c17; do
    compiles "$CC" -std=$standard "${c_warn[@]}" -x c <<<'#include "lightning_db.h"'
done
for standard in c++11 c++17 c++20; do
    compiles "$CXX" -std=$standard "${cxx_warn[@]}" -x c++ <<<'#include "lightning_db.h"'
done
for standard in c++17 c++20; do
    for header in *.hpp lightning_db/*.hpp; do
        compiles "$CXX" -std=$standard "${cxx17_warn[@]}" -x c++ <<<"#include \"$header\""
    done
done

# The same program with and without a look at the status.
program() {
    printf '#include "lightning_db.h"\nint f(lightning_db_scan_t *scan, lightning_db_bytes_t *key) { %s; return 0; }\n' "$1"
}
strict=(-Werror=unused-result -x c)
compiles "$CC" "${strict[@]}" < <(program 'if (lightning_db_scan_next(scan, key, 0)) return 1')
if program 'lightning_db_scan_next(scan, key, 0)' | "$CC" "${strict[@]}" -I. -c -o /dev/null - 2>/dev/null; then
    echo 'an ignored status was not noticed' >&2
    exit 1
fi
passed=$((passed + 1))
echo "headers: $passed passed"
