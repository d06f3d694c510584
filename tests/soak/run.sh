#!/bin/sh
# run.sh BUILD: peers of both kinds in namespaces of their own, half an hour of
# misfortune. SOAK_SECONDS=60 for a short one, SEED=n for the same decisions
# again (what the processes make of them depends on the clock), VERBOSE=1 to
# watch. Needs root, nft and the pinned JavaScript packages in build/js.
#
# Everything runs below one process in a process namespace: nothing outlives
# it, however it ends.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${1:?usage: tests/soak/run.sh BUILD}
export NODE_PATH="${JS:-$PWD/build/js}/node_modules"
[ "$(id -u)" = 0 ] || {
	echo "soak: needs root, for namespaces and packet loss" >&2
	exit 1
}
for p in nft ip unshare nsenter node; do
	command -v $p >/dev/null 2>&1 || {
		echo "soak: $p is missing" >&2
		exit 1
	}
done
exec unshare --net --pid --fork --mount-proc --kill-child \
	node tests/soak/soak.js "$build"
