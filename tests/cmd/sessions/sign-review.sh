# A signer sees what a request would release before he is asked: the first
# release, the next one beside his own build, and requests that end there.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
identity "$PEAR_STORAGE"
for n in 1 2 3; do
	signer $n "key$n"
done
export HYPERCORE_SIGN_KEYS_DIRECTORY=$PWD/key1
hypercore-sign add "$(cat key2/default.public)" bob >/dev/null 2>&1
config() {
	cat >"$1" <<END
{
  "type": "drive",
  "publicKeys": [
    "$(cat key1/default.public)",
    "$(cat key2/default.public)",
    "$(cat key3/default.public)"
  ],
  "namespace": "$2",
  "quorum": ${3:-2},
  "srcKey": "$KB"
}
END
}
config multisig.json session/app
KP=$(hyper-multisig link)
KP=${KP#pear://}
# build VERSION TEXT
build() {
	mkdir -p "app/by-arch/linux-x64"
	printf '{"name":"hello","version":"%s","upgrade":"pear://%s"}\n' \
	    "$1" "$KP" >app/package.json
	printf '%s\n' 'const x = 1' "$2" >app/by-arch/linux-x64/app.js
	printf '#!/bin/sh\n' >app/by-arch/linux-x64/run
	chmod 755 app/by-arch/linux-x64/run
}
# request LENGTH: a request for that much of the source
request() { hyper-multisig request --force --json "$1" |
	sed -n 's/.*"request":"\([a-z0-9]*\)".*/\1/p' | head -n 1; }
# review REQUEST [OPTION...]: what is asked is answered with no
review() {
	said_request=$1
	shift
	printf 'n\n' |
	    run hypercore-sign sign "$said_request" --review "$@" 2>&1
}

build 1.0.0 'hello()'
pear-stage "$A" app >/dev/null
pear-provision --yes "pear://0.4.$KA" "$B" "pear://0.0.$KP" >/dev/null
first=$(request 4)
mask FIRST "$first"

echo '-- the first release'
review "$first" -c multisig.json --rebuild app --diff

echo '-- signed after a review'
printf 'y\ny\n%s' "$SIGNER_PASSWORD" |
    run hypercore-sign sign "$first" --review -c multisig.json 2>&1 |
    sed -n '/^Confirm/,$p' | sed -n '/^Signed/,/^Reply/p'

echo '-- for another key: nothing is asked'
config other.json session/other
review "$first" -c other.json | grep -v '^$' | grep -i 'key'
config lower.json session/app 1
review "$first" -c lower.json | grep 'quorum is'

echo '-- a build that differs'
cp -r app mine
printf 'evil()\n' >>mine/by-arch/linux-x64/app.js
review "$first" -c multisig.json --rebuild mine | grep -i 'your build\|must not'
run hypercore-sign sign "$first" --review -c multisig.json --rebuild mine --json \
    --no-tty </dev/null 2>&1 | grep '"bad"\|"error"\|final'

echo '-- another source, another length, a report'
review "$first" --source "$A" | tail -n 3
review "$first" --source "pear://0.3.$KB" | tail -n 3
review "$first" --source "$B" --report first.md | tail -n 3
sed -n 1,3p first.md

echo '-- what is refused'
run hypercore-sign sign "$first" --review 2>&1 | tail -n 2
run hypercore-sign sign "$first" --source "$B" 2>&1 | head -n 2
run hypercore-sign sign "$first" --diff 2>&1 | head -n 2
run hypercore-sign add "$KB" --review 2>&1 | head -n 2
review "$first" --source "$B" --chunking some | tail -n 3
review "$first" --source "$B" --report first.pdf | tail -n 3
review "$first" --source "$B" --storage nowhere | tail -n 3
