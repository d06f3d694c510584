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
export PATH="$build/bin:$build/tools:$PATH" VECTORS="$PWD/tests/vectors"
mkdir -p "$work"

die() {
	printf '%s\n' "$*"
	exit 1
}

# shellcheck source=tests/crash/victims.sh
. tests/crash/victims.sh

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
	case $victim in stage | provision | commit) ;; *) return ;; esac
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
		# a kill may come before the shell has emptied the file
		: >"$work/out"
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
