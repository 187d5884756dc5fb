#!/usr/bin/env bash
# What the peers need to be built and watched: `install` gets it where it may, `features` names the peers that can be built.
set -euo pipefail

has_libclang() {
	ldconfig -p | grep -q 'libclang[-.]' || compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null
}

has_all() {
	has_libclang && command -v strace >/dev/null && command -v c++ >/dev/null
}

case "${1:-}" in
install)
	has_all && exit 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo 'installing clang, libclang-dev, g++ and strace'
		apt-get update -qq && apt-get install -y -qq clang libclang-dev g++ strace >/dev/null || true
	fi
	has_libclang || echo 'RocksDB and libmdbx are left out: libclang is not installed (Debian: libclang-dev).'
	command -v strace >/dev/null || echo 'bench-flushes cannot run: strace is not installed.'
	;;
features)
	if has_libclang; then echo 'mdbx,rocksdb'; fi
	;;
*)
	echo "usage: $0 install|features" >&2
	exit 2
	;;
esac
