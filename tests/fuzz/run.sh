#!/bin/sh
# run.sh SECONDS [NAME...]: fuzz every target (or the named ones) for SECONDS
# each with libFuzzer under ASan and UBSan, one after the other, starting
# from the committed corpus. New inputs go to build/fuzz-work/NAME. Stops at
# a finding, which is kept there too, and prints how to repeat it.
set -u
cd "$(dirname "$0")/../.." || exit 1

seconds=${1:?usage: tests/fuzz/run.sh SECONDS [NAME...]}
shift
B=${B:-build/fuzz}
WORK=${WORK:-build/fuzz-work}
MAKE=${MAKE:-make}

# Instrumented archives; the targets themselves are linked here, because
# libFuzzer brings its own main.
unset MAKEFLAGS MFLAGS MAKELEVEL
"$MAKE" -j2 CC=clang B="$B" SAN=address,undefined,fuzzer-no-link \
    fuzz-libs || exit 1
libs=$("$MAKE" -s CC=clang B="$B" print-fuzz-libs)

[ $# -gt 0 ] || {
	for f in tests/fuzz/fuzz_*.c; do
		set -- "$@" "$(basename "$f" .c)"
	done
}

stat_of() {
	sed -n "s/^stat::$2: *//p" "$1" | tail -n 1
}

printf '%-24s %12s %9s %9s %7s %s\n' \
    target runs exec/s new-units rss-MB result
for name in "$@"; do
	mkdir -p "$WORK/$name" "$B/bin"
	# shellcheck disable=SC2086 # a list of archives and libraries
	clang -std=c11 -D_GNU_SOURCE -g -O1 -I. -Ilib -Itests/unit \
	    -Itests/unit/support -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -o "$B/bin/$name" \
	    "tests/fuzz/$name.c" $libs || exit 1
	log=$WORK/$name.log
	dict=tests/fuzz/$name.dict
	set -- -max_total_time="$seconds" -print_final_stats=1 -timeout=20 \
	    -rss_limit_mb=2048 -max_len=65536 \
	    -artifact_prefix="$WORK/$name-"
	[ -f "$dict" ] && set -- "$@" "-dict=$dict"
	result=clean
	"$B/bin/$name" "$@" "$WORK/$name" "tests/fuzz/corpus/$name" \
	    >"$log" 2>&1 || result=FINDING
	printf '%-24s %12s %9s %9s %7s %s\n' "$name" \
	    "$(stat_of "$log" number_of_executed_units)" \
	    "$(stat_of "$log" average_exec_per_sec)" \
	    "$(stat_of "$log" new_units_added)" \
	    "$(stat_of "$log" peak_rss_mb)" "$result"
	[ "$result" = clean ] && continue
	grep -v '^#' "$log" | tail -n 40
	echo "input: $(sed -n 's/.*Test unit written to //p' "$log")"
	exit 1
done
