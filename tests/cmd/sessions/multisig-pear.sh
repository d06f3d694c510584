# pear-multisig: pear.json, keys in ~/.pear as raw bytes, the source as a
# link, requests of version 3, and pear's events.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
identity "$PEAR_STORAGE"
# what pear's own commands leave there: raw bytes
raw() {
	signer_field "$1" "$2" | fold -w 2 | while read -r byte; do
		# shellcheck disable=SC2059 # the byte is the format
		printf "\\$(printf %03o "0x$byte")"
	done
}
mkdir -m 700 "$HOME/.pear"
for n in 1 2 3; do
	name=default
	[ $n = 1 ] || name=key$n
	raw $n file >"$HOME/.pear/$name"
	raw $n publicKey >"$HOME/.pear/$name.public"
	chmod 400 "$HOME/.pear/$name"
	chmod 600 "$HOME/.pear/$name.public"
done
cat >pear.json <<EOF
{
  "name": "hello",
  "multisig": {
    "publicKeys": ["$(signer_field 1 publicKeyZ32)", "$(signer_field 2 publicKeyZ32)"],
    "namespace": "session/pear",
    "quorum": 2
  }
}
EOF
run pear-multisig keys list
run pear-multisig link
P=$(pear-multisig link)
app app 1.0.0
pear-stage "$A" app >/dev/null
pear-provision --yes "pear://0.4.$KA" "$B" "pear://0.0.${P#pear://}" >/dev/null
one() { run pear-multisig --min-peers 0 --min-full-copies 0 "$@"; }
one request "$B"
one request 4
one request "pear://0.4.$KB" 2>&1
R=$(pear-multisig --min-peers 0 --min-full-copies 0 request "pear://0.4.$KB")
mask REQUEST "$R"

echo '-- sign: asked on a pipe, and without asking'
printf 'y\ny\n%s' "$SIGNER_PASSWORD" | run pear-multisig sign "$R" | tail -n 3 |
    tee said
tail -n 1 said >responses
hash=$(pear-multisig inspect --json "$R" |
    sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p')
printf '%s\n' "$SIGNER_PASSWORD" >password
run pear-multisig sign "$R" key2 --json --yes --expect-hash "$hash" \
    --password-fd 3 3<password 2>&1 | grep -v '"tag":"request"' | tee said
sed -n 's/.*"response":"\([a-z0-9]*\)".*/\1/p' said >>responses
refuse() { "$@" 2>&1 | grep '✖'; }
refuse pear-multisig sign "$R" key3 --yes --expect-hash "$hash"
refuse pear-multisig sign "$R" key2 --yes
refuse pear-multisig sign "$R" ../key2
refuse pear-multisig sign "$R" nobody
refuse pear-multisig sign
refuse pear-multisig sign nonsense

echo '-- verify, commit'
one verify "$R" @responses 2>&1 | tail -n 2
one verify --first-commit "$B" "$R" @responses --no-review --json |
    sed 's/"result":.*/.../'
one commit --first-commit "$B" "$R" @responses | grep -v '^ \|^{\|^}\|^$'
run pear-info --multisig "$P"
run pear-dump "$P" out >/dev/null
run diff -r app out
