#!/bin/sh
# No function over 80 lines. Files over 600 lines say why in their first
# comment ("600 lines").
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

for f in $(c_files lib drive build-tool multisig review cmd tests bench); do
	found=$(awk '
	/^[a-z].*\(|^[a-z_0-9]+\(/ { name = $0 }
	/^\{/ { start = NR }
	/^\}/ && start {
		if (NR - start > 81) print name ": " NR - start - 1 " lines"
		start = 0
	}' "$f" | grep -v '=')
	[ -z "$found" ] || bad "$f: $found"
	[ "$(wc -l <"$f")" -le 600 ] && continue
	sed '/\*\//q' "$f" | grep -q '600 lines' ||
	    bad "$f: $(wc -l <"$f") lines, and no reason given"
done
verdict
