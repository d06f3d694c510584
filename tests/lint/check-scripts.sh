#!/bin/sh
# Shell scripts please shellcheck, JavaScript parses.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

shells=$(text_files | while read -r f; do
	head -c 30 "$f" | grep -aqE '^#!/bin/(ba)?sh' && echo "$f"
done)
# shellcheck disable=SC2086 # a list of paths without blanks
if command -v shellcheck >/dev/null 2>&1; then
	shellcheck $shells || bad "shellcheck"
fi
for f in $(text_files | grep -E '\.(js|mjs)$'); do
	node --check "$f" || bad "$f: does not parse"
done
verdict
