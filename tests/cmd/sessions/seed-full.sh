# pear-seed on a disk that fills up: it says so, serves what it has, and goes
# on when there is room. Needs a small file system of its own.
. "$SESSIONS/../../support/seeder.sh"

if [ "${INSIDE-}" != 1 ]; then
	unshare -rm true 2>/dev/null || { echo "no namespaces here"; exit 77; }
	INSIDE=1 exec unshare -rm sh -u -c '. "$0"; . "$1"' \
	    "$SESSIONS/../session.sh" "$SESSIONS/seed-full.sh"
fi
mkdir small
mount -t tmpfs -o size=8m tmpfs small || { echo "no tmpfs here"; exit 77; }

mkdir in
echo '{"name":"hello","version":"1.0.0"}' >in/package.json
link=$(pear-touch)
pear-stage "$link" in >/dev/null
seed_start one "$link" --listen 127.0.0.1:0
one=$seed_at

seed_start two "$link" --listen 127.0.0.1:0 --storage small/store --peer "$one"
two=$seed_at
seed_wait two.log '"state":"complete"' >/dev/null && echo "== the first release is here"

# no block twice, or it would take no room
head -c 20000000 /dev/urandom >in/data
pear-stage "$link" in >/dev/null
ln two.pid two.err.pid
seed_wait two.err '^the disk is full'

echo "== what is there is served"
pear-dump --storage third "$link/package.json" - --peer "$two" 2>&1 | grep -o '"name":"hello"'

echo "== who waits for it is told"
mkdir tiny
mount -t tmpfs -o size=1m tmpfs tiny
mkdir -m 700 tiny/store
timeout 20 pear-dump --storage tiny/store "$link" third-out --peer "$one" >dump.log 2>dump.err
echo "[$?]"
sed -n 's/[a-z0-9]\{52\}/<core>/; /^✖/p' dump.err
timeout 20 pear-dump --json --storage tiny/store "$link" third-out --peer "$one" 2>/dev/null |
    tail -n 2 | cut -c1-65
umount tiny

echo "== there is room"
mount -o remount,size=64m small
seed_wait two.err 'room on the disk'
seed_wait two.log '"blobsByteLength":2[0-9]*.*"state":"complete"' >/dev/null && echo complete
seed_stop two
echo "[$?]"
pear-dump --storage small/store --offline "$link" out >/dev/null
cmp in/data out/data && echo equal
seed_stop one
