# scale.sh: one seeder with 1,000 drives and 500 peers, one with 10,000 drives,
# and the way from a key to the first byte. Sourced by run.sh. The seeder is
# pear-seed or a JavaScript one (bench/scale-js.js); the peers of set L are
# always those of bench/scale_peers, so that both seeders have the same to do.
# All of them are in one DHT of ten nodes on the loopback.
#
#	SCALE_DRIVES=1000 SCALE_PEERS=500
#	SCALE_JS_PEERS=20	of the JavaScript seeder: each costs it seconds
#	SCALE_IDLE=30	seconds in which nothing happens but keepalives and
#			announcements
#	SCALE_KNOWN=10000	drives of the seeder that has very many
#	SCALE_CROWD=1000	peers that come to ours at once, and all go
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of run.sh

SCALE_DRIVES=${SCALE_DRIVES:-1000}
SCALE_PEERS=${SCALE_PEERS:-500}
SCALE_JS_PEERS=${SCALE_JS_PEERS:-20}
SCALE_IDLE=${SCALE_IDLE:-30}
SCALE_KNOWN=${SCALE_KNOWN:-10000}
SCALE_CROWD=${SCALE_CROWD:-1000}
FIRSTS=20 # peers, for the first byte

scale_fail() {
	echo "bench: failed: $*" >&2
	exit 1
}

# await FILE WORD: the line of FILE that begins with it, once it is there
await() {
	tries=0
	until grep "^$2 " "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || scale_fail "no $2 in $1"
		sleep 0.2
	done
}

# used PID: "CPU-SECONDS KIB" so far
used() {
	cpu=$(sed 's/.*) //' "/proc/$1/stat" | awk '{ print ($12 + $13) / 100 }')
	echo "$cpu $(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status")"
}

# sample NAME WALL BEFORE PID: what PID used since BEFORE (of used)
sample() {
	# shellcheck disable=SC2046 # two words
	set -- "$1" "$2" "${3% *}" $(used "$4")
	awk -v w="$2" -v a="$3" -v b="$4" -v r="$5" \
	    'BEGIN { print w, b - a, r }' >>"$work/times/$1"
}

scale_prepare() {
	[ ! -s "$work/scale-links-ours" ] || return 0
	rm -rf "$work/scale-ours" "$work/scale-js"
	"$build/tools/scale_drives" "$work/scale-ours" "$SCALE_KNOWN" \
	    >"$work/scale-known"
	head -n "$SCALE_DRIVES" "$work/scale-known" >"$work/scale-links.new"
	node bench/scale-js.js prepare "$work/scale-js" "$SCALE_DRIVES" \
	    >"$work/scale-links-js"
	mv "$work/scale-links.new" "$work/scale-links-ours"
}

# ours_start LINKS NODES: pear-seed in $seeder; waits until it listens
ours_start() {
	out=$work/scale-seeder.json
	rm -f "$out"
	"$build/bin/pear-seed" --storage "$work/scale-ours" --json \
	    --list "$1" --listen 127.0.0.1:0 --dht-bootstrap "$2" \
	    --max-connections 2000 --stats-interval 3600000 >"$out" &
	seeder=$!
	until at=$(grep '"listening"' "$out" 2>/dev/null); do
		kill -0 "$seeder" || scale_fail pear-seed
		sleep 0.02
	done
	at=$(echo "$at" |
	    sed 's/.*"address":"\([^"]*\)","key":"\([^"]*\)".*/\1:\2/')
}

# ours_announced COUNT
ours_announced() {
	while [ "$(grep -c '"announced"' "$out")" -lt "$1" ]; do
		kill -0 "$seeder" || scale_fail pear-seed
		sleep 0.5
	done
}

seeder_stop() {
	kill -TERM "$seeder"
	wait "$seeder" || [ "$1" = js ] || scale_fail "pear-seed ended badly"
	seeder=
}

