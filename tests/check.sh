# check.sh: counting checks in test scripts. Source it, call pass or fail for
# each check, and end with `finish`, whose line tests/run.sh reads.
#
#	. tests/check.sh
#	[ "$got" = "$want" ] && pass || fail "dump: $got instead of $want"
#	finish
#
# shellcheck shell=sh

# no test looks for peers outside of this machine
export PEAR_DHT_BOOTSTRAP=none

check_passed=0
check_failed=0

pass() {
	check_passed=$((check_passed + 1))
}

fail() {
	check_failed=$((check_failed + 1))
	printf 'FAIL: %s\n' "$*"
}

# Take over the counts of a program that ends with the same line.
add_counts() {
	check_passed=$((check_passed + $1))
	check_failed=$((check_failed + $2))
}

finish() {
	printf '%d passed, %d failed\n' "$check_passed" "$check_failed"
	[ "$check_failed" = 0 ] && [ "$check_passed" -gt 0 ]
}
