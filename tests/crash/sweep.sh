#!/bin/sh
# sweep.sh BUILD VICTIM LANE LANES WORK: one lane of run.sh: the points N with
# N mod LANES = LANE. WORK is a folder of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

build=$1
victim=$2
lane=$3
lanes=$4
work=$5
RANDOM_KILLS=${RANDOM_KILLS:-200}
SEED=${SEED:-1}
store=$work/store
seed=$(printf '%064d' 7)
mkdir -p "$work"

die() {
	printf '%s\n' "$*"
	exit 1
}

# -- trees and versions --------------------------------------------------

# bytes N SEED: N repeatable bytes
bytes() {
	awk -v n="$1" -v s="$2" 'BEGIN {
		x = s * 2654435 + 1
		for (i = 0; i < n; i++) {
			x = (x * 16807) % 2147483647
			printf "%c", 33 + x % 90
		}
	}'
}

old_tree() {
	mkdir -p "$1/bin" "$1/data" "$1/lib"
	echo '{"name":"crash","version":"1.0.0"}' >"$1/package.json"
	bytes 300000 1 >"$1/data/big"
	bytes 70000 2 >"$1/data/gone"
	bytes 5000 3 >"$1/lib/moved"
	bytes 900 4 >"$1/bin/run"
	chmod +x "$1/bin/run"
	ln -s ../package.json "$1/lib/link"
	i=0
	while [ $i -lt 12 ]; do
		bytes 200 "$((10 + i))" >"$1/lib/small-$i"
		i=$((i + 1))
	done
}

# add, change, delete, rename, mode and link
new_tree() {
	cp -a "$2" "$1"
	echo '{"name":"crash","version":"1.0.1"}' >"$1/package.json"
	bytes 90000 5 >"$1/data/added"
	bytes 1000 6 >>"$1/data/big"
	rm "$1/data/gone"
	mv "$1/lib/moved" "$1/bin/moved"
	chmod -x "$1/bin/run"
	ln -sfn run "$1/lib/link"
	bytes 150 7 >"$1/lib/small-3"
}

# a tree as lines for drive_edit; $2: names to delete first
edit_lines() {
	for p in $2; do
		printf '{"op":"del","path":"/%s","share":"shared"}\n' "$p"
	done
	(cd "$1" && find . -type f -o -type l | sed 's|^\./||' | sort) |
	while read -r p; do
		if [ -L "$1/$p" ]; then
			printf '{"op":"symlink","path":"/%s","linkname":"%s","share":"shared"}\n' \
			    "$p" "$(readlink "$1/$p")"
			continue
		fi
		x=false
		[ -x "$1/$p" ] && x=true
		printf '{"op":"put","path":"/%s","executable":%s,"share":"shared","data":"%s"}\n' \
		    "$p" "$x" "$(od -An -v -tx1 "$1/$p" | tr -d ' \n')"
	done
	printf '{"op":"commit"}\n'
}

# -- the victims ---------------------------------------------------------

# victim_run old|new: the command under test; runs in the environment given
victim_run() {
	case $victim in
	edit) exec "$build/tools/drive_edit" "$store" "$seed" \
		<"$work/$1.lines" ;;
	replica) exec "$build/tools/core_proofs" apply "$store" \
		<"$work/$1.proofs" ;;
	stage) exec "$build/bin/pear-stage" --storage "$store" --json \
		"$link" "$work/$1" ;;
	esac
}

# what victim_run prints when the new version is promised
promised() {
	case $victim in
	edit) grep -q '"version"' "$1" ;;
	replica) grep -q '"contiguous"' "$1" ;;
	stage) grep -q '"success":true' "$1" ;;
	esac
}

