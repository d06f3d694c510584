# pear-seed with more drives than it holds open: they sleep, and wake up.
. "$SESSIONS/../../support/seeder.sh"
N=12

# numbers 1 to N
each() { seq "$N"; }
nth() { sed -n "$1p" links; }
# version I TEXT: what drive I says
version() {
	mkdir -p "in-$1"
	echo "{\"name\":\"app $1\",\"version\":\"1.0.0\"}" >"in-$1/package.json"
	echo "$2" >"in-$1/text"
	pear-stage "$(nth "$1")" "in-$1" >/dev/null
}
# whole LOG I LENGTH: waits until drive I is complete and has this length
whole() {
	key=$(nth "$2")
	seed_wait "$1" "\"driveKey\":\"${key#pear://}\",\"driveLength\":$3,.*\"state\":\"complete\"" >/dev/null &&
	    echo "drive $2 is complete, length $3"
}
# blocks NAME: block files that are open; each drive has two
blocks() {
	open=$(find "/proc/$(cat "$1.pid")/fd" -lname '*/blocks/*' | wc -l)
	[ "$open" -le 8 ] && echo "few files are open"
}
# same STORE I TEXT: the drive in the store is the one that was staged
same() {
	rm -rf "out-$2"
	pear-dump --offline --storage "$1" "$(nth "$2")" "out-$2" >/dev/null &&
	    cmp "in-$2/text" "out-$2/text"
}

# rot STORE I: one byte of the contents of drive I
rot() {
	file=$(grep -l "text of $2\$" "$1"/blocks/*/*)
	at=$(grep -obUa "text of $2\$" "$file" | cut -d: -f1)
	printf X | dd of="$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
}

each | while read -r _; do pear-touch; done >links
for i in $(each); do
	link=$(nth "$i")
	mask "drive$i" "${link#pear://}"
	version "$i" "text of $i"
done

echo "== all are known, few are open, each is served"
seed_start one --list links --max-open 2 --listen 127.0.0.1:0
one=$seed_at
mask one "$one"
for i in $(each); do whole one.log "$i" 3; done
blocks one
pear-dump --storage third "$(nth 11)" out-third --peer "$one" >/dev/null
cmp in-11/text out-third/text && echo equal

echo "== a second one fetches them all"
seed_start two --list links --max-open 2 --listen 127.0.0.1:0 --storage other --peer "$one"
two=$seed_at
mask two "$two"
for i in $(each); do whole two.log "$i" 3; done
blocks two

echo "== what sleeps at both follows its writer"
version 7 "text of 7, again"
whole one.log 7 4
whole two.log 7 4
version 2 "text of 2, again"
whole two.log 2 4
blocks one
blocks two
seed_stop two
echo "[$?]"
for i in $(each); do same other "$i"; done

echo "== what was missed is fetched when they meet"
version 3 "text of 3, again"
version 12 "text of 12, again"
seed_start two --list links --max-open 1 --listen 127.0.0.1:0 --storage other --peer "$one"
whole two.log 3 4
whole two.log 12 4
blocks two

echo "== a block that rots while they sleep is fetched from the other"
rot "$PEAR_STORAGE" 5
rot other 6
pear-dump --storage rot5 "$(nth 5)" out-rot5 --peer "$one" >/dev/null
cmp in-5/text out-rot5/text && echo equal
pear-dump --storage rot6 "$(nth 6)" out-rot6 --peer "$seed_at" >/dev/null
cmp in-6/text out-rot6/text && echo equal
whole one.log 5 3
whole two.log 6 3
seed_stop one
same "$PEAR_STORAGE" 5

echo "== the copies are served"
pear-dump --storage fourth "$(nth 12)" out-fourth --peer "$seed_at" >/dev/null
cmp in-12/text out-fourth/text && echo equal
seed_stop two
echo "[$?]"

echo "== wrong words"
run pear-seed "$(nth 1)" --max-open 0 --listen 127.0.0.1:0
