#!/bin/sh
# run.sh BUILD: a report with everything in it, hostile strings included, and
# the page of a running pear-seed, as Chromium shows them. CHROMIUM=/path for
# another one.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

build=${1:?usage: tests/browser/run.sh BUILD}
export NODE_PATH="${JS:-$PWD/build/js-browser}/node_modules"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser)}
export CHROMIUM
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# the same review gives the same bytes
"$build/tools/sample_report" "$work/a.html" "$work/a.md" &&
    "$build/tools/sample_report" "$work/b.html" "$work/b.md" ||
    fail "sample_report"
for kind in html md; do
	if cmp -s "$work/a.$kind" "$work/b.$kind"; then
		pass
	else
		fail "two $kind reports of one review differ"
	fi
done

# pages SCRIPT ARG: adds what it counted
pages() {
	timeout 240 node "tests/browser/$1" "$2" >"$work/log" 2>&1
	rc=$?
	grep -v ' passed, ' "$work/log"
	line=$(tail -n 1 "$work/log")
	case $line in
	*' passed, '*' failed')
		bad=${line#*, }
		add_counts "${line%% *}" "${bad%% *}"
		[ "$rc" = 0 ] || [ "${bad%% *}" != 0 ] ||
		    fail "$1 ended with $rc"
		;;
	*) fail "$1 ended with $rc: $line" ;;
	esac
}

pages report.js "$work/a.html"
pages dashboard.js "$build"
finish
