# release.sh: provision, verify and commit, ours and JavaScript's. Sourced by
# run.sh. Set E is 1 GiB in 16 files, F is 100,000 tiny files: as many blocks
# in each core.
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of run.sh

VECTORS=$PWD/tests/vectors
# shellcheck source=tests/support/signers.sh
. tests/support/signers.sh

verlink() {
	pear-info --storage "$work/ours" --json "$1" |
	    sed -n 's/.*"tag":"info".*"verlink":"\([^"]*\)".*/\1/p'
}

multisig_config() {
	printf '{"type":"drive","namespace":"bench %s","quorum":2,"srcKey":"%s",' \
	    "$i" "${target#pear://}"
	printf '"publicKeys":["%s","%s","%s"]}\n' \
	    "$(signer_field 1 publicKeyZ32)" "$(signer_field 2 publicKeyZ32)" \
	    "$(signer_field 3 publicKeyZ32)"
}

multisig() {
	hyper-multisig --config "$work/multisig.json" --storage "$work/ours" \
	    --min-peers 0 --min-full-copies 0 "$@"
}

# The staged drives are made once; every round provisions onto a fresh target.
release_prepare() {
	fresh_ours
	"$build/bin/pear-stage" --storage "$work/ours" "$link" \
	    "$work/data-$1" >"$work/out"
	rm -rf "$work/js"
	node bench/js-stage.js "$work/js" "$work/data-$1" >"$work/out"
	for n in 1 3; do
		signer $n "$work/key$n"
	done
}

release_floor() {
	blobs=$(find "$work/ours/blocks" -type f -printf '%s %p\n' |
	    sort -n | tail -n 1 | cut -d' ' -f2)
	# shellcheck disable=SC2016 # expanded by the inner shell
	take "$1-copy" sh -c 'cp "$0" "$1" && sync "$1"' "$blobs" "$work/copy"
	rm -f "$work/copy"
}

release_ours() {
	target=$(pear-touch --storage "$work/ours")
	multisig_config >"$work/multisig.json"
	production=$(multisig link | sed -n 's|^pear://||p')
	take "$1-provision" "$build/bin/pear-provision" --yes \
	    --storage "$work/ours" "$(verlink "$link")" "$target" \
	    "pear://0.0.$production"
	multisig request -o "$work/request" "$(verlink "$target")" >"$work/out"
	request=$(cat "$work/request")
	signed_by "$work/key1" "$request" >"$work/responses"
	signed_by "$work/key3" "$request" >>"$work/responses"
	for how in verify commit; do
		take "$1-$how" hyper-multisig --config "$work/multisig.json" \
		    --storage "$work/ours" --min-peers 0 --min-full-copies 0 \
		    --no-review $how --first-commit "$request" \
		    "@$work/responses"
	done
}

release_js() {
	for how in provision request verify commit; do
		take "$1-js-$how" node bench/js-release.js $how \
		    "$work/js" "$work/js-request" "$i"
	done
}

release_rounds() {
	PATH=$build/bin:$PATH
	for set in e f; do
		data $set
		release_prepare $set
		i=0
		while [ "$i" -lt "$RUNS" ]; do
			release_floor $set
			release_js $set
			release_ours $set
			i=$((i + 1))
		done
	done
}

release_rows_of() {
	row "$1: copy and sync (floor)" "$2-copy"
	for how in provision verify commit; do
		row "$1: JavaScript, $how" "$2-js-$how"
		row "$1: ours, $how" "$2-$how" "$2-js-$how" "$2-copy"
	done
}

release_rows() {
	release_rows_of "E, 1 GiB in 16 files" e
	release_rows_of "F, 100,000 files" f
}
