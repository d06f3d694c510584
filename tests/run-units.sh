#!/bin/sh
# run-units.sh BINARY...: run the unit test programs, two at a time, and count
# their tests. A program that ends without cmocka's summary counts as one
# failure.
set -u
# shellcheck source=tests/check.sh
. "$(dirname "$0")/check.sh"

[ $# -gt 0 ] || { echo "no unit tests"; finish; exit 1; }
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS-detect_leaks=1:abort_on_error=0}"

# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\n' "$@" | xargs -P 2 -I{} sh -c '
	log=$1/$(echo "$2" | tr / _)
	timeout 300 "$2" >"$log" 2>&1
	echo $? >"$log.rc"' sh "$logs" {}

for t in "$@"; do
	log=$logs/$(echo "$t" | tr / _)
	rc=$(cat "$log.rc")
	ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	[ "$rc" = 0 ] || [ "${bad:-0}" -gt 0 ] || bad=1
	[ -n "$ok$bad" ] || bad=1
	add_counts "${ok:-0}" "${bad:-0}"
	[ "${bad:-0}" = 0 ] && continue
	printf 'FAIL: %s (exit %s)\n' "$t" "$rc"
	tail -n 40 "$log"
done
finish
