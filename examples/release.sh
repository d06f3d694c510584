#!/bin/sh
# release.sh: a whole release cycle on this machine, as the people of a team
# would do it: touch links, assemble builds, stage and review, provision,
# request, sign by two of three, verify, commit, dump production and compare.
# Then a second release on top of the first. Input are the tools themselves,
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
# all of it stays on this machine
export PEAR_DHT_BOOTSTRAP=none

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
  "upgrade": "$production",
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

# verlink LINK: its newest version
verlink() {
	pear-info --json "$1" |
	    sed -n 's/.*"tag":"info".*"verlink":"\([^"]*\)".*/\1/p'
}

# Each signer has a key directory and a password of his own. People are asked
# for it at their terminal; here it comes from a descriptor.
generate() {
	printf '%s has a password\n' "$1" >"$work/$1.password"
	HYPERCORE_SIGN_KEYS_DIRECTORY=$work/$1 hypercore-sign-generate-keys \
	    --password-fd 3 3<"$work/$1.password" | sed "s|$work/||g"
}

# sign NAME REQUEST: NAME looks at the request, and answers in responses/. A
# person is asked "Confirm?"; a script must say which request it has seen.
sign() {
	hash=$(hyper-multisig inspect --json "$2" |
	    sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
	HYPERCORE_SIGN_KEYS_DIRECTORY=$work/$1 hypercore-sign --yes \
	    --expect-hash "$hash" --password-fd 3 "$2" \
	    3<"$work/$1.password" >"$work/$1.signed"
	sed -n '/^Reply with:/,$p' "$work/$1.signed" | grep -E '^[a-z0-9]{100,}$' \
	    >"$work/responses/$1"
	echo "$1 has signed"
}

multisig() {
	run hyper-multisig --config "$work/multisig.json" --min-peers 0 \
	    --min-full-copies 0 "$@"
}

# release VERSION TEXT PRODUCTION-VERLINK SIGNERS [COMMIT-FLAG]
release() {
	step "Release $1: assemble two architectures, review, stage"
	package "$1"
	bundle "$work/out/$here" "$2"
	bundle "$work/out/$other" "stand-in for the other architecture"
	dir=$work/PearTools-$1
	run pear-build --package "$work/app/package.json" --target "$dir" \
	    "--$here-app" "$work/out/$here/PearTools.AppImage" \
	    "--$other-app" "$work/out/$other/PearTools.AppImage"
	run pear-stage --dry-run --plan-out "$work/plan-$1.json" "$stage" "$dir"
	run pear-stage --plan "$work/plan-$1.json" "$stage" "$dir"

	step "Provision $1: without history, on top of production"
	run pear-provision --dry-run "$(verlink "$stage")" "$prerelease" "$3"
	run pear-provision --cooldown 0 "$(verlink "$stage")" "$prerelease" "$3"

	step "Request $1, and what a signer sees who has built it himself"
	multisig request -o "$work/request" "$(verlink "$prerelease")"
	request=$(cat "$work/request")
	multisig review --keys "$work/alice" --rebuild "$dir" \
	    --report "$work/review-$1.html" "$request"

	step "Sign $1 by two of three"
	rm -rf "$work/responses"
	mkdir "$work/responses"
	for s in $4; do
		sign "$s" "$request"
	done

	step "Verify, commit"
	# shellcheck disable=SC2086 # the flag, or nothing
	multisig verify ${5-} "$request" "$work/responses"
	# shellcheck disable=SC2086 # the flag, or nothing
	multisig commit ${5-} "$request" "$work/responses"

	step "Dump production and compare it with the build"
	rm -rf "$work/dump"
	run pear-dump "$production" "$work/dump"
	diff -r "$dir" "$work/dump"
	for f in $(cd "$work/dump" && find . -type f); do
		[ "$(stat -c %A "$work/dump/$f")" = "$(stat -c %A "$dir/$f")" ]
	done
	echo "identical"
}

step "Writable links: keep the store, it holds the only write keys"
mkdir "$work/app"
stage=$(pear-touch)
prerelease=$(pear-touch)
echo "stage       $stage"
echo "prerelease  $prerelease"

step "Three signers, two of them are enough"
for s in alice bob carol; do
	generate $s
done
# alice's address book: the names she gives to the others' keys
for s in bob carol; do
	hypercore-sign add --storage-dir "$work/alice" \
	    "$(cat "$work/$s/default.public")" $s >"$work/$s.added"
done
cat >"$work/multisig.json" <<EOF
{
  "type": "drive",
  "publicKeys": [
    "$(cat "$work/alice/default.public")",
    "$(cat "$work/bob/default.public")",
    "$(cat "$work/carol/default.public")"
  ],
  "namespace": "pear-release-tools",
  "quorum": 2,
  "srcKey": "${prerelease#pear://}"
}
EOF
production=$(hyper-multisig --config "$work/multisig.json" link |
    grep '^pear://')
echo "production  $production"

release 1.0.0 "built here" "pear://0.0.${production#pear://}" "alice carol" \
    --first-commit
release 1.0.1 "built here, with a fix" "$(verlink "$production")" "bob alice"

step "Seed production, and fetch it from another machine's store"
pear-seed "$production" --listen 127.0.0.1:0 --no-tty >"$work/seed.log" &
seeder=$!
at=$(timeout 20 tail -n +1 -f "$work/seed.log" --pid=$seeder |
    sed -n '/^\.\.\. listening /{s///p;q}')
echo "$at"
rm -rf "$work/dump"
run pear-dump --storage "$work/elsewhere" "$production" "$work/dump" --peer "$at"
diff -r "$work/PearTools-1.0.1" "$work/dump"
echo "identical"
kill $seeder
wait $seeder

step "The link to share"
run pear-info "$production"
echo "$production"
