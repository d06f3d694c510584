# What signers, and those who collect their answers, can be given by mistake or
# on purpose: one line of input, what is said, the exit status. Nothing of it
# signs or commits anything.
# shellcheck shell=sh
# shellcheck disable=SC2016 # Perl has its own dollars
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
identity "$PEAR_STORAGE"
for n in 1 2 3 4; do
	signer $n "key$n"
	mask "KEY$n" "$(cat "key$n/default.public")"
done
K1=$(cat key1/default.public)
K2=$(cat key2/default.public)
K3=$(cat key3/default.public)
export HYPERCORE_SIGN_KEYS_DIRECTORY="$PWD/key1"

# edit TEXT PERL: a z-base-32 text with PERL run over its bytes in $_
edit() {
	perl -e '
		my @a = split //, "ybndrfg8ejkmcpqxot1uwisza345h769";
		my %v = map { $a[$_] => $_ } 0 .. 31;
		my $bits = join "", map { sprintf "%05b", $v{$_} } split //, shift;
		$_ = pack "B*", substr $bits, 0, 8 * int(length($bits) / 8);
		eval shift;
		$bits = unpack "B*", $_;
		$bits .= "0" while length($bits) % 5;
		print map { $a[oct "0b$_"] } $bits =~ /.{5}/g' "$1" "$2"
}
# said NAME CMD...: the line that refuses, and the status
said() {
	printf '%s: ' "$1"
	shift
	"$@" >said.txt 2>&1 </dev/null
	set -- $?
	grep '^✖' said.txt || cat said.txt
	printf '[%d]\n' "$1"
}

echo '-- configs'
config() {
	printf '%s' "$1" >multisig.json
	said "$1" hyper-multisig link
}
both="\"publicKeys\":[\"$K1\",\"$K2\"]"
config ''
config '{'
config '[]'
config '{"type":"folder"}'
config '{"namespace":"n"}'
config "{$both}"
config "{$both,\"namespace\":7}"
config "{$both,\"namespace\":\"\"}"
config "{$both,\"namespace\":\"n\",\"namespace\":\"m\"}"
config '{"publicKeys":[],"namespace":"n"}'
config '{"publicKeys":["abc"],"namespace":"n"}'
config '{"publicKeys":["\u001b[31mred"],"namespace":"n"}'
config "{\"publicKeys\":[\"$K1\",\"pear://$K1\"],\"namespace\":\"n\"}"
config "{$both,\"namespace\":\"n\",\"quorum\":0}"
config "{$both,\"namespace\":\"n\",\"quorum\":3}"
config "{$both,\"namespace\":\"n\",\"quorum\":\"2\"}"
config "{$both,\"namespace\":\"n\",\"quorum\":1.5}"
config "{$both,\"namespace\":\"n\",\"multisigKey\":\"$K1\"}"
config "{$both,\"namespace\":\"n\",\"srcKey\":\"here\"}"
config "{$both,\"namespace\":\"n\",\"publickeys\":[]}"
config '{"multisig":{"publicKeys":[]}}'
rm multisig.json
said 'no config' hyper-multisig link
said 'a config that is not there' hyper-multisig -c other.json link
said 'a folder as config' hyper-multisig -c key1 link

cat >multisig.json <<EOF
{"type": "drive", "publicKeys": ["$K1", "$K2", "$K3"],
  "namespace": "session/app", "quorum": 2, "srcKey": "$KB"}
