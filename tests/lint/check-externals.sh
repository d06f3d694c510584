#!/bin/sh
# Each library is known to one room (externals.txt).
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

while read -r header places; do
	case $header in '' | '#'*) continue ;; esac
	for f in $(c_files | xargs grep -lE "#[ 	]*include[ 	]*[<\"]${header}[>\"]"); do
		for p in $places; do
			case $f in "$p"*) continue 2 ;; esac
		done
		bad "$f: includes $header; only $places may"
	done
done <tests/lint/externals.txt
verdict
