#!/bin/sh
# run.sh [STEP...]: all tests, or the named steps. Steps that do not depend on
# each other run two at a time. Logs stay in build/test-logs. The last line is
# the total of all checks.
set -u
cd "$(dirname "$0")/.." || exit 1

LOGS=build/test-logs
SAN=address,undefined
LANES=2
# Every other step stands on these: one after the other, first.
FIRST="build san-build"
# The long ones first, so that both lanes end together.
LATER="hostile interop cycle crash unit-san cmd vectors lint unit link"
LATER="$LATER fuzz-replay browser relay examples sim natlab"
MAKE=${MAKE:-make}

command_of() {
	case $1 in
	build) echo "$MAKE -j$LANES all units tools link-build" ;;
	san-build) echo "$MAKE -j$LANES SAN=$SAN units fuzz-build" ;;
	lint) echo "tests/lint/run.sh" ;;
	unit) echo "$MAKE unit" ;;
	unit-san) echo "$MAKE SAN=$SAN unit" ;;
	vectors) echo "tests/vectors/gen/check.sh" ;;
	link) echo "$MAKE link-test" ;;
	fuzz-replay) echo "$MAKE SAN=$SAN fuzz-replay" ;;
	cmd) echo "$MAKE cmd-test" ;;
	crash) echo "$MAKE crash-test" ;;
	hostile) echo "$MAKE hostile-test" ;;
	interop) echo "$MAKE interop" ;;
	cycle) echo "$MAKE cycle" ;;
	sim) echo "$MAKE sim" ;;
	browser) echo "$MAKE browser" ;;
	natlab) echo "$MAKE natlab-smoke" ;;
	relay) echo "$MAKE relay-smoke" ;;
	examples) echo "$MAKE examples" ;;
	*) echo "echo no such step: $1; exit 2" ;;
	esac
}

# counts LOG STATUS: the last "N passed, N failed" of a log. A step that
# prints none counts as one check; one that ends badly has a failure.
counts() {
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1)
	if [ -z "$line" ]; then
		[ "$2" = 0 ] && echo "1 0" || echo "0 1"
		return
	fi
	ok=${line%% *}
	bad=${line#*, }
	bad=${bad%% *}
	[ "$2" = 0 ] || [ "$bad" != 0 ] || bad=1
	echo "$ok $bad"
}

# run_step NAME: writes NAME.log and NAME.result (passed failed seconds).
run_step() {
	log=$LOGS/$1.log
	start=$(date +%s)
	sh -c "$(command_of "$1")" >"$log" 2>&1
	n=$(counts "$log" $?)
	seconds=$(($(date +%s) - start))
	echo "$n $seconds" >"$LOGS/$1.result"
	printf '== %-12s %d passed, %d failed, %d s\n' "$1" "${n% *}" \
	    "${n#* }" "$seconds"
	[ "${n#* }" = 0 ] || tail -n 60 "$log" | sed 's/^/    /'
}

table() {
	printf '\n%-12s %-7s %7s %7s %8s\n' step result passed failed seconds
	passed=0
	failed=0
	for s in $steps; do
		read -r ok bad seconds <"$LOGS/$s.result"
		word=ok
		[ "$bad" = 0 ] || word=FAILED
		printf '%-12s %-7s %7d %7d %8d\n' \
		    "$s" "$word" "$ok" "$bad" "$seconds"
		passed=$((passed + ok))
		failed=$((failed + bad))
	done
	printf '\n%d passed, %d failed\n' "$passed" "$failed"
}

# among WORD LIST: is the word in the list?
among() {
	case " $2 " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

if [ "${1-}" = --step ]; then
	run_step "$2"
	exit 0
fi

# Steps are commands of their own: flags of an outer make are not theirs.
unset MAKEFLAGS MFLAGS MAKELEVEL
export MAKE
steps=${*:-$FIRST $LATER}
rm -rf "$LOGS"
mkdir -p "$LOGS"
for s in $FIRST; do
	among "$s" "$steps" && run_step "$s"
done
for s in $steps; do
	among "$s" "$FIRST" || echo "$s"
done | xargs -r -P "$LANES" -I{} tests/run.sh --step {}
table
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
