#!/bin/sh
# run.sh [CHECK...]: the lint checks; builds no product code. Those that look
# at archives or commands use what is in build/ (or $B).
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

[ $# -gt 0 ] || set -- layers prefixes externals banned headers text man \
	format size scripts
for c in "$@"; do
	if out=$("tests/lint/check-$c.sh" 2>&1); then
		pass
		printf 'lint %-10s ok\n' "$c"
	else
		fail "lint $c"
		printf '%s\n' "$out"
	fi
done
finish
