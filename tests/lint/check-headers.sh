#!/bin/sh
# Header guards are PLACE_FILE_H and unique; every header compiles alone.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

seen=$(mktemp)
trap 'rm -f "$seen"' EXIT

guard_of() {
	sed -n 's/^#ifndef[ \t]*\([A-Z0-9_]*_H\)$/\1/p' "$1" | head -n 1
}

wanted_guard() {
	case $1 in
	lib/*) p=${1#lib/} ;;
	drive/* | build-tool/* | multisig/* | review/*) p=$1 ;;
	*) return ;;
	esac
	echo "$p" | tr 'a-z./-' 'A-Z___'
}

for f in $(c_files | grep '\.h$'); do
	g=$(guard_of "$f")
	want=$(wanted_guard "$f")
	if [ -z "$g" ] || ! grep -q "^#define $g\$" "$f"; then
		bad "$f: no header guard"
	elif [ -n "$want" ] && [ "$g" != "$want" ]; then
		bad "$f: guard $g, should be $want"
	elif grep -qx "$g" "$seen"; then
		bad "$f: guard $g is used twice"
	fi
	echo "$g" >>"$seen"
	${CC:-cc} -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror \
	    -I. -Ilib -Itests/unit -Itests/unit/support -x c \
	    -include "$f" /dev/null || bad "$f: does not compile alone"
done
verdict
