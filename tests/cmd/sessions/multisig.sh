# A release by two of three signers, from config to production, a second one
# on top of it, and what is refused on the way. A is staged, B provisioned.
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
sign() { signed_by "key$1" "$2" 2>signing.log; }
config() {
	cat >"${2:-multisig.json}" <<EOF
{
  "type": "drive",
  "publicKeys": [
    "$(cat key1/default.public)",
    "$(cat key2/default.public)",
    "$(cat key3/default.public)"
  ],
  "namespace": "$1",
  "quorum": 2,
  "srcKey": "$KB"
}
EOF
}
export HYPERCORE_SIGN_KEYS_DIRECTORY=$PWD/key1
hypercore-sign add "$(cat key2/default.public)" bob >/dev/null 2>&1

echo '-- the production link'
run hyper-multisig link
config 'session/app'
run hyper-multisig link
run hyper-multisig link --json
P=$(hyper-multisig link)
KP=${P#pear://}

echo '-- stage, provision, request'
app app 1.0.0
pear-stage "$A" app >/dev/null
pear-provision --yes "pear://0.4.$KA" "$B" "pear://0.0.$KP" >/dev/null
run hyper-multisig request 4
one() { run hyper-multisig --min-peers 0 --min-full-copies 0 "$@"; }
one request 5
one request 0
one request 3
one request -o request.txt "pear://0.4.$KB" | tail -n 12
R=$(cat request.txt)
mask REQUEST "$R"
one request --json --request-version 3 4 | tail -n 2

echo '-- inspect, sign'
run hyper-multisig inspect "$R"
sign 1 "$R" >alice.txt
sign 3 "$R" >carol.txt
mask ALICE "$(cat alice.txt)"
mask CAROL "$(cat carol.txt)"
run hyper-multisig inspect "$R" @alice.txt
run hyper-multisig inspect @carol.txt

echo '-- verify with none, one, two; the same twice'
one verify "$R" | tail -n 3
one verify --first-commit "$R" | grep -A9 Quorum | grep -v '^$'
one verify --first-commit "$R" @alice.txt alice.txt | grep -A4 Quorum
one status "$R" @alice.txt
run hyper-multisig verify --first-commit "$R" alice.txt carol.txt | tail -n 1

echo '-- commit: too few, then enough; again; other requests'
one commit --first-commit "$R"
one commit --first-commit "$R" @alice.txt | tail -n 2
one status
mkdir answers
cp alice.txt carol.txt answers
one commit --first-commit "$R" answers
one commit "$R" answers | tail -n 4
one commit --first-commit "$R" answers | tail -n 4
one status
run pear-dump "$P" out >/dev/null
run diff -r app out

echo '-- a second release'
app app 1.0.1
echo 'module.exports = 2' >app/lib/a.js
pear-stage "$A" app >/dev/null
pear-provision --yes "pear://0.6.$KA" "$B" "pear://0.4.$KP" >/dev/null
one request -o second.txt "$(pear-info --json "$B" |
    sed -n 's/.*"verlink":"\([^"]*\)".*/\1/p')" >/dev/null
S=$(cat second.txt)
mask SECOND "$S"
for n in 2 3; do
	sign $n "$S"
done >answers.txt
run hyper-multisig verify "$S" @answers.txt | tail -n 1
one commit --first-commit "$S" @answers.txt | tail -n 1
one commit --json "$S" - <answers.txt
# the first request is history now
one commit "$R" answers | tail -n 4
run pear-dump --force --yes "$P" out >/dev/null
run diff -r app out

echo '-- what does not belong together'
one commit "$S" answers | tail -n 1
config 'session/other' other.json
one --config other.json verify --first-commit "$R" answers | tail -n 1
sed 's/"drive"/"core"/' multisig.json >core.json
one -c core.json verify "$S" | tail -n 1
one verify "pear://$KA" "$S" | tail -n 1
one verify "$S" "$R" | tail -n 1
one verify nonsense | tail -n 1
run hyper-multisig frobnicate
