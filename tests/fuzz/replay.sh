#!/bin/sh
# replay.sh BINARY...: the committed corpus of each fuzz target, and what
# earlier findings left in tests/fuzz/found/NAME, through plain binaries.
set -u
# shellcheck source=tests/check.sh
. "$(dirname "$0")/../check.sh"
here=$(dirname "$0")

[ $# -gt 0 ] || { echo "no fuzz targets"; finish; exit 1; }
for b in "$@"; do
	name=${b##*/}
	dirs=
	for d in "$here/corpus/$name" "$here/found/$name"; do
		[ -d "$d" ] && dirs="$dirs $d"
	done
	if [ -z "$dirs" ]; then
		fail "$name has no corpus"
		continue
	fi
	# shellcheck disable=SC2086 # a list of folders
	if out=$(timeout 120 "$b" $dirs 2>&1); then
		printf '%-24s %s\n' "$name" "$out"
		pass
	else
		fail "$name"
		printf '%s\n' "$out" | tail -n 40
	fi
done
finish
