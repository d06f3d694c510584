#!/bin/sh
# release.sh: a whole release on this machine, step by step: assemble builds
# into a deployment directory, touch a link, review, stage, change, review,
# stage again, and dump the drive to compare. Input are the tools themselves,
# as the app of this machine's architecture and of a second one.
#
#	BIN=build/bin  KEEP=1 (keep the working folder)
set -eu
cd "$(dirname "$0")/.."
bin=$(realpath "${BIN:-build/bin}")
PATH=$bin:$PATH
work=$(mktemp -d)
[ -n "${KEEP-}" ] || trap 'rm -rf "$work"' EXIT
export PEAR_STORAGE="$work/store"

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*" | sed "s|$work/||g"; "$@"; }

case $(uname -m) in
aarch64 | arm64) here=linux-arm64 other=linux-x64 ;;
*) here=linux-x64 other=linux-arm64 ;;
esac

# package VERSION: what the app's package.json says
package() {
	cat >"$work/app/package.json" <<EOF
{
  "name": "pear-release-tools",
  "productName": "PearTools",
  "version": "$1",
  "upgrade": "$link",
  "pear": { "stage": { "ignore": ["**.DS_Store"] } }
}
EOF
}

# bundle DIR TEXT: the just-built commands as one runnable file
bundle() {
	mkdir -p "$1"
	{
		printf '#!/bin/sh\n# %s\n' "$2"
		cat "$bin"/pear-*
	} >"$1/PearTools.AppImage"
	chmod 755 "$1/PearTools.AppImage"
}

build() {
	run pear-build --package "$work/app/package.json" \
	    --target "$work/$1" \
	    "--$here-app" "$work/out/$here/PearTools.AppImage" \
	    "--$other-app" "$work/out/$other/PearTools.AppImage"
}

step "A writable link: keep the store, it holds the only write key"
mkdir "$work/app"
link=$(pear-touch)
echo "$link"

step "Assemble version 1.0.0 for two architectures"
package 1.0.0
bundle "$work/out/$here" "built here"
bundle "$work/out/$other" "stand-in for the other architecture"
build PearTools-1.0.0

step "Review, then stage exactly what was reviewed"
run pear-stage --dry-run --plan-out "$work/review.json" "$link" \
    "$work/PearTools-1.0.0"
run pear-stage --plan "$work/review.json" "$link" "$work/PearTools-1.0.0"

step "Change a file and the version, review and stage again"
package 1.0.1
bundle "$work/out/$here" "built here, with a fix"
build PearTools-1.0.1
run pear-stage --dry-run "$link" "$work/PearTools-1.0.1"
run pear-stage "$link" "$work/PearTools-1.0.1"

step "Dump the drive and compare it with the directory"
run pear-dump "$link" "$work/dump"
diff -r "$work/PearTools-1.0.1" "$work/dump"
for f in $(cd "$work/dump" && find . -type f); do
	[ "$(stat -c %A "$work/dump/$f")" = \
	    "$(stat -c %A "$work/PearTools-1.0.1/$f")" ]
done
echo "identical"
run pear-info "$link"

step "The link to share"
echo "$link"
