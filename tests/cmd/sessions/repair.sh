# A block that rots is not served and comes back from a peer: in the store
# that wrote it, in a replica, and under a command that reads.
# shellcheck shell=sh
# shellcheck source=tests/support/seeder.sh
. "$SESSIONS/../../support/seeder.sh"

mkdir app
echo '{"name":"hello","version":"1.0.0"}' >app/package.json
awk 'BEGIN { for (i = 0; i < 60000; i++) print i * 7919 % 99991 }' >app/data
link=$(pear-touch)
mask link "$link"
mask key "${link#pear://}"
pear-stage "$link" app >/dev/null

# flip STORE PERCENT: one byte of the contents, so far into the file
flip() {
	# shellcheck disable=SC2012 # names of a store have no blanks
	flip_file=$(ls -S "$1"/blocks/*/* | head -n 1)
	perl -e 'open(F, "+<", $ARGV[0]); seek(F, $ARGV[1], 0);
	    read(F, $c, 1); seek(F, $ARGV[1], 0);
	    print F chr(ord($c) ^ 1)' \
	    "$flip_file" $(($(wc -c <"$flip_file") * $2 / 100))
}
# told NAME: the seeder says which block of which file is damaged
told() {
	grep -c 'block [0-9]* does not match its hash (.*/blocks/.* at byte' "$1.err"
}

seed_start one "$link" --listen 127.0.0.1:0
pear-dump --storage other "$link" out --peer "$seed_at" >/dev/null
diff -r app out && echo equal
rm -r out
seed_stop one

echo "== both stores are damaged, each in another place"
flip "$PEAR_STORAGE" 20
flip other 80
run pear-dump --storage other "$link" bad >bad.out 2>&1
sed 's/.*block/block/;s/ (.*//' bad.out | tail -n 1
rm -rf bad
seed_start one "$link" --listen 127.0.0.1:0
one=$seed_at
seed_start two "$link" --listen 127.0.0.1:0 --storage other --peer "$one"
# each is asked for what it lost, and has it from the other a moment later
pear-dump --storage third "$link" out --peer "$one" >/dev/null
echo "[$?]"
diff -r app out && echo equal
rm -r out
pear-dump --storage fourth "$link" out --peer "$seed_at" >/dev/null
echo "[$?]"
diff -r app out && echo equal
rm -r out
echo "$(told one) $(told two)"

echo "== a read is told, and fetches it"
seed_stop two
flip other 50
pear-dump --storage other "$link" out --peer "$one" >/dev/null 2>dump.err
echo "[$?]"
sed 's/core [a-z0-9]*/core BLOBS/; s/[0-9a-f]*\/[0-9a-f]* at/FILE at/' dump.err
diff -r app out && echo equal
rm -r out
seed_stop one
echo "[$?]"

echo "== both are whole again, by themselves"
run pear-dump "$link" mine >dump.out 2>&1
diff -r app mine && echo equal
run pear-dump --storage other "$link" theirs >dump.out 2>&1
diff -r app theirs && echo equal
echo more >app/more
pear-stage "$link" app >/dev/null && echo staged
