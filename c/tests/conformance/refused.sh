#!/usr/bin/env bash
# The runner refuses cases that the format does not have: refused.sh RUNNER FOLDER
set -euo pipefail
runner=$1 folder=$2 passed=0

# refused CASES REASON
refused() {
    echo "$1" >"$folder/wrong.json"
    rm -rf "$folder/run" && mkdir "$folder/run"
    if said=$("$runner" "$folder/run" "$folder/wrong.json" 2>&1) || [[ $said != *"$2"* ]]; then
        echo "not refused because of '$2': $1: $said" >&2
        exit 1
    fi
    passed=$((passed + 1))
}

step() { refused "[{\"name\": \"a\", \"steps\": [{\"op\": \"batch\", \"as\": \"b\"}, $1]}]" "$2"; }
step '{"op": "flush", "as": "x"}' 'unknown field as'
step '{"op": "make_folder", "path": "x", "on": "db"}' 'unknown field on'
step '{"op": "flush", "level": "strong"}' 'unknown field level'
step '{"op": "put", "on": "b", "key": "k", "value": "v", "level": "strong"}' 'a level'
step '{"op": "get", "on": "b", "key": "k", "is": null}' 'of another kind'
step '{"op": "scan", "only": "kyes", "is": []}' 'only kyes'
step '{"op": "get", "key": "k"}' 'either a result or an error'
step '{"op": "polish"}' 'unknown op'
refused '[{"name": "a", "steps": []}, {"name": "a", "steps": []}]' 'another case has this name'
refused '[]' '0 of 0'
echo "refused: $passed passed"
