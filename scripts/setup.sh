#!/bin/sh
# setup.sh build|test: install what is missing, and nothing else.
#
#	build   compiler and libraries
#	test    that, and what the tests need: cmocka, clang, node, npm, shellcheck,
#	        Chromium, and the pinned JavaScript packages in build/js and
#	        build/js-browser
#	bench   that, and the packages bench/ measures in build/bench-js
#
# Debian and Ubuntu. Needs root or sudo only if a package is missing, and the
# network only if something has to be fetched.
set -eu
cd "$(dirname "$0")/.."

BUILD_PACKAGES="gcc make pkg-config libc6-dev libsodium-dev liblmdb-dev
	libjansson-dev libutf8proc-dev libgit2-dev libuv1-dev
	libmicrohttpd-dev"
TEST_PACKAGES="libcmocka-dev clang clang-format libclang-rt-14-dev
	binutils shellcheck chromium iproute2 nftables conntrack strace"

say() {
	printf 'setup: %s\n' "$*"
}

installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null |
	    grep -q '^install ok installed'
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		say "need root or sudo to run: $*" >&2
		exit 1
	fi
}

# A package list may be older than the archive: fetch a new one only if the
# installation does not work with what is there.
install_packages() {
	say "installing:$*"
	export DEBIAN_FRONTEND=noninteractive
	as_root apt-get install -y --no-install-recommends "$@" && return
	say "refreshing the package lists"
	as_root apt-get update
	as_root apt-get install -y --no-install-recommends "$@"
}

need_packages() {
	missing=
	for p in "$@"; do
		installed "$p" || missing="$missing $p"
	done
	[ -z "$missing" ] && return
	if ! command -v apt-get >/dev/null 2>&1; then
		say "no apt-get here; install by hand:$missing" >&2
		exit 1
	fi
	# shellcheck disable=SC2086 # a list of package names
	install_packages $missing
}

# node and npm may come from elsewhere than Debian: ask for the programs.
need_node() {
	missing=
	command -v node >/dev/null 2>&1 || missing="$missing nodejs"
	command -v npm >/dev/null 2>&1 || missing="$missing npm"
	# shellcheck disable=SC2086 # a list of package names
	[ -z "$missing" ] || install_packages $missing
}

# need_js SOURCE TARGET: the packages SOURCE pins, in TARGET/node_modules.
# The stamp holds the lock file they were installed from.
need_js() {
	if cmp -s "$1/package-lock.json" "$2/installed.json"; then
		return
	fi
	say "installing the JavaScript packages of $1 in $2"
	mkdir -p "$2"
	cp "$1/package.json" "$1/package-lock.json" "$1/.npmrc" "$2/"
	rm -f "$2/installed.json"
	(cd "$2" && npm ci --no-audit --no-fund --loglevel=error)
	cp "$1/package-lock.json" "$2/installed.json"
}

test_tools() {
	# shellcheck disable=SC2086 # lists of package names
	need_packages $BUILD_PACKAGES $TEST_PACKAGES
	need_node
	need_js tests/vectors/gen build/js
	need_js tests/browser build/js-browser
}

case "${1-}" in
build)
	# shellcheck disable=SC2086 # a list of package names
	need_packages $BUILD_PACKAGES
	;;
test)
	test_tools
	;;
bench)
	test_tools
	need_js bench build/bench-js
	;;
*)
	echo "usage: scripts/setup.sh build|test|bench" >&2
	exit 2
	;;
esac
say "$1: everything is here"
