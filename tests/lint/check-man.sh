#!/bin/sh
# Every command has a man page, and the options of the page are those of
# --help (which comes from the option table). Needs the built commands.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

long_options() {
	grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}

# roff's \- is a hyphen; the EXAMPLES show other commands too
page_options() {
	sed -e '/^\.S[Hh] "*EXAMPLES/,/^\.S[Hh] "*[^E ]/d' \
	    -e 's/\\-/-/g' -e 's/\\fB//g;s/\\fI//g;s/\\fR//g;s/\\fP//g' \
	    -e 's/Fl -/--/g' "$1" | long_options
}

for d in cmd/*/; do
	name=$(basename "$d")
	[ -f "$d/main.c" ] || continue
	page=$d$name.1
	if [ ! -f "$page" ]; then
		bad "$name has no man page"
		continue
	fi
	[ -x "$B/bin/$name" ] || continue
	help=$("$B/bin/$name" --help | long_options)
	man=$(page_options "$page")
	for o in $help; do
		printf '%s\n' "$man" | grep -qx -- "$o" ||
		    bad "$page: $o is missing"
	done
	for o in $man; do
		printf '%s\n' "$help" | grep -qx -- "$o" ||
		    bad "$page: $o is not an option of $name"
	done
done
verdict
