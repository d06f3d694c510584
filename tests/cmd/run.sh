#!/bin/sh
# run.sh BINDIR [SESSION...]: golden command sessions. Each
# tests/cmd/sessions/NAME.sh is run by sh -u in an empty folder with the
# commands first in PATH; what it prints (stdout and stderr together) must
# equal NAME.out. A session that ends with another status than 0 fails, but 77
# says that this machine cannot run it: it is skipped, and its last line shown.
# UPDATE=1 writes NAME.out instead of comparing.
#
# A session sees
#	HOME, PEAR_STORAGE  inside its folder
#	PATH                the commands, and the tools of the tests
#	SESSIONS            folder of the sessions, for their fixtures
#	run CMD...          prints "$ CMD", runs it, prints "[N]" unless it is 0
#	mask NAME VALUE     later output shows <NAME> instead of VALUE
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

bin=$(realpath "${1:?usage: tests/cmd/run.sh BINDIR [SESSION...]}")
shift
sessions=$PWD/tests/cmd/sessions
support=$PWD/tests/cmd/session.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ $# -gt 0 ] || set -- "$sessions"/*.sh

# one SESSIONFILE: output in $work/NAME.got
one() {
	name=$(basename "$1" .sh)
	mkdir -p "$work/$name/home"
	(
		cd "$work/$name" || exit 1
		# shellcheck disable=SC2016 # expanded by the inner shell
		env -i PATH="$bin:$bin/../tools:/usr/bin:/bin" LC_ALL=C TZ=UTC \
		    HOME="$work/$name/home" SESSIONS="$sessions" \
		    PEAR_DHT_BOOTSTRAP=none \
		    PEAR_STORAGE="$work/$name/store" MASKS="$work/$name.masks" \
		    timeout 120 sh -u -c '. "$0"; . "$1"' "$support" "$1" 2>&1
		echo $? >"$work/$name.rc"
	) >"$work/$name.raw"
	echo "s|$work/$name|<dir>|g" >>"$work/$name.masks"
	sed -f "$work/$name.masks" "$work/$name.raw" >"$work/$name.got"
}

for s in "$@"; do
	name=$(basename "$s" .sh)
	s=$sessions/$name.sh
	[ -f "$s" ] || { fail "no session $name"; continue; }
	one "$s"
	if [ "$(cat "$work/$name.rc")" = 77 ]; then
		printf 'SKIP: %s: %s\n' "$name" "$(tail -n 1 "$work/$name.got")"
	elif [ "$(cat "$work/$name.rc")" != 0 ]; then
		fail "$name: exit $(cat "$work/$name.rc")"
		tail -n 20 "$work/$name.got"
	elif [ -n "${UPDATE-}" ]; then
		cp "$work/$name.got" "$sessions/$name.out"
		pass
	elif diff -u "$sessions/$name.out" "$work/$name.got"; then
		pass
	else
		fail "$name: output differs"
	fi
done
finish