EOF
KP=$(hyper-multisig link)
KP=${KP#pear://}
mask TARGET "$KP"
app app 1.0.0
pear-stage "$A" app >/dev/null
pear-provision --yes "pear://0.4.$KA" "$B" "pear://0.0.$KP" >/dev/null
one() { hyper-multisig --min-peers 0 --min-full-copies 0 "$@"; }
one request -o request.txt --request-version 3 4 >/dev/null
R=$(cat request.txt)
mask REQUEST "$R"

echo '-- texts that are no request'
not() { said "$1" hypercore-sign sign "$2"; }
not 'nothing' ''
not 'a word' hello
not 'a link' "pear://$KP"
not 'upper case' "$(echo "$R" | tr '[:lower:]' '[:upper:]')"
not 'cut in the middle' "$(echo "$R" | cut -c 1-100)"
not 'the last letters lost' "${R%???}"
not 'twice the same' "$R$R"
not 'a byte more' "$(edit "$R" '$_ .= "\0"')"
not 'version 4' "$(edit "$R" 'substr($_, 0, 1) = "\4"')"
not 'length 0' "$(edit "$R" 'substr($_, 2, 1) = "\0"')"
not 'another kind' "$(edit "$R" 'substr($_, 1, 1) = "\2"')"
not 'quorum 4 of 3' "$(edit "$R" 'substr($_, 39, 1) = "\4"')"
not '100 signers' "$(edit "$R" 'substr($_, 40, 1) = chr 100')"
not 'manifest of version 9' "$(edit "$R" 'substr($_, 36, 1) = "\11"')"

echo '-- requests that nobody should sign for this key'
alter() { said "$1" one verify --first-commit --no-review \
    "$(edit "$R" "$2")"; }
alter 'longer than the source' 'substr($_, 2, 1) = chr 40'
alter 'shorter, same tree' 'substr($_, 2, 1) = chr 3'
alter 'fork 1' 'substr($_, 3, 1) = "\1"'
alter 'another tree' 'substr($_, 4, 1) ^= "\1"'
alter 'another tree of contents' 'substr($_, -1) ^= "\1"'
alter 'other contents length' 'substr($_, -33, 1) = "\2"'
alter 'quorum 1' 'substr($_, 39, 1) = "\1"'
alter 'another namespace' 'substr($_, 42, 1) ^= "\1"'
alter 'another signer' 'substr($_, 74, 1) ^= "\1"'
alter 'two signers the other way' \
    'substr($_, 41, 130) = substr($_, 106, 65) . substr($_, 41, 65)'
alter 'patches allowed' 'substr($_, 37, 1) = "\1"'
alter 'a core, not a drive' '$_ = substr($_, 0, -33); substr($_, -1) = "\0"'

echo '-- answers'
sign() { signed_by "key$1" "$R" 2>signing.log; }
a=$(sign 1)
b=$(sign 2)
mask ANSWER1 "$a"
mask ANSWER2 "$b"
H=$(hyper-multisig inspect --json "$R" |
    sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
mine() { echo "$SIGNER_PASSWORD" | hypercore-sign --yes --password-fd 0 "$@"; }
said 'no signer' mine -d key4 --expect-hash "$H" "$R"
said 'another hash' mine --expect-hash "$(echo "$H" | tr 0-9 1-90)" "$R"
said 'no hash' mine --expect-hash 0 "$R"
said 'another password' sh -c 'echo wrong horse | hypercore-sign --yes \
    --password-fd 0 --expect-hash "$1" "$2"' - "$H" "$R"
answers() {
	said "$1" one commit --first-commit "$R" "$a" "$2"
	[ "$(one status 2>&1)" = "$was" ] || echo 'THE TARGET HAS CHANGED'
}
was=$(one status 2>&1)
echo "$was"
answers 'a word' hello
answers 'a second request' "$(edit "$R" 'substr($_, 3, 1) = "\1"')"
answers 'the same again' "$a"
answers 'cut' "${b%????}"
answers 'a byte more' "$(edit "$b" '$_ .= "\0"')"
answers 'of version 4' "$(edit "$b" 'substr($_, 0, 1) = "\4"')"
answers 'to another request' "$(edit "$b" 'substr($_, 2, 1) ^= "\1"')"
answers 'by a stranger' "$(edit "$b" 'substr($_, 34, 1) ^= "\1"')"
answers 'by another signer' "$(edit "$b" "substr(\$_, 34, 32) =
    pack 'H*', '$(signer_field 3 publicKey)'")"
answers 'first signature wrong' "$(edit "$b" 'substr($_, 70, 1) ^= "\1"')"
answers 'second signature wrong' "$(edit "$b" 'substr($_, -1) ^= "\1"')"
answers 'contents not signed' "$(edit "$b" 'substr($_, 66, 1) = "\1";
    $_ = substr $_, 0, 131')"
answers 'signatures swapped' "$(edit "$b" \
    'substr($_, 67, 128) = substr($_, 131, 64) . substr($_, 67, 64)')"
answers 'nothing signed' "$(edit "$b" '$_ = substr($_, 0, 66) . "\0"')"
answers 'three signatures' "$(edit "$b" 'substr($_, 66, 1) = "\3";
    $_ .= substr $_, -64')"
said 'no answer' one commit --first-commit "$R"
said 'two files, one missing' one commit "$R" @missing.txt
said 'no signature' hypercore-verify "$R" "$R" "$K1"
said 'no key' hypercore-verify "$a" "$R" "${K1%?}"
said "another's key" hypercore-verify "$a" "$R" "$K2"

echo '-- targets to provision for'
said 'not a link' pear-provision "pear://0.4.$KA" "$C" nothing
said 'source and target the same' pear-provision "pear://0.4.$KA" "$A" \
    "pear://0.0.$KP"
said 'source without a length' pear-provision "$A" "$C" "pear://0.0.$KP"
said 'more than the source has' pear-provision "pear://0.9.$KA" "$C" \
    "pear://0.0.$KP"