# scale_start WHO: in $seeder its process, in $at HOST:PORT:KEY
scale_start() {
	out=$work/scale-seeder
	if [ "$1" = js ]; then
		node bench/scale-js.js seed "$work/scale-js" \
		    "$work/scale-links-js" "$nodes" >"$out" &
		seeder=$!
		at=$(await "$out" announced)
		at=${at#announced }
		return
	fi
	ours_start "$work/scale-links-ours" "$nodes"
	ours_announced "$SCALE_DRIVES"
}

# many WHO: all peers come, and stay
many() {
	count=$SCALE_PEERS
	[ "$1" = ours ] || count=$SCALE_JS_PEERS
	rm -rf "$work/scale-peers"
	mkdir -p "$work/scale-peers"
	rm -f "$work/scale-in"
	mkfifo "$work/scale-in"
	before=$(used "$seeder")
	"$build/tools/scale_peers" "$work/scale-peers" "$work/scale-links-$1" \
	    "$at" "$count" 3 <"$work/scale-in" >"$work/scale-out" &
	peers=$!
	exec 9>"$work/scale-in"
	served=$(await "$work/scale-out" served)
	sample "l-$1" "${served##* }" "$before" "$seeder"
	# until every core was offered to every peer; ours offers few
	[ "$1" = ours ] || sleep 15
	before=$(used "$seeder")
	sleep "$SCALE_IDLE"
	sample "l-idle-$1" "$SCALE_IDLE" "$before" "$seeder"
	kill "$peers" # 500 farewells take their time
	exec 9>&-
	wait "$peers" || :
	peers=
}

# firsts NAME COMMAND...: the block of each, in seconds
firsts() {
	name=$1
	shift
	rm -rf "$work/scale-peers"
	mkdir -p "$work/scale-peers"
	"$@" >"$work/scale-out" || scale_fail "$@"
	awk '/^first/ { print $3 / 1000, 0, 0 }' "$work/scale-out" \
	    >>"$work/times/$name"
}

scale_round() {
	scale_start "$1"
	for who in js ours; do
		set -- "$1" "$work/scale-peers" "$work/scale-links-$1" \
		    "$nodes:${at##*:}" "$FIRSTS"
		if [ "$who" = js ]; then
			firsts "m-$1-js" node bench/scale-js.js first \
			    "$2" "$3" "$4" "$5"
		else
			firsts "m-$1-ours" "$build/tools/scale_peers" \
			    "$2" "$3" "$4" "$5" first
		fi
	done
	many "$1"
	seeder_stop "$1"
}

anonymous() {
	sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$seeder/status"
}

now() {
	date +%s.%N
}

# fetch LINKS COUNT CORES: the peers come, have their blocks, and are killed
fetch() {
	rm -rf "$work/scale-peers"
	mkdir -p "$work/scale-peers"
	rm -f "$work/scale-in"
	mkfifo "$work/scale-in"
	"$build/tools/scale_peers" "$work/scale-peers" "$1" "$at" "$2" "$3" \
	    <"$work/scale-in" >"$work/scale-out" &
	peers=$!
	exec 9>"$work/scale-in"
	served=$(await "$work/scale-out" served)
	kill "$peers"
	exec 9>&-
	wait "$peers" || :
	peers=
}

# known_round LINKS COUNT NAME: start with all of them, to a block of the last
# one; then, in $rest, the memory they take, announced and at rest
known_round() {
	tail -n 1 "$1" >"$work/scale-last"
	began=$(now)
	ours_start "$1" "$nodes"
	fetch "$work/scale-last" 1 1
	echo "$began $(now) $(used "$seeder")" |
	    awk '{ print $2 - $1, $3, $4 }' >>"$work/times/$3"
	ours_announced "$2"
	sleep 40 # what was read at the start is given back
	rest=$(anonymous)
	seeder_stop ours
}

known() {
	known_round "$work/scale-links-ours" "$SCALE_DRIVES" l-few
	few=$rest
	known_round "$work/scale-known" "$SCALE_KNOWN" l-known
	echo "$few $rest" | awk '{ printf "%.0f and %.0f MiB\n", $1 / 1024,
	    $2 / 1024 }' >"$work/scale-rest"
}

# A crowd comes and goes: memory before, with it, and a minute later.
crowd() {
	ours_start "$work/scale-links-ours" none
	sleep 40
	calm=$(anonymous)
	fetch "$work/scale-links-ours" "$SCALE_CROWD" 3
	sample l-crowd "${served##* }" "0 0" "$seeder"
	sleep 60
	files=$(find "/proc/$seeder/fd" -type l | wc -l)
	echo "$calm $(anonymous) $files" |
	    awk '{ printf "%.0f to %.0f MiB, %d files\n", $1 / 1024, $2 / 1024, $3 }' \
		>"$work/scale-calm"
	seeder_stop ours
}

scale_rounds() {
	scale_prepare
	seeder=
	peers=
	node bench/scale-js.js nodes 10 >"$work/scale-nodes" &
	dht=$!
	# shellcheck disable=SC2086 # those that run
	trap 'kill $dht $seeder $peers 2>/dev/null || :' EXIT
	until nodes=$(grep : "$work/scale-nodes"); do
		sleep 0.1
	done
	for seeds in js ours; do
		scale_round "$seeds"
	done
	known
	crowd
	trap - EXIT
	kill "$dht"
	rm -rf "$work/scale-peers" "$work/scale-in" "$work/scale-out"
}

# seconds alone: no processor time, no peak
first_row() {
	printf '| %-46s | %8s | %8s | %8s | %9s | %10s |\n' "$1" \
	    "$(of "$2" 1)" "" "" "${3:+$(ratio "$3" "$2")}" ""
}

scale_rows() {
	text="L, $SCALE_DRIVES drives"
	row "$text, $SCALE_JS_PEERS peers come: JavaScript seeds" l-js
	row "$text, $SCALE_PEERS peers come: ours seeds" l-ours
	row "L, $SCALE_JS_PEERS, then idle: JavaScript seeds" l-idle-js
	row "L, $SCALE_PEERS, then idle: ours seeds" l-idle-ours
	row "$text: start to a block of the last" l-few
	row "L, $SCALE_KNOWN drives: start to a block of the last" l-known
	printf '| %-46s | %8s | %8s | %8s | %9s | %10s |\n' \
	    "L, $SCALE_DRIVES and $SCALE_KNOWN at rest: $(cat \
		"$work/scale-rest" 2>/dev/null || echo -)" "" "" "" "" ""
	row "L, $SCALE_CROWD peers come at once" l-crowd
	printf '| %-46s | %8s | %8s | %8s | %9s | %10s |\n' \
	    "L, a minute later, $(cat "$work/scale-calm" 2>/dev/null || echo -)" \
	    "" "" "" "" ""
	text="M, a key to the first byte"
	first_row "$text: JavaScript to JavaScript" m-js-js
	first_row "$text: ours to JavaScript" m-ours-js m-js-js
	first_row "$text: JavaScript to ours" m-js-ours m-js-js
	first_row "$text: ours to ours" m-ours-ours m-js-js
}
