#!/bin/sh
# Exported symbols of each archive start with the stem of their file or of a
# header of the room, the room's name, or a prefix registered for the room in
# prefixes.txt. Prefixes of the
# libraries we use are never ours.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

FOREIGN='^(uv|git|json|crypto|sodium|mdb|randombytes)_'

for r in $(rooms); do
	a=$B/lib$r.a
	[ -f "$a" ] || continue
	extra=$(sed -n "s/^$r: *//p" tests/lint/prefixes.txt)
	for h in "$(room_dir "$r")"/*.h; do
		extra="$extra $(basename "$h" .h)"
	done
	found=$(nm -A -g --defined-only "$a" 2>/dev/null |
	    awk -v room="$(echo "$r" | tr - _)" -v extra="$extra" \
	    -v foreign="$FOREIGN" '
	BEGIN { n = split(extra, p, " ") }
	{
		split($1, part, ":")
		stem = part[2]
		sub(/\.o$/, "", stem)
		sym = tolower($NF)
		# the sanitizers and the compiler own the double underscore
		if (sym ~ /^__/) next
		ok = sym ~ ("^" stem "(_|$)") || sym ~ ("^" room "(_|$)")
		for (i = 1; i <= n && !ok; i++)
			ok = sym ~ ("^" p[i] "(_|$)")
		if (!ok || sym ~ foreign)
			print "  " part[1] " " stem ".c: " sym
	}')
	[ -z "$found" ] && continue
	violations=$((violations + 1))
	printf '%s\n' "$found"
done
verdict