# proofs NAME FROM: the larger core of $work/source from length FROM on, as
# lines for core_proofs apply; sets $length. All of it is one commit.
proofs() {
	"$build/tools/verify" "$work/source" >"$work/cores" ||
	    die "cannot read the source"
	sed 's/.*"core":"\([0-9a-f]*\)".*"length":\([0-9]*\).*/\2 \1/' \
	    "$work/cores" | sort -n | tail -n 1 >"$work/largest"
	read -r length core <"$work/largest"
	awk -v key="$core" -v from="$2" -v n="$length" '
	# levels from block i to the root above it
	function depth(i,  size, off) {
		off = 0
		for (size = 2 ^ 40; size >= 1; size /= 2)
			if (int(n / size) % 2) {
				if (i < off + size) return int(log(size) / log(2) + 0.5)
				off += size
			}
	}
	BEGIN {
		printf "{\"key\":\"%s\",\"manifest\":true,\"upgrade\":", key
		printf "{\"start\":%d,\"length\":%d}}\n", from, n - from
		for (i = from; i < n; i++)
			printf "{\"key\":\"%s\",\"block\":{\"index\":%d,\"nodes\":%d}}\n",
			    key, i, depth(i)
	}' | "$build/tools/core_proofs" serve "$work/source" |
	    sed "s/^{/{\"key\":\"$core\",/" >"$work/$1.proofs"
	printf '{"key":"%s","commit":true}\n' "$core" >>"$work/$1.proofs"
	! grep '"error"' "$work/$1.proofs" || die "cannot make proofs"
}

prepare_replica() {
	"$build/tools/drive_edit" "$work/source" "$seed" \
	    <"$work/old.lines" >"$work/out" || die "no source"
	proofs old 0
	"$build/tools/drive_edit" "$work/source" "$seed" \
	    <"$work/new.lines" >"$work/out" || die "no newer source"
	proofs new "$length"
	key=
}

prepare() {
	old_tree "$work/old"
	new_tree "$work/new" "$work/old"
	edit_lines "$work/old" "" >"$work/old.lines"
	edit_lines "$work/new" "data/gone lib/moved" >"$work/new.lines"
	case $victim in
	edit)
		(victim_run old) >"$work/out" || die "cannot make the old version"
		key=$(sed 's/.*"key":"\([0-9a-f]*\)".*/\1/' "$work/out")
		;;
	replica)
		prepare_replica
		(victim_run old) >"$work/out" || die "cannot take the old version"
		;;
	stage)
		link=$("$build/bin/pear-touch" --storage "$store") ||
		    die "pear-touch does not work"
		(victim_run old) >"$work/out" || die "cannot stage"
		key=${link#pear://}
		;;
	*) die "no victim $victim" ;;
	esac
	state old || die "the old version does not verify"
	rm -f "$store/index/lock.mdb"
	cp -a "$store" "$work/template"
}

# -- looking at the store ------------------------------------------------

# state NAME: verify, and write what is there to WORK/NAME.state
state() {
	"$build/tools/verify" "$store" ${key:+"$key"} \
	    >"$work/$1.state" 2>"$work/err"
}

# In place: a store knows the inode of its index.
restore() {
	find "$store" -type f ! -name data.mdb -delete
	cp -a "$work/template/." "$store/"
}

again() {
	(victim_run new) >"$work/again" 2>&1
}

# judge WHAT STATUS: after a run that was disturbed
judge() {
	if [ "$2" -gt 128 ] && [ "$2" != 137 ]; then
		fail "$1: died of signal $(($2 - 128))"
		return
	fi
	if ! state now; then
		fail "$1: $(cat "$work/err")"
		return
	fi
	if cmp -s "$work/now.state" "$work/new.state"; then
		is=new
	elif cmp -s "$work/now.state" "$work/old.state"; then
		is=old
	else
		fail "$1: neither the old nor the new version"
		tail -n 1 "$work/now.state"
		return
	fi
	if [ $is = old ] && { [ "$2" = 0 ] || promised "$work/out"; }; then
		fail "$1: success was told, but the version is the old one"
		return
	fi
	if [ "$2" != 0 ] && [ "$2" != 137 ] && [ ! -s "$work/out" ]; then
		fail "$1: failed without a word"
		return
	fi
	if [ $is = old ] || [ "$victim" != edit ]; then
		if ! again; then
			fail "$1: running again: $(tail -n 3 "$work/again")"
			return
		fi
		state now || { fail "$1: again: $(cat "$work/err")"; return; }
		if ! cmp -s "$work/now.state" "$work/new.state"; then
			fail "$1: running again gave another version"
			return
		fi
	fi
	pass
}

