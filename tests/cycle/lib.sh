# lib.sh: what the steps of the cycle are written with; run.sh sources it.
#
#	step TEXT		a headline, for whoever reads the log
#	ok CMD...		runs it; 0 is expected, $out has what it said
#	refused N CODE CMD...	exit N is expected, and CODE in what it said
#	says PATTERN TEXT	the last one said so (a basic regular expression)
#	is A B TEXT		two words are the same
#	begin NAME CMD...	runs it beside: NAME.log, NAME.err, NAME.pid
#	await NAME PATTERN TEXT	until a line of NAME.log matches
#	end NAME		SIGTERM; 0 is expected
#	crash NAME		SIGKILL
#
# The parts share their variables.
# shellcheck shell=sh disable=SC2154,SC2034

PATIENCE=${PATIENCE:-60} # seconds, for what must come
out=$work/out
begun=$(date +%s)

step() { printf '== %4d s: %s\n' $(($(date +%s) - begun)) "$*"; }

check() { # check STATUS TEXT
	if [ "$1" = 0 ]; then pass; else fail "$2"; fi
}

ok() {
	"$@" >"$out" 2>&1 && pass && return
	fail "$* ended with $?: $(tail -n 3 "$out")"
}

refused() {
	want=$1
	code=$2
	shift 2
	"$@" >"$out" 2>&1
	got=$?
	if [ "$got" = "$want" ] && grep -q -e "$code" "$out"; then
		pass
	else
		fail "$*: exit $got, not $want with $code: $(tail -n 3 "$out")"
	fi
}

says() {
	if grep -q -e "$1" "$out"; then
		pass
	else
		fail "$2: $(tail -n 3 "$out")"
	fi
}

silent() { # silent PATTERN TEXT
	if grep -q -e "$1" "$out"; then
		fail "$2: $(grep -m 1 -e "$1" "$out")"
	else
		pass
	fi
}

is() {
	if [ "$1" = "$2" ]; then pass; else fail "$3: $1, not $2"; fi
}

differs() {
	if [ "$1" = "$2" ]; then fail "$3: $1 twice"; else pass; fi
}

# A process that was killed leaves its log behind: the next one has its own.
begin() {
	name=$1
	shift
	: >"$work/$name.log"
	"$@" >"$work/$name.log" 2>"$work/$name.err" &
	echo $! >"$work/$name.pid"
	running="$running $work/$name"
}

# Does not poll: tail follows the log, and ends with the process. What was
# found is in $line.
await() {
	rm -f "$work/await"
	mkfifo "$work/await"
	tail -n +1 -f --pid="$(cat "$work/$1.pid")" "$work/$1.log" \
	    >"$work/await" 2>/dev/null &
	tail=$!
	line=$(timeout "$PATIENCE" grep -m 1 -e "$2" <"$work/await")
	found=$?
	kill "$tail" 2>/dev/null
	wait "$tail" 2>/dev/null
	[ "$found" = 0 ] && pass && return
	fail "$3: $1 says $(tail -n 1 "$work/$1.log" "$work/$1.err" | cut -c1-600)"
	return 1
}

forget() {
	running=$(printf ' %s ' "$running" | sed "s| $work/$1 | |")
}

end() {
	kill -TERM "$(cat "$work/$1.pid")"
	wait "$(cat "$work/$1.pid")"
	is $? 0 "$1: status at the end"
	forget "$1"
}

crash() {
	kill -KILL "$(cat "$work/$1.pid")"
	wait "$(cat "$work/$1.pid")" 2>/dev/null
	forget "$1"
}

top=$work
clean_up() {
	for name in $running; do
		kill -KILL "$(cat "$name.pid")" 2>/dev/null
	done
	cd / || return
	[ -n "${KEEP-}" ] && echo "kept: $top" || rm -rf "$top"
}

# -- seeders ------------------------------------------------------------------

# seed NAME LINK...: ours, on the store NAME; its links are in NAME.links
seed() {
	who=$1
	shift
	printf '%s\n' "$@" >"$work/$who.links"
	again "$who"
}

again() {
	begin "$1" pear-seed --json --stats-interval 100 --storage "$1" \
	    --list "$1.links"
	await "$1" '"tag":"stats"' "$1 runs"
}

# seed_js NAME LINK...: one made of the JavaScript packages
seed_js() {
	who=$1
	shift
	printf '%s\n' "$@" >"$work/$who.links"
	again_js "$who"
}

again_js() {
	begin "$1" node "$here/js-seeder.js" "$1" "$1.links" "${2-}"
	await "$1" '"tag":"ready"' "$1 runs"
}

# also NAME LINK: one more, while it runs
also() {
	echo "$2" >>"$work/$1.links"
	kill -HUP "$(cat "$work/$1.pid")"
}

whoami() {
	sed -n 's/.*"whoami":"\([a-z0-9]*\)".*/\1/p' "$work/$1.log" |
	    head -n 1
}

# has NAME LINK LENGTH: it holds all of so many blocks of metadata and of the
# contents
has() {
	await "$1" "\"driveKey\":\"${2#pear://}\",\"driveLength\":$3,.*\"state\":\"complete\"" \
	    "$1 has all of $2 at $3"
}

# -- drives -------------------------------------------------------------------

# about STORE LINK FIELD: of pear-info, without the network
about() {
	pear-info --offline --json --storage "$1" "$2" 2>/dev/null |
	    sed -n "s/.*\"tag\":\"info\".*\"$3\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

verlink() { about "$1" "$2" verlink; }

# length VERLINK
length() {
	length_rest=${1#pear://*.}
	echo "${length_rest%%.*}"
}

# package VERSION UPGRADE
package() {
	mkdir -p "$work/app"
	cat >"$work/app/package.json" <<END
{ "name": "hello", "productName": "Hello", "version": "$1", "upgrade": "$2" }
END
}

# A stub app is a file that says its version, and something that compresses to
# nothing shared.
stub() { # stub FILE TEXT
	mkdir -p "$(dirname "$1")"
	{
		echo "$2"
		printf '%s' "$2 $1" | sha256sum
		seq 1 4000
	} >"$1"
	chmod 755 "$1"
}

# assemble VERSION UPGRADE [TEXT]: five architectures into hello-VERSION
assemble() {
	package "$1" "$2"
	text=${3-$1}
	for a in darwin-arm64 darwin-x64; do
		stub "made/$a/Hello.app/Contents/MacOS/Hello" "$text $a"
	done
	for a in linux-arm64 linux-x64; do
		stub "made/$a/Hello.AppImage" "$text $a"
	done
	stub made/win32-x64/Hello.msix "$text win32-x64"
	pear-build --package app/package.json --target "hello-$1" \
	    --darwin-arm64-app made/darwin-arm64/Hello.app \
	    --darwin-x64-app made/darwin-x64/Hello.app \
	    --linux-arm64-app made/linux-arm64/Hello.AppImage \
	    --linux-x64-app made/linux-x64/Hello.AppImage \
	    --win32-x64-app made/win32-x64/Hello.msix
}

# Every file of a folder: mode, hash, name.
listing() {
	(cd "$1" && find . -type f -exec stat -c '%A %n' {} + | sort -k 2 &&
		find . -type f -exec sha256sum {} + | sort -k 2)
}

same_tree() { # same_tree A B TEXT
	is "$(listing "$1" 2>&1)" "$(listing "$2" 2>&1)" "$3"
}
