#!/bin/sh
# link.sh BINARY...: each binary holds every object of one room and its
# arrows. That it linked proves that no room calls upwards; here we look that
# storage rooms need no network and network rooms no storage, in the
# libraries and in the system calls they import.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh

# libraries any room may need
COMMON='libc\.so|libm\.so|libpthread\.so|ld-linux|libasan|libubsan|libgcc_s'
STORAGE='liblmdb|libsodium|libjansson|libutf8proc|libgit2'
NETWORK='libuv|libmicrohttpd|libsodium|libjansson'
SOCKETS='^(socket|connect|bind|listen|accept4?|sendto|sendmsg|sendmmsg|recvfrom|recvmsg|recvmmsg|getaddrinfo|uv_.*)$'

needed() {
	objdump -p "$1" | sed -n 's/^ *NEEDED *//p'
}

imports() {
	nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $NF); print $NF }'
}

# Two rooms with one name for different things link to whichever comes first.
twice=$(nm -g --defined-only "$(dirname "$1")"/../lib*.a 2>/dev/null |
	awk 'NF == 3 { print $3 }' | grep -v '^__' | sort | uniq -d | tr '\n' ' ')
[ -z "$twice" ] && pass || fail "defined in two rooms: $twice"

for b in "$@"; do
	room=${b##*/}
	case $room in
	net-*) allowed=$NETWORK ;;
	peer | swarm) allowed="$STORAGE|$NETWORK" ;;
	*) allowed=$STORAGE ;;
	esac
	extra=$(needed "$b" | grep -vE "^($COMMON|$allowed)")
	[ -z "$extra" ] && pass || fail "$room needs $extra"
	case $room in
	net-io | net-http | swarm | peer) continue ;;
	esac
	calls=$(imports "$b" | grep -E "$SOCKETS" | tr '\n' ' ')
	[ -z "$calls" ] && pass || fail "$room calls $calls"
done
finish
