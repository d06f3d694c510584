#!/bin/sh
# check.sh: make the golden vectors again with the pinned originals, in the
# build folder, and compare them with the committed ones.
set -u
cd "$(dirname "$0")/../../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

work=build/vectors
rm -rf "$work"
mkdir -p "$work/gen"
cp tests/vectors/gen/*.js "$work/gen/"
NODE_PATH=$PWD/build/js/node_modules node "$work/gen/all.js" || {
	fail "the generators do not run"
	finish
	exit 1
}
for f in tests/vectors/*.json; do
	if cmp "$f" "$work/${f##*/}"; then
		pass
	else
		fail "$f differs from what the originals give"
	fi
done
# those of the network print to standard output
for f in tests/vectors/net/gen/*.js; do
	name=$(basename "$f" .js)
	if NODE_PATH=$PWD/build/js/node_modules node "$f" >"$work/net.out" &&
	    cmp "tests/vectors/net/$name.json" "$work/net.out"; then
		pass
	else
		fail "net/$name.json differs from what the originals give"
	fi
done
for f in "$work"/*.json; do
	[ -f "tests/vectors/${f##*/}" ] || fail "$f is not committed"
done
finish
