# lib.sh: taking samples and printing rows. Sourced; sees work and timeit.
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of run.sh

# take NAME COMMAND...: one run; "wall cpu rss" goes to the samples of NAME
take() {
	name=$1
	shift
	"$timeit" -q -- "$@" >>"$work/times/$name" || {
		echo "bench: failed: $*" >&2
		exit 1
	}
}

# of NAME FIELD: median (1 wall, 2 cpu) or largest (3 memory)
of() {
	[ -s "$work/times/$1" ] || { echo -; return; }
	if [ "$2" = 3 ]; then
		sort -n -k3 "$work/times/$1" | tail -n 1 | cut -d' ' -f3
		return
	fi
	sort -n -k"$2" "$work/times/$1" | awk -v f="$2" '
	{ v[NR] = $f }
	END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

ratio() {
	a=$(of "$1" 1)
	b=$(of "$2" 1)
	[ "$a" = - ] || [ "$b" = - ] && { echo -; return; }
	awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f", a / b }'
}

mib() {
	r=$(of "$1" 3)
	[ "$r" = - ] && { echo -; return; }
	awk -v r="$r" 'BEGIN { printf "%.0f", r / 1024 }'
}

# row TEXT NAME [JS-NAME [FLOOR-NAME]]: how many times faster than
# JavaScript, how many times the floor
row() {
	printf '| %-46s | %8s | %8s | %8s | %9s | %10s |\n' "$1" \
	    "$(of "$2" 1)" "$(of "$2" 2)" "$(mib "$2")" \
	    "${3:+$(ratio "$3" "$2")}" "${4:+$(ratio "$2" "$4")}"
}

heading() {
	printf '| %-46s | %8s | %8s | %8s | %9s | %10s |\n' \
	    "" "wall s" "cpu s" "peak MiB" "JS/ours" "ours/floor"
	printf '|%s|%s|%s|%s|%s|%s|\n' -------- ---: ---: ---: ---: ---:
}
