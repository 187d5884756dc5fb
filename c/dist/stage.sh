#!/usr/bin/env bash
# Lays out what is installed: stage.sh LIBRARIES FOLDER [strip]. LIBRARIES is where cargo put them.
set -euo pipefail
cd "$(dirname "$0")/.."
libraries=$1 folder=$2 strip=${3:-}

version=$(sed -n 's/^#define LIGHTNING_DB_VERSION "\(.*\)"$/\1/p' include/lightning_db.h)
IFS=. read -r major minor _ <<<"$version"
fill() { sed -e "s/@VERSION@/$version/g" -e "s/@MAJOR@/$major/g" -e "s/@MINOR@/$minor/g" "$1"; }

rm -rf "$folder"
mkdir -p "$folder"/include/lightning_db "$folder"/lib/pkgconfig "$folder"/lib/cmake/LightningDB
cp include/lightning_db.h include/lightning_db.hpp "$folder"/include/
cp include/lightning_db/*.hpp "$folder"/include/lightning_db/

# The libraries get their names here: the engine's crate has them in cargo's folder.
cp "$libraries/liblightning_db_c.a" "$folder/lib/liblightning_db.a"
cp "$libraries/liblightning_db_c.so" "$folder/lib/liblightning_db.so.$version"
ln -s "liblightning_db.so.$version" "$folder/lib/liblightning_db.so.$major"
ln -s "liblightning_db.so.$major" "$folder/lib/liblightning_db.so"
if [ "$strip" = strip ]; then
    strip --strip-unneeded "$folder/lib/liblightning_db.so.$version"
    strip --strip-debug "$folder/lib/liblightning_db.a"
fi

fill dist/lightning_db.pc.in >"$folder/lib/pkgconfig/lightning_db.pc"
fill dist/LightningDBConfigVersion.cmake.in >"$folder/lib/cmake/LightningDB/LightningDBConfigVersion.cmake"
cp dist/LightningDBConfig.cmake "$folder/lib/cmake/LightningDB/"
cp ../LICENSE README.md "$folder/"
mkdir -p "$folder"/examples/{c,cpp}
for example in quickstart transfer prefix_scan backup; do
    cp "../examples/c/$example.c" "$folder/examples/c/"
    cp "../examples/cpp/$example.cpp" "$folder/examples/cpp/"
done
