# lib.sh: what the lint checks share. A check prints one line per violation
# through bad() and ends with `verdict`.
#
# shellcheck shell=sh

cd "$(dirname "$0")/../.." || exit 2
B=${B:-build}
violations=0

bad() {
	violations=$((violations + 1))
	printf '  %s\n' "$*"
}

verdict() {
	[ "$violations" = 0 ]
}

rooms() {
	make -s --no-print-directory -f rooms.mk -f tests/lint/print.mk rooms
}

# rooms a room may include, itself first
arrows() {
	make -s --no-print-directory -f rooms.mk -f tests/lint/print.mk \
	    "arrows-$1"
}

room_dir() {
	case $1 in
	drive | build-tool | multisig | review) echo "$1" ;;
	net-*) echo "lib/net/${1#net-}" ;;
	*) echo "lib/$1" ;;
	esac
}

# C files below the given folders, or of the whole project
c_files() {
	[ $# -gt 0 ] || set -- lib drive build-tool multisig review cmd tests bench
	find "$@" \( -name '*.c' -o -name '*.h' \) 2>/dev/null | sort
}

# every text file of the project
text_files() {
	find . \( -path ./build -o -path ./.git -o -name node_modules \) \
	    -prune -o -type f -print | sed 's|^\./||' | sort
}

# code of a C file without comments, line numbers kept
code_of() {
	awk '
	{
		out = ""
		s = $0
		while (length(s)) {
			if (inside) {
				k = index(s, "*/")
				if (!k) { s = ""; break }
				s = substr(s, k + 2); inside = 0
			} else if (match(s, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) {
				t = substr(s, RSTART, RLENGTH)
				out = out substr(s, 1, RSTART - 1)
				s = substr(s, RSTART + RLENGTH)
				if (t == "/*") inside = 1
				else if (t == "//") s = ""
				else out = out "\"\""
			} else { out = out s; s = "" }
		}
		print out
	}' "$1"
}
