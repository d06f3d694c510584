#!/bin/sh
# Calls that are never right here, and calls that are not right in a library.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

NEVER='(v?sprintf|strn?cpy|strn?cat|strtok|ato[ifl]|atoll|gets|v?f?scanf|alloca|system|popen|mktemp|tmpnam|tempnam|rand|srand|setjmp|longjmp)'
# libraries report; they do not print, exit or read the environment
LIBRARY='(printf|vprintf|fprintf|vfprintf|puts|fputs|putchar|perror|exit|_exit|abort|getenv|setlocale)'
# who may: bug() ends the process, cli talks to the user
MAY='lib/base/bug\.c|lib/cli/.*'

look() { # look FILE NAMES REASON
	hits=$(code_of "$1" | grep -nE "(^|[^A-Za-z0-9_.>])$2[ 	]*\(" |
	    cut -d: -f1 | tr '\n' ' ')
	[ -z "$hits" ] || bad "$1: $3 in line ${hits% }"
}

for f in $(c_files lib drive build-tool multisig review cmd); do
	look "$f" "$NEVER" "banned call"
	code_of "$f" | grep -qE '^[ 	]*typedef[ 	]+struct' &&
	    bad "$f: typedef of a struct"
	code_of "$f" | grep -E '(^|[^A-Za-z0-9_])goto ' | grep -vq 'goto out;' &&
	    bad "$f: goto to another label than out"
	echo "$f" | grep -qE "^($MAY)$" && continue
	case $f in
	cmd/*) ;;
	*) look "$f" "$LIBRARY" "a library prints, exits or reads the environment" ;;
	esac
done
# tests wait for nothing and depend on nothing; bounded strings they know
TESTS='(gets|v?f?scanf|alloca|popen|mktemp|tmpnam|tempnam|rand|srand|sleep|usleep|nanosleep)'
for f in $(c_files tests bench); do
	look "$f" "$TESTS" "banned call"
done
verdict
