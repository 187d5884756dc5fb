#!/usr/bin/env bash
# Packs a staged folder: archive.sh FOLDER TARGET. Prints the sizes.
set -euo pipefail
folder=$1 target=$2
name=$(basename "$folder")
mkdir -p "$target"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$(dirname "$folder")" -czf "$target/$name.tar.gz" "$name"
shared=$(stat -c %s "$(readlink -f "$folder/lib/liblightning_db.so")")
printf 'shared library, stripped: %d bytes\nstatic library, stripped: %d bytes\narchive: %s, %d bytes\n' \
    "$shared" "$(stat -c %s "$folder/lib/liblightning_db.a")" "$target/$name.tar.gz" "$(stat -c %s "$target/$name.tar.gz")"
if [ "$shared" -gt $((5 * 1024 * 1024)) ]; then
    echo 'the shared library is larger than 5 MiB' >&2
    exit 1
fi
