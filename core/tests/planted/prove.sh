#!/usr/bin/env bash
# Plants each fault of core/src/base/planted.rs in a test build, and says which test notices it first. Fails if none does.
# With names: those faults alone.
set -euo pipefail
cd "$(dirname "$0")/../../.."

# What is asked, in this order: tests of the simulated disk, then other programs as a whole.
sim=(crash:: failing::every_call_fails_once random::random nested:: failing::every_read)
tests=(sim transactions bad_input failures levels model hints)
mapfile -t faults < <(sed -n '/^plants! {/,/^}/s/^ *\([A-Z][A-Za-z]*\),$/\1/p' core/src/base/planted.rs)
listed=$(grep -c '^| `[A-Z][A-Za-z]*` | .* | `[a-z_]*\.rs` |$' docs/testing.md)
[[ ${#faults[@]} -eq $listed ]] || { echo "${#faults[@]} faults found, $listed in docs/testing.md"; exit 1; }
[[ $# -eq 0 ]] || faults=("$@")

build=(cargo test -p lightning_db --features planted --locked --no-run)
for test in "${tests[@]}"; do build+=(--test "$test"); done
built=$("${build[@]}" 2>&1 | tee /dev/stderr)
programs=()
for test in "${tests[@]}"; do
    program=$(sed -n "s/^ *Executable tests\/$test\(\/main\)\?\.rs (\(.*\))$/\2/p" <<<"$built")
    programs+=("$(realpath "$program")")
done

# The tests that fail in a program (or in a part of it), or `-` and how it ended.
failing() {
    local out status=0
    out=$(cd core && RUST_BACKTRACE=0 timeout 300 "$@" 2>&1) || status=$?
    [[ $status -ne 0 ]] || return 0
    local names
    names=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' <<<"$out" | sort | paste -sd ' ')
    echo "${names:-- ended with $status}"
}

missed=0
echo "| fault | noticed by |"
echo "|---|---|"
for fault in "" "${faults[@]}"; do
    export LIGHTNING_PLANTED=$fault
    found=
    for part in "${sim[@]}"; do
        found=$(failing "${programs[0]}" "$part")
        [[ -z $found ]] || break
    done
    for program in "${programs[@]:1}"; do
        [[ -z $found ]] || break
        found=$(failing "$program")
    done
    echo "| ${fault:-none} | ${found:-nothing} |"
    if [[ -z $fault ]]; then
        [[ -z $found ]] || { echo "the tests fail without a fault"; exit 1; }
    elif [[ -z $found ]]; then
        missed=$((missed + 1))
    fi
done
[[ $missed -eq 0 ]] || { echo "$missed faults were not noticed"; exit 1; }
