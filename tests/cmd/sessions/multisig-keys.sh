# Keys of the signers, and how a link follows from a config. A config that
# cannot be right is refused before anything else is.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
signer 1 one
signer 2 two

echo '-- keys in ~/.pear'
run pear-multisig keys list
run pear-multisig keys paths
run pear-multisig keys add alice one/default.public one/default
run pear-multisig keys add bob "$(cat two/default.public)"
run pear-multisig keys list
run pear-multisig keys list --json
run pear-multisig keys get alice --secret
stat -c '%n %a' "$HOME"/.pear
stat -c '%n %a %s' "$HOME"/.pear/*

echo '-- what is no key, no name, and no word'
wrong pear-multisig keys add alice "$(cat two/default.public)"
wrong pear-multisig keys add carol two/default.public one/default
wrong pear-multisig keys add carol nonsense
wrong pear-multisig keys add ../carol "$(cat two/default.public)"
wrong pear-multisig keys add carol
wrong pear-multisig keys list now
wrong pear-multisig keys
wrong pear-multisig keys remove carol
printf 'short\nshort\n' >short
wrong pear-multisig keys get carol <short
run pear-multisig keys remove bob
run pear-multisig keys list

echo '-- a link, and one with a prefix'
config() {
	cat >"$1" <<-END
	{
	  "multisig": {
	    "publicKeys": [$2],
	    "namespace": $3,
	    "quorum": $4
	  }
	}
	END
}
one=\"$(cat one/default.public)\" two=\"$(cat two/default.public)\"
config pear.json "$one, $two" '"app"' 2
run pear-multisig link
pear-multisig link --vanity o >vanity 2>&1
grep -c '^Namespace has been updated to app\$' vanity
grep -o '^pear://o' vanity
[ "$(tail -n 1 vanity)" = "$(pear-multisig link)" ] && echo the same
wrong pear-multisig link --vanity l
wrong pear-multisig link pear.json
config other.json "$two, $one" '"app"' 2
echo 'the order counts'
run pear-multisig link --config other.json

echo '-- configs'
try() {
	config bad.json "$@"
	wrong pear-multisig link -c bad.json
}
try "$one, $one" '"app"' 2
try "$one, $two" '"app"' 3
try "$one, $two" '"app"' 0
try "$one, $two" '"app"' '"2"'
try "$one, $two" 7 2
try "$one, $two" '""' 2
try '' '"app"' 1
try '"nonsense"' '"app"' 1
echo '{' >bad.json
wrong pear-multisig link -c bad.json
echo '{}' >bad.json
wrong pear-multisig link -c bad.json
wrong pear-multisig link -c none.json