# The same through pear-dump, where there is one; slower, so not each time.
dumped() {
	[ "$victim" = stage ] || return
	rm -rf "$work/dump"
	if ! "$build/bin/pear-dump" --storage "$store" "$link" \
	    "$work/dump" >"$work/out" 2>&1; then
		fail "$1: dump: $(tail -n 2 "$work/out")"
	elif diff -r --no-dereference "$work/new" "$work/dump" >"$work/out"; then
		pass
	else
		fail "$1: dump differs: $(head -n 3 "$work/out")"
	fi
}

# -- the sweeps ----------------------------------------------------------

# disturbed N HOW: a run disturbed at call N; its status is in $status
# shellcheck disable=SC2030,SC2031 # meant for the subshell alone
disturbed() {
	restore
	# the shell says "Killed" itself
	{
		(
			export CRASH_AT="$1" CRASH_DO="$2"
			export LD_PRELOAD="$build/tools/crash_shim.so"
			victim_run new
		) >"$work/out" 2>&1
		status=$?
	} 2>"$work/killed"
}

# shellcheck disable=SC2030,SC2031 # meant for the subshell alone
count_calls() {
	(
		export LD_PRELOAD="$build/tools/crash_shim.so"
		export CRASH_COUNT="$work/count" CRASH_TRACE="$work/trace"
		victim_run new
	) >"$work/out" 2>&1 || die "undisturbed: $(tail -n 3 "$work/out")"
	state new || die "the new version does not verify: $(cat "$work/err")"
	calls=$(cat "$work/count")
	cmp -s "$work/old.state" "$work/new.state" && die "nothing changed"
	[ "$calls" -gt 5 ] || die "only $calls calls seen"
	promised "$work/out" || die "no promise in $(cat "$work/out")"
}

# sweep HOW PATTERN: at each call of this lane whose name matches
sweep() {
	n=1
	while [ "$n" -le "$calls" ]; do
		name=$(sed -n "s/^$n //p" "$work/trace")
		if [ $((n % lanes)) = "$lane" ] &&
		    echo "$name" | grep -qE "$2"; then
			disturbed "$n" "$1"
			judge "$victim $1 $name (call $n of $calls)" $status
			[ $((n / lanes % 10)) = 0 ] &&
			    dumped "$victim $1 $name (call $n)"
		fi
		n=$((n + 1))
	done
}

millis() {
	echo $(($(date +%s%N) / 1000000))
}

# Kills at moments spread over a little more than a whole run.
random_kills() {
	restore
	t0=$(millis)
	again || die "cannot run"
	span=$((($(millis) - t0) * 12 / 10 + 2))
	i=$lane
	while [ "$i" -lt "$RANDOM_KILLS" ]; do
		delay=$(awk -v s="$SEED" -v i="$i" -v t="$span" \
		    'BEGIN { srand(s * 100003 + i); printf "%.4f", rand() * t / 1000 }')
		restore
		(victim_run new) >"$work/out" 2>&1 &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>"$work/killed"
		judge "$victim killed after $delay s (seed $SEED, kill $i)" $?
		i=$((i + lanes))
	done
}

prepare
count_calls
[ "$lane" = 0 ] && printf '%s: %d calls\n' "$victim" "$calls"
sweep before .
sweep torn write
[ $((calls % lanes)) = "$lane" ] && {
	disturbed "$calls" after
	judge "$victim after the last call" $status
}
sweep EIO .
sweep ENOSPC .
random_kills
finish
