#!/bin/sh
# run.sh BUILD [NAME]: peers that lie. First every lie that needs no socket is
# told to replication alone, then all of them over UDP to pear-seed and to
# pear-dump that run, and to the DHT node of a pear-seed. After each lie the liar must be gone for the reason the
# table gives, an honest peer must have its data, and memory must be bounded.
# NAME: only lies whose name contains it. What ran stays in BUILD/hostile.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

build=$(realpath "${1:?usage: tests/hostile/run.sh BUILD [NAME]}")
shift
[ -x "$build/tools/hostile" ] || {
	echo "no $build/tools/hostile: make tools first"
	exit 2
}
work=$build/hostile
rm -rf "$work"
mkdir -p "$work/in" "$work/honest" "$work/read" "$work/found"
export PATH="$build/bin:$build/tools:$PATH"
export PEAR_DHT_BOOTSTRAP=none
seeder=
net=

# shellcheck disable=SC2317 # called by the trap
stop() {
	[ -z "$seeder" ] || kill -CONT "$seeder" 2>/dev/null
	[ -z "$seeder" ] || kill "$seeder" 2>/dev/null
	[ -z "$net" ] || kill "$net" 2>/dev/null
	wait
}
trap stop EXIT

die() {
	fail "$*"
	finish
	exit 1
}

# told LOG: take over the counts of a run of the program
told() {
	grep FAIL "$1"
	line=$(tail -n 1 "$1")
	case $line in
	*' passed, '*' failed')
		ok=${line%% *}
		bad=${line#*, }
		printf '%-8s %s\n' "$2" "$line"
		add_counts "$ok" "${bad%% *}"
		;;
	*) fail "$2: $line" ;;
	esac
}

tree() {
	mkdir -p "$work/tree/lib"
	echo '{"name":"hostile","version":"1.0.0"}' >"$work/tree/package.json"
	i=0
	while [ $i -lt 150 ]; do
		echo "file $i is not the same as any other" >"$work/tree/lib/$i"
		i=$((i + 1))
	done
	head -c 3000000 /dev/urandom >"$work/tree/data"
}

# check NAME DIR PEER...: a program that fetches the drive and compares, see
# struct target; the liar's address comes first where there is one
check() {
	name=$1 dir=$2
	shift 2
	cat >"$work/$name" <<-END
		#!/bin/sh
		cd "$dir" || exit 1
		export PEAR_DHT_BOOTSTRAP=$PEAR_DHT_BOOTSTRAP
		peer=\${2:+--peer \$2}
		pear-dump --storage "\$1.store" \$peer $* --json -v \\
		    "$link" "\$1.out" >"\$1.log" 2>&1 &&
		    diff -r "$work/tree" "\$1.out" >"\$1.diff" 2>&1 &&
		    verify "\$1.store" >"\$1.verify" 2>&1 || exit 1
		rm -rf "\$1.store" "\$1.out"
	END
	chmod +x "$work/$name"
}

# await FILE TEXT WHO
await() {
	i=0
	while ! grep -q "$2" "$1" 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 200 ] || die "$3: $(tail -n 3 "$1")"
		sleep 0.1
	done
}

start_seeder() {
	: >"$work/seed.out"
	pear-seed "$link" --listen 127.0.0.1:0 --storage "$work/truth" --json \
	    -v >"$work/seed.out" 2>"$work/seed.log" &
	seeder=$!
	await "$work/seed.out" listening pear-seed
	at=$(sed -n 's/.*"address":"\([^"]*\)","key":"\([^"]*\)".*/\1:\2/p' \
	    "$work/seed.out")
}

hostile inproc "$work/in" "$@" >"$work/inproc.log" 2>&1
told "$work/inproc.log" inproc

tree
link=$(pear-touch --storage "$work/truth") || die "pear-touch"
pear-stage --storage "$work/truth" "$link" "$work/tree" \
    >"$work/stage.log" 2>&1 || die "pear-stage: $(cat "$work/stage.log")"
start_seeder
check seeder-check "$work/honest" --peer "$at"
check reader-check "$work/read" --peer "$at"
core=${link#pear://}
hostile seeder "$at" "$seeder" "$work/seed.log" "$work/truth" "$core" \
    "$work/seeder-check" "$work/honest" "$@" >"$work/seeder.log" 2>&1
told "$work/seeder.log" seeder
hostile reader "$at" "$seeder" "$work/seed.log" "$work/truth" "$core" \
    "$work/reader-check" "$work/read" "$@" >"$work/reader.log" 2>&1
told "$work/reader.log" reader

stop_seeder() {
	kill "$seeder" 2>/dev/null
	wait "$seeder" || fail "pear-seed ended with $?"
	seeder=
}

stop_seeder

# the same seeder, found by its link in a DHT that is full of liars
: >"$work/net.log"
pear-dht --nodes 5 --json --stats-interval 100 >"$work/net.log" 2>&1 &
net=$!
await "$work/net.log" '"persistent":5,"nodes":4' pear-dht
PEAR_DHT_BOOTSTRAP=$(sed -n \
    's/.*"tag":"bootstrap".*"nodes":\["\([^"]*\)".*/\1/p' "$work/net.log")
start_seeder
await "$work/seed.out" '"tag":"announced"' pear-seed
check found-check "$work/found"
hostile dht "$at" "$seeder" "$PEAR_DHT_BOOTSTRAP" "$core" \
    "$work/found-check" "$work/found" "$@" >"$work/found.log" 2>&1
told "$work/found.log" dht
stop_seeder
kill "$net"
wait "$net"
net=
verify "$work/truth" >"$work/verify" 2>&1 || fail "$(cat "$work/verify")"
pass
finish
