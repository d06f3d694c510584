#!/bin/sh
# run.sh BUILD [OPTION...]: who gets through which NATs to whom, against the
# pinned JavaScript packages in build/js; natlab.js tells the options.
# run.sh BUILD --relay [--smoke | NAME...]: and who meets at a relay (relay.js).
# Needs root, nft and conntrack; says so and is content where they are missing.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${1:?usage: tests/natlab/run.sh BUILD [OPTION...]}
shift
export NODE_PATH="${JS:-$PWD/build/js}/node_modules"
if [ "${1-}" = --relay ]; then
	shift
	exec node tests/natlab/relay.js "$build" "$@"
fi
exec node tests/natlab/natlab.js "$build" "$@"
