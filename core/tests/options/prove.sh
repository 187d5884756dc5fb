#!/usr/bin/env bash
# Proves that every option has an effect: deletes the use of each field, as uses.txt says, in a copy of the tree, and
# expects the test of that field to fail. Fields may be named as arguments; default: all.
#
# A line of uses.txt: field | file | expression | what stands in its place, mostly the default as a constant | the file
# of the test, if it is not options.rs. No expression has a bar.
# A line whose expression is not found is an error. Lines of one field are tried one by one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/prove-options

(cd "$root" && git ls-files -z --cached --others --exclude-standard \
  | while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done \
  | tar --null -T - -c) | tar -x -C "$copy"
cd "$copy"

trim() { local text=$1; text=${text#"${text%%[! ]*}"}; printf '%s' "${text%"${text##*[! ]}"}"; }

build() { cargo test --locked -q -p lightning_db --test "$1" --no-run >build.log 2>&1; }
run() { cargo test --locked -q -p lightning_db --test "$1" -- --exact "$2" >run.log 2>&1; }

build options || { cat build.log; exit 1; }
cargo test --locked -q -p lightning_db --test options >run.log 2>&1 || {
  cat run.log
  echo 'prove.sh: the tests fail before anything was deleted' >&2
  exit 1
}

wrong=0
printf '%-36s %-74s %-42s %s\n' field 'use deleted' test result
while IFS='|' read -r field file expression replacement target; do
  target=$(trim "$target") target=${target:-options}
  field=$(trim "$field") file=$(trim "$file") expression=$(trim "$expression") replacement=$(trim "$replacement")
  [[ -n $field ]] || continue
  [[ $# -eq 0 || " $* " == *" $field "* ]] || continue
  text=$(<"$file")
  if [[ $text != *"$expression"* ]]; then
    echo "prove.sh: $field: '$expression' is not in $file: mend uses.txt" >&2
    exit 1
  fi
  cp -p "$file" kept
  printf '%s\n' "${text//"$expression"/"$replacement"}" >"$file"
  if ! build "$target"; then
    cat build.log
    echo "prove.sh: $field: does not compile with the use deleted: mend uses.txt" >&2
    exit 1
  fi
  result='fails, as it should'
  if run "$target" "option_$field"; then
    result='STILL PASSES' wrong=1
  elif ! grep -q "option_$field" run.log || ! grep -q '0 passed; 1 failed' run.log; then
    cat run.log
    echo "prove.sh: option_$field was not run" >&2
    exit 1
  fi
  cp kept "$file"
  printf '%-36s %-74s %-42s %s\n' "$field" "$(basename "$file"): $expression" "option_$field" "$result"
done <"$here/uses.txt"
exit "$wrong"
