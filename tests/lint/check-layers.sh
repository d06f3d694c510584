#!/bin/sh
# Every #include of a room stays within the arrows of rooms.mk; a test of a
# room sees what the room sees.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

all=" $(rooms) "

# check_file ROOM FILE ALLOWED
check_file() {
	sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$2" |
	while read -r inc; do
		top=${inc%%/*}
		if [ "$top" = net ]; then
			top=${inc#net/}
			top=net-${top%%/*}
		fi
		case $inc in
		vec.h | support/*) continue ;;
		*/*) ;;
		*) [ -f "$(dirname "$2")/$inc" ] && continue
			echo "$2: include \"$inc\" names no room" ;;
		esac
		case "$all" in *" $top "*) ;; *) continue ;; esac
		case " $3 " in
		*" $top "*) ;;
		*) echo "$2: $1 may not use $top (\"$inc\")" ;;
		esac
	done
}

found=$(for r in $all; do
	allowed=$(arrows "$r")
	for f in $(c_files "$(room_dir "$r")"); do
		check_file "$r" "$f" "$allowed"
	done
	for f in $(c_files "tests/unit/$r"); do
		check_file "$r" "$f" "$allowed codec base"
	done
	# nothing below cmd may know it
	grep -n '#[ 	]*include[ 	]*"cmd/' -r "$(room_dir "$r")" 2>/dev/null
done)
# a folder that is no room
for d in lib/*/ lib/net/*/; do
	d=${d#lib/}
	d=$(echo "${d%/}" | tr / -)
	[ "$d" = net ] && continue
	case "$all" in *" $d "*) ;; *) bad "$d is not in rooms.mk" ;; esac
done
[ -z "$found" ] || bad "$found"
verdict
