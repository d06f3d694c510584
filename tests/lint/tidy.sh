#!/bin/sh
# tidy.sh [FILE...]: clang-tidy over the product, with .clang-tidy. Slow: not
# part of `make test`.
set -u
cd "$(dirname "$0")/../.." || exit 1

command -v clang-tidy >/dev/null 2>&1 || {
	echo "tidy: install clang-tidy first" >&2
	exit 1
}
[ $# -gt 0 ] || {
	# shellcheck disable=SC2046 # a list of paths without blanks
	set -- $(find lib drive build-tool multisig review cmd -name '*.c' | sort)
}
printf '%s\n' "$@" | xargs -P 2 -n 4 sh -c 'clang-tidy --quiet "$@" -- \
	-std=c11 -D_GNU_SOURCE -DPEAR_VERSION="\"0\"" -I. -Ilib' sh
