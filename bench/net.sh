# net.sh: downloads between two peers of either kind (bench/net.js), and the
# floor below them. Sourced by run.sh. Set G is one blob of 1 GiB, H 3,000
# small files, I a blob of 128 MiB over a line of 40 ms there and back, J one
# of 16 MiB for many peers at once.
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of run.sh

LOSSES="0 100 500" # in 10,000

# net_take NAME STEP...: one sample of bench/net.js
net_take() {
	name=$1
	shift
	FULL=1 node bench/net.js "$build" "$work" "$@" \
	    >>"$work/times/$name" || {
		echo "bench: failed: net.js $*" >&2
		exit 1
	}
}

net_round() {
	take g-floor "$build/tools/net_floor" 1024
	for set in g h; do
		for from in js ours; do
			for to in js ours; do
				net_take "$set-$from-$to" get $from $to $set
			done
		done
	done
	for who in js ours; do
		net_take "k-$who-$who" again $who $who g
	done
	for loss in $LOSSES; do
		for who in js ours; do
			net_take "i-$loss-$who" get $who $who i "$loss" "$1"
		done
	done
}

net_rounds() {
	for set in g h i j; do
		FULL=1 node bench/net.js "$build" "$work" prepare $set
	done
	i=0
	while [ "$i" -lt "$RUNS" ]; do
		i=$((i + 1))
		net_round "$i"
	done
	for count in 1 10 50; do
		for who in js ours; do
			net_take "j-$count-$who" peers $who $count j
		done
	done
}

net_rows_of() {
	row "$1: JavaScript to JavaScript" "$2-js-js" "" "$3"
	row "$1: ours to JavaScript" "$2-ours-js" "$2-js-js" "$3"
	row "$1: JavaScript to ours" "$2-js-ours" "$2-js-js" "$3"
	row "$1: ours to ours" "$2-ours-ours" "$2-js-js" "$3"
}

net_rows() {
	row "G, 1 GiB over loopback: UDP, cipher (floor)" g-floor
	net_rows_of "G" g g-floor
	text="G again, from a seeder that gave it away before"
	row "$text: JavaScript" k-js-js
	row "$text: ours" k-ours-ours k-js-js g-floor
	net_rows_of "H, 3,000 files" h ""
	for loss in $LOSSES; do
		text="I, 128 MiB, 40 ms, $((loss / 100)) % loss"
		row "$text: JavaScript" "i-$loss-js"
		row "$text: ours" "i-$loss-ours" "i-$loss-js"
	done
	for count in 1 10 50; do
		text="J, to $count at once"
		row "$text: JavaScript seeds" "j-$count-js"
		row "$text: ours seeds" "j-$count-ours" "j-$count-js"
	done
}
