#!/usr/bin/env bash
# Uses the archive as its users do: installed.sh ARCHIVE FOLDER. Unpacks it into an empty folder, and builds the README's
# programs as its lines of installing say, with pkg-config (shared and static) and CMake.
set -euo pipefail
archive=$(realpath "$1") folder=$2
here=$(cd "$(dirname "$0")" && pwd)
"$here/tools.sh" pkg-config=pkg-config cmake=cmake g++=g++
rm -rf "$folder"
mkdir -p "$folder/programs" "$folder/run"
folder=$(realpath "$folder")
tar -xzf "$archive" -C "$folder"
root=$folder/$(basename "$archive" .tar.gz)
export PKG_CONFIG_PATH=$root/lib/pkgconfig
cd "$folder/programs"
"$here/readme.sh" "$root/README.md" .
passed=0

ran() {
    rm -rf "$folder"/run/*
    (cd "$folder/run" && "$@" >/dev/null)
    passed=$((passed + 1))
}

# Whether the shared library is asked for as it should be: linked_is PROGRAM yes|no
linked_is() {
    local found=no
    if readelf -d "$1" | grep 'NEEDED.*\[liblightning_db.so.0\]' >/dev/null; then found=yes; fi
    [ $found = "$2" ] || { echo "$1: shared library $found, expected $2" >&2; exit 1; }
}

# The lines of the README as they are printed, beside the archive alone.
mkdir "$folder/install"
cp "$archive" "$folder/install/"
(cd "$folder/install" && env -u PKG_CONFIG_PATH bash -eu "$folder/programs/install.sh" >/dev/null)
passed=$((passed + 1))

warnings='-Wall -Wextra -pedantic -Werror'
version=$(pkg-config --modversion lightning_db)
for source in readme_*.c readme_*.cpp "$root"/examples/c/*.c "$root"/examples/cpp/*.cpp; do
    case $source in *.c) compiler='cc -std=c99' ;; *) compiler='c++ -std=c++17' ;; esac
    # shellcheck disable=SC2086,SC2046
    $compiler $warnings "$source" $(pkg-config --cflags --libs lightning_db) -lpthread -o shared
    linked_is shared yes
    LD_LIBRARY_PATH=$root/lib ran "$PWD/shared" .
    # shellcheck disable=SC2086,SC2046
    $compiler $warnings "$source" $(pkg-config --cflags lightning_db) "$root/lib/liblightning_db.a" \
        $(pkg-config --static --libs-only-l lightning_db | sed 's/-llightning_db//') -o static
    linked_is static no
    ran "$PWD/static" .
done

cmake -S . -B build -DCMAKE_PREFIX_PATH="$root" >/dev/null
cmake --build build >/dev/null
for program in shared static; do ran "$PWD/build/$program" .; done
linked_is build/shared yes
linked_is build/static no
mkdir other_version
cp readme_1.* other_version/
sed "s/LightningDB [0-9.]* REQUIRED/LightningDB 0.0 REQUIRED/" CMakeLists.txt >other_version/CMakeLists.txt
if cmake -S other_version -B other_build -DCMAKE_PREFIX_PATH="$root" >/dev/null 2>&1; then
    echo 'another version was found' >&2
    exit 1
fi

cd /
rm -rf "$folder"
echo "installed $version: $passed passed, 0 failed"
