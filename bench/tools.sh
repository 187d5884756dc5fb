#!/usr/bin/env bash
# What the peers need to be built and watched: `install` gets it where it may, `features` names the peers that can be built.
set -euo pipefail

has_libclang() {
	ldconfig -p | grep -Eq 'libclang(-[0-9.]+)?\.so' || compgen -G '/usr/lib/llvm-*/lib/libclang.so*' >/dev/null
}

has() {
	command -v "$1" >/dev/null
}

has_all() {
	has_libclang && has strace && has valgrind && has c++
}

case "${1:-}" in
install)
	has_all && exit 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo 'installing clang, libclang-dev, g++, strace and valgrind'
		apt-get update -qq && apt-get install -y -qq clang libclang-dev g++ strace valgrind >/dev/null || true
	fi
	has_libclang || echo 'RocksDB and libmdbx are left out: libclang is not installed (Debian: libclang-dev).'
	has strace || echo 'bench-flushes cannot run: strace is not installed.'
	has valgrind || echo 'bench-check cannot run: valgrind is not installed.'
	;;
features)
	if has_libclang; then echo 'mdbx,rocksdb'; fi
	;;
*)
	echo "usage: $0 install|features" >&2
	exit 2
	;;
esac
