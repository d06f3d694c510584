# A drive that this store holds and cannot write: made from proofs, as peers
# would send them. Listing, clearing, reviewing against it.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PWD/writer"
app app 1.0.0
pear-stage "$A" app --storage writer >/dev/null
mask CONTENT "$(pear-info "$A" --key --json --storage writer |
    sed -n 's/.*"content":"\([^"]*\)".*/\1/p')"
pear-info "$A" --key --json --storage writer | grep -o '"keys".*'
HB=$(perl -e '$_ = shift; tr/ybndrfg8ejkmcpqxot1uwisza345h769/\0-\37/;
    $b = join "", map { sprintf "%05b", ord } split //;
    print unpack("H*", pack("B256", $b))' "$(sed -n 's/^s|\(.*\)|<CONTENT>.*/\1/p' "$MASKS")")

# replicate STORE KEY LENGTH LEVELS...: blocks of a core, with so many levels
# of hashes each
replicate() {
	to=$1 key=$2 length=$3 i=0
	shift 3
	{
		echo "{\"key\":\"$key\",\"upgrade\":{\"start\":0,\"length\":$length},\"manifest\":true}"
		for levels in "$@"; do
			echo "{\"key\":\"$key\",\"block\":{\"index\":$i,\"nodes\":$levels}}"
			i=$((i + 1))
		done
	} | core_proofs serve writer | sed "s/^{/{\"key\":\"$key\",/" >proofs
	{
		cat proofs
		echo "{\"key\":\"$key\",\"commit\":true}"
	} | core_proofs apply "$to" >applied
	grep -c taken applied
	grep error applied
}
pear-touch >/dev/null
replicate store "$HA" 4 2 2
run pear-info "$A" --metadata
run pear-dump "$A" out
run pear-dump "$A" --list
replicate store "$HA" 4 2 2 2 2
run pear-dump "$A" --list
run pear-dump "$A" out
replicate store "$HB" 3 1 1 0
run pear-dump "$A" out
run diff -r app out
run pear-info "$A" --metadata --json

echo "# cores"
run pear-cores | sed 's/  *$//'
run pear-cores --json
run pear-cores --all-cores --json | tail -n 1

echo "# nothing here can write it"
app app 1.0.1
run pear-stage "$A" app
run pear-stage "$A" app --dry-run
run pear-stage "$A" app --dry-run --readonly-diff
run pear-stage "$A" app -d --readonly-diff --truncate 4 | tail -n 1
run pear-keys accept "$A" --yes

echo "# gc; how much is freed depends on the file system"
some() {
	sed 's/\([fF]ree[^0-9]*\)[1-9][0-9.]*\(kB\)*/\1SOME/; s/\(Freed: \)[1-9].*/\1SOME/'
}
run pear-gc cores "$A" --dry-run | some
run pear-gc cores "$A" -d --json | some
run pear-dump "$A/index.js" - --raw
run pear-gc cores "$A" | some
run pear-gc cores "$A" --json
run pear-dump "$A/index.js" - --raw
run pear-info "$A" --metadata --json
replicate store "$HA" 4 2 2 2 2
replicate store "$HB" 3 1 1 0
run pear-dump "$A/index.js" - --raw
run pear-gc cores "$KA" --json | some
wrong pear-gc
run pear-gc drives --json
run pear-gc cores
run pear-gc cores x
run pear-gc cores "$A" --storage writer
