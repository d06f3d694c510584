# pear-seed with many drives: --list, --all, copies, time limits.
. "$SESSIONS/../../support/seeder.sh"

# make NAME FILES: a drive with an app of this name; sets its variable
make() {
	mkdir -p "in-$1/by-arch/linux-x64/app"
	echo "{\"name\":\"$1\",\"version\":\"1.0.0\"}" >"in-$1/package.json"
	head -c 100000 /dev/zero | tr '\0' "$1" >"in-$1/by-arch/linux-x64/app/$1"
	made=$(pear-touch)
	pear-stage "$made" "in-$1" >/dev/null
	mask "$1" "${made#pear://}"
}
# event LOG TAG LINK: waits for an event about a drive
event() {
	seed_wait "$1" "\"tag\":\"$2\",\"data\":{\"key\":\"${3#pear://}\"" >/dev/null &&
	    echo "$2 ${3#pear://}"
}
# whole LOG LINK: waits until the drive is complete
whole() {
	seed_wait "$1" "\"driveKey\":\"${2#pear://}\".*\"state\":\"complete\"" >/dev/null &&
	    echo "complete ${2#pear://}"
}

make a && a=$made
make b && b=$made
# as an interrupted command might leave it: a core that is no drive is no harm
pear-touch >/dev/null

echo "== everything in the store, also what comes later"
seed_start one --all --listen 127.0.0.1:0
one=$seed_at
mask one "$one"
event one.log seeding "$a"
event one.log seeding "$b"
make c && c=$made
event one.log seeding "$c"
echo "$(grep -c '"tag":"seeding"' one.log) drives"

echo "== a list"
printf '# ours\n%s\n\n  %s\t# twice\r\nnonsense\npear://short\n' "$a" "$a" >links
seed_start two --list links "$b" "$b" --listen 127.0.0.1:0 --storage other --peer "$one"
event two.log seeding "$a"
event two.log seeding "$b"
whole two.log "$a"
whole two.log "$b"
# for some seconds: what did not change is not read again
seed_wait two.log '"tag":"stats"' 60 >/dev/null
cat two.err
echo "$(grep -c '"tag":"seeding"' two.log) drives"

echo "== changed: a drive is added, and another one goes"
echo "$c" >>links
kill -HUP "$(cat two.pid)"
event two.log seeding "$c"
whole two.log "$c"
# replaced, without a word about it; b stays, it was named
echo "$c" >links.new
mv links.new links
event two.log dropped "$a"
# nothing to read: nothing changes
rm links
ln two.pid two.err.pid
kill -HUP "$(cat two.pid)"
seed_wait two.err 'going on with' | sed 's/.*links/links/'
seed_stop two
echo "[$?] $(grep -c '"tag":"dropped"' two.log) dropped"

echo "== until there are copies"
seed_start two "$a" "$b" --listen 127.0.0.1:0 --storage other --peer "$one"
two=$seed_at
mask two "$two"
run pear-seed --no-tty "$a" "$b" --until-copies 1 --timeout 20 --peer "$two" >copies.out 2>&1
grep copies copies.out | tail -n 2
run pear-seed --no-tty "$a" --until-copies 2 --timeout 1 --peer "$two" >copies.out 2>&1
tail -n 2 copies.out
run pear-seed --json "$c" --until-copies 1 --timeout 1 --peer "$two" >copies.out 2>&1
tail -n 1 copies.out
seed_stop two
seed_stop one
echo "[$?]"

echo "== wrong words"
run pear-seed --listen 127.0.0.1:0
head -c 3000 /dev/zero | tr '\0' '\n' | sed 's/$/nonsense/' >links.wrong
timeout 20 pear-seed --list links.wrong --listen 127.0.0.1:0 --until-copies 1 --timeout 1 2>&1 >/dev/null | tail -n 3
run pear-seed --list absent --listen 127.0.0.1:0
run pear-seed "$a" --timeout 5 --listen 127.0.0.1:0
run pear-seed "$a" --until-copies 0 --listen 127.0.0.1:0
run pear-seed "$a" --http nonsense --listen 127.0.0.1:0
run pear-seed "$a" --http 0.0.0.0:0 --listen 127.0.0.1:0
run pear-seed "$a" --limit-up fast --listen 127.0.0.1:0
run pear-seed "$a" --limit-down 12 --listen 127.0.0.1:0
run pear-seed "$a" --limit-up 99999999999999999999GB --listen 127.0.0.1:0
run pear-seed "$a" --max-connections 0 --listen 127.0.0.1:0

echo "== limited"
seed_start one --all --limit-up 20MB --limit-down 500kB --max-connections 3 --listen 127.0.0.1:0
pear-dump --storage fourth "$a" limited --peer "$seed_at" >/dev/null
cmp in-a/by-arch/linux-x64/app/a limited/by-arch/linux-x64/app/a && echo equal
seed_stop one
echo "[$?]"
