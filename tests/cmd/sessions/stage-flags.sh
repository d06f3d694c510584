# Truncating, reviewed plans, chunking, the stat cache, reviews without a key.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
app app 1.0.0

# state DRIVE: what must not change unless it is said
state() {
	pear-info "$1" --metadata --json | grep -o '"\(verlink\|treeHash\)":"[^"]*"'
}

echo "# --truncate"
pear-stage "$A" app >/dev/null
echo more >app/more
pear-stage "$A" app >/dev/null
rm app/more
run state "$A"
run pear-stage "$A" app --truncate 4 -d
run state "$A"
run pear-stage "$A" app --truncate 4 --no-tty
run pear-stage "$A" app --truncate 4 </dev/null
run pear-stage "$A" app --truncate 99 --yes
run pear-stage "$A" app --truncate 2 --yes
wrong pear-stage "$A" app --truncate five
run state "$A"
run pear-stage "$A" app --truncate 4 --json -y
run pear-stage "$A" app --truncate=0 --yes
run pear-info "$A" --metadata --json | grep -o '"fork":1,[^}]*\|"verlink":"[^"]*"'
run pear-dump "pear://0.6.$KA" --list
run pear-dump "$A" --list

echo "# --plan-out and --plan"
wrong pear-stage "$B" app --plan-out p.json
run pear-stage "$B" app -d --plan-out p.json | sed 1,6d
cat p.json
wrong pear-stage "$B" app -d --plan p.json
echo changed >>app/index.js
run pear-stage "$B" app --plan p.json
echo 'console.log(1)' >app/index.js
run pear-stage "$B" app --plan p.json --json | tail -4
run pear-stage "$B" app --plan p.json
run pear-stage "$B" app --plan missing.json
echo '{"format":"x"}' >wrong.json
run pear-stage "$B" app --plan wrong.json
run pear-stage "$B" app -d --plan-out no/such/p.json 2>&1 | tail -2 |
    sed 's/tmp-[0-9a-f]*/TMP/'

echo "# --chunking: what it comes to"
mkdir big
echo '{"name":"big"}' >big/package.json
: >big/empty
awk 'BEGIN { for (i = 0; i < 40000; i++) print i * 7919 % 99991 }' >big/data
for how in cdc fixed pear pear-exact; do
	printf '%s ' "$how"
	pear-stage "$C" big -d --json --chunking $how |
	    sed -n 's/.*"next"://p' | sed 's/}}$//'
done
wrong pear-stage "$C" big --chunking none
pear-stage "$C" big >/dev/null
echo one more line >>big/data
run pear-stage "$C" big -d | grep '^[0-9~]'
run pear-stage "$C" big -d --chunking fixed | grep '^[0-9~]'

echo "# a drive this store cannot write"
identity writer
pear-stage "$C" app --storage writer >/dev/null
pear-touch --storage reader >/dev/null
run pear-stage "$C" app --storage reader
run pear-stage "$C" app --storage reader --dry-run
run pear-stage "$C" app --storage reader -d --readonly-diff
wrong pear-stage "$C" app --storage reader --readonly-diff
run pear-stage "$C" app --storage none
run pear-stage "$C" app --storage none --json
run pear-stage "$C" app --storage none --exit-compat
