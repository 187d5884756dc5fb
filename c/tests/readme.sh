#!/usr/bin/env bash
# Takes the code blocks out of the README: readme.sh README FOLDER. Each is a whole file: readme_1.c, readme_1.cpp,
# CMakeLists.txt, install.sh.
set -euo pipefail
awk -v folder="$2" '
    /^```(c|cpp|cmake|sh)$/ {
        kind = substr($0, 4)
        file = folder "/readme_" (++count[kind]) "." kind
        if (kind == "cmake") file = folder "/CMakeLists.txt"
        if (kind == "sh") file = folder "/install.sh"
        printf "" > file
        next
    }
    /^```/ { if (file) close(file); file = ""; next }
    file { print >> file }
' "$1"
