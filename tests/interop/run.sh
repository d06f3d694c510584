#!/bin/sh
# run.sh BUILD [PROGRAM...]: the programs of this folder against the pinned
# JavaScript packages in build/js. INTEROP_SEEDS=N for more random drives.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

build=${1:?usage: tests/interop/run.sh BUILD [PROGRAM...]}
shift
[ $# -gt 0 ] || set -- proofs ours-to-js js-to-ours stage provision sign signing \
	release net-raw net-rpc net-dht net-dht-nodes net-find net-sleep net-ours-to-js net-js-to-ours net-commands net-blind net-tunlab
export NODE_PATH="${JS:-$PWD/build/js}/node_modules"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for p in "$@"; do
	timeout 240 node "tests/interop/$p.js" "$build" >"$log" 2>&1
	rc=$?
	line=$(tail -n 1 "$log")
	printf '%-14s %s\n' "$p" "$line"
	case $line in
	*' passed, '*' failed')
		ok=${line%% *}
		bad=${line#*, }
		add_counts "$ok" "${bad%% *}"
		[ "$rc" = 0 ] && continue
		;;
	*) fail "$p ended with $rc" ;;
	esac
	tail -n 40 "$log"
done
finish
