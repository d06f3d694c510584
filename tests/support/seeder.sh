# seeder.sh: a pear-seed in the background for a test; source it.
#
#	seed_start NAME ARG...	runs pear-seed --json ARG..., waits until it listens;
#				sets seed_at to HOST:PORT:WHOAMI
#	seed_stop NAME		stops it and waits for it (SIGINT is ignored in the background)
# Logs are NAME.log and NAME.err in the current folder, its process NAME.pid.
#
# shellcheck shell=sh

# seed_wait FILE PATTERN [N]: until a line of the file (N of them) matches; 20 s
# at most. Does not poll: tail ends with the process that it follows.
seed_wait() {
	timeout 20 sh -c '
		tail -n +1 -f "$1" --pid="$3" 2>/dev/null | grep -m "$4" -e "$2"' \
	    sh "$1" "$2" "$(cat "${1%.log}.pid")" "${3-1}"
}

seed_start() {
	seed_name=$1
	shift
	: >"$seed_name.log"
	pear-seed --json --stats-interval 100 "$@" >"$seed_name.log" 2>"$seed_name.err" &
	echo $! >"$seed_name.pid"
	seed_at=$(seed_wait "$seed_name.log" '"tag":"listening"' |
	    sed 's/.*"address":"\([^"]*\)","key":"\([^"]*\)".*/\1:\2/')
	[ -n "$seed_at" ] || { cat "$seed_name.err" >&2; return 1; }
}

seed_stop() {
	kill -TERM "$(cat "$1.pid")"
	wait "$(cat "$1.pid")"
}
