#!/bin/sh
# run.sh BUILD [VICTIM...]: kill a writing program at every call by which it
# changes files, and at random moments, and let every such call fail (failures
# K1, K2, D1, D5). After each, the store must hold exactly the old or the new
# version, whole and verified; a success that was printed must be there; and
# running the same command again must end in the new version.
#
# Victims: edit (tests/interop/drive_edit, the library alone), replica
# (core_proofs apply: taking what another signed), fork (the same, of a core
# that was truncated), stage (pear-stage), provision (pear-provision) and
# commit (hyper-multisig commit of a second release). RANDOM_KILLS=N (200), SEED=N (1) for the moments.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

build=$(realpath "${1:?usage: tests/crash/run.sh BUILD [VICTIM...]}")
shift
[ $# -gt 0 ] || set -- edit replica fork stage provision commit
LANES=2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for victim in "$@"; do
	lane=0
	while [ "$lane" -lt "$LANES" ]; do
		tests/crash/sweep.sh "$build" "$victim" "$lane" "$LANES" \
		    "$work/$victim-$lane" >"$work/$victim-$lane.log" 2>&1 &
		lane=$((lane + 1))
	done
	wait
	lane=0
	while [ "$lane" -lt "$LANES" ]; do
		log=$work/$victim-$lane.log
		sed '$d' "$log" | head -n 60
		line=$(tail -n 1 "$log")
		case $line in
		*' passed, '*' failed')
			ok=${line%% *}
			bad=${line#*, }
			add_counts "$ok" "${bad%% *}"
			;;
		*) fail "$victim lane $lane: $line" ;;
		esac
		lane=$((lane + 1))
	done
done
finish
