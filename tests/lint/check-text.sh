#!/bin/sh
# No paths of somebody's machine, no download addresses in lock files, no
# notes to oneself, no installed packages.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# written so that this file does not match itself
MACHINE='(^|[^A-Za-z0-9_.])[/](work|root|tmp/[a-z])/'
REGISTRY='registr[y]\.(npmjs|yarnpkg)|npmmirro[r]'
NOTES='(^|[^A-Za-z])(TO[D]O|FIX[M]E|XX[X])([^A-Za-z]|$)'

files=$(text_files)
# shellcheck disable=SC2086 # a list of paths without blanks
for pattern in "$MACHINE" "$REGISTRY" "$NOTES"; do
	hits=$(grep -nIE "$pattern" $files | cut -c1-120)
	[ -z "$hits" ] || bad "$hits"
done
for f in $(echo "$files" | grep 'package-lock\.json$'); do
	grep -nE '"resolved"|https?://' "$f" >/dev/null &&
	    bad "$f: names download addresses"
done
if [ -d .git ] && command -v git >/dev/null 2>&1; then
	git ls-files 2>/dev/null | grep -E '(^|/)node_modules/' &&
	    bad "node_modules is committed"
fi
verdict
