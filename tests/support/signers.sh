# signers.sh: the signers of tests/vectors/signing.json as key directories.
# Their key files cost little to open; real ones cost a gigabyte of memory.
# Numbers 1 to 3 are the signers of the vectors' multisig link, 4 is a legacy
# key file of another signer.
#
#	VECTORS=…/tests/vectors
#	signer 1 "$work/alice"          writes default and default.public
#	signed_by "$work/alice" REQUEST prints the response
#
# shellcheck shell=sh

SIGNER_PASSWORD="correct horse battery"

# signer_field N NAME: a field of the N-th key file
signer_field() {
	sed -n "s/^ *{\"n\":$1,.*\"$2\":\"\([^\"]*\)\".*/\1/p" \
	    "$VECTORS/signing.json"
}

signer() {
	mkdir -p "$2"
	chmod 700 "$2"
	signer_field "$1" fileZ32 | tr -d '\n' >"$2/default"
	signer_field "$1" publicKeyZ32 | tr -d '\n' >"$2/default.public"
	chmod 400 "$2/default"
	chmod 600 "$2/default.public"
}

# The hash that --expect-hash wants is taken from the request itself, so this
# is for tests: a person reads the request first.
signed_by() {
	signed_hash=$(hyper-multisig inspect --json "$2" |
	    sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
	printf '%s\n' "$SIGNER_PASSWORD" | hypercore-sign --json --yes \
	    --expect-hash "$signed_hash" --password-fd 0 -d "$1" "$2" |
	    sed -n 's/.*"response":"\([a-z0-9]*\)".*/\1/p'
}
