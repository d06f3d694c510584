# scale.sh: one seeder with 1,000 drives and 500 peers, and the way from a key
# to the first byte. Sourced by run.sh. The seeder is pear-seed or a
# JavaScript one (bench/scale-js.js); the peers of set L are always those of
# bench/scale_peers, so that both seeders have the same to do. All of them are
# in one DHT of ten nodes on the loopback.
#
#	SCALE_DRIVES=1000 SCALE_PEERS=500
#	SCALE_JS_PEERS=20	of the JavaScript seeder: each costs it seconds
#	SCALE_IDLE=60	seconds in which nothing happens but keepalives and
#			announcements
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of run.sh

SCALE_DRIVES=${SCALE_DRIVES:-1000}
SCALE_PEERS=${SCALE_PEERS:-500}
SCALE_JS_PEERS=${SCALE_JS_PEERS:-20}
SCALE_IDLE=${SCALE_IDLE:-60}
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
	mkdir -p "$work/scale-folder"
	head -c 3000 /dev/zero >"$work/scale-folder/file"
	rm -rf "$work/scale-ours" "$work/scale-js"
	i=0
	while [ "$i" -lt "$SCALE_DRIVES" ]; do
		link=$("$build/bin/pear-touch" --storage "$work/scale-ours")
		"$build/bin/pear-stage" --storage "$work/scale-ours" \
		    --skip-package-json "$link" "$work/scale-folder" >/dev/null
		echo "$link"
		i=$((i + 1))
	done >"$work/scale-links.new"
	node bench/scale-js.js prepare "$work/scale-js" "$SCALE_DRIVES" \
	    >"$work/scale-links-js"
	mv "$work/scale-links.new" "$work/scale-links-ours"
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
	"$build/bin/pear-seed" --storage "$work/scale-ours" --json \
	    --list "$work/scale-links-ours" --listen 127.0.0.1:0 \
	    --dht-bootstrap "$nodes" --max-connections 2000 \
	    --stats-interval 3600000 >"$out.json" &
	seeder=$!
	while [ "$(grep -c '"announced"' "$out.json")" -lt "$SCALE_DRIVES" ]; do
		kill -0 "$seeder" || scale_fail pear-seed
		sleep 0.1
	done
	at=$(sed -n 's/.*"listening".*"address":"\([^"]*\)".*/\1/p' "$out.json")
	at=$at:$(sed -n 's/.*"listening".*"key":"\([^"]*\)".*/\1/p' "$out.json")
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
	sleep 15 # until every core was offered to every peer
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
	kill -INT "$seeder"
	wait "$seeder" || [ "$1" = js ] || scale_fail "pear-seed ended badly"
	seeder=
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
	text="M, a key to the first byte"
	first_row "$text: JavaScript to JavaScript" m-js-js
	first_row "$text: ours to JavaScript" m-ours-js m-js-js
	first_row "$text: JavaScript to ours" m-js-ours m-js-js
	first_row "$text: ours to ours" m-ours-ours m-js-js
}
