# session.sh: what a golden session may use; see run.sh.
#
# shellcheck shell=sh

# run CMD...: shows the command, its output and, unless it is 0, its status.
# The session goes on after a failure: a failure may be what it shows.
run() {
	printf '$ %s\n' "$*"
	"$@"
	set -- $?
	[ "$1" = 0 ] || printf '[%d]\n' "$1"
}

# mask NAME VALUE: shows VALUE as <NAME> in the whole output.
mask() {
	printf 's|%s|<%s>|g\n' "$(printf '%s' "$2" |
	    sed 's/[][\.*^$|]/\\&/g')" "$1" >>"$MASKS"
}
