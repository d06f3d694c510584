# What needs file systems of its own: a full disk, a store that cannot be
# written, files that are not read again (failures D1, D2, K8).
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"

if [ "${1-}" != inside ]; then
	unshare -rm true 2>/dev/null || {
		echo "no namespaces for users"
		exit 77
	}
	# shellcheck disable=SC2016 # expanded by the inner shell
	exec unshare -rm sh -u -c '. "$0/../session.sh"
	    set -- inside; . "$0/mounts.sh"' "$SESSIONS"
fi

echo "# a full disk, at every size"
identity "$PEAR_STORAGE"
app app 1.0.0
app next 1.0.1
perl -e 'srand(1); print pack("N*", map { rand(2 ** 32) } 1..250000)' >next/data
mkdir disk
pear-stage "$A" app >/dev/null
# Remounts name device and folder: given one of them, mount(8) would add the
# options in force, which a namespace may not understand.
# The middle ones fill up in the index, after the contents. What was committed
# stays committed even if the mark cannot follow, and the error says so.
for more in 8 128 960 976 980 984 988 992 996 1000 1004 1008 1012 1016 1020 1024 \
    1028 1032 1036 1040 1060 1600; do
	mount -t tmpfs -o size=64m tmpfs disk
	cp -a store disk/store
	used=$(df -k --output=used disk | tail -n 1)
	mount -t tmpfs -o remount,size=$((used + more))k tmpfs disk
	was=$(pear-info "$A" --metadata --storage disk/store)
	if pear-stage "$A" next --storage disk/store --store-moved >got 2>errors; then
		echo "stored"
	else
		[ $? = 1 ] && echo "refused"
		grep -q 'disk/store/.*No space left on device$' errors || cat errors
		[ "$was" = "$(pear-info "$A" --metadata --storage disk/store)" ] ||
		    grep -q 'committed, but' errors || echo "THE DRIVE HAS CHANGED"
		mount -t tmpfs -o remount,size=64m tmpfs disk
		pear-stage "$A" next --storage disk/store --store-moved |
		    tail -n 2 | head -n 1
	fi
	umount disk
done | sort | uniq

echo "# a dump on a full disk"
pear-stage "$A" next >/dev/null
mount -t tmpfs -o size=512k tmpfs disk
run pear-dump "$A" disk/out
find disk -type f | sort
run pear-dump "$A" disk/out --force
mount -t tmpfs -o remount,size=8m tmpfs disk
run pear-dump "$A" disk/out --force
run diff -r next disk/out
umount disk

echo "# a store on a read-only disk"
mount --bind store store
mount -o remount,bind,ro store
refused "$A" pear-stage "$A" app
run pear-touch
run pear-stage "$A" app -d | tail -n 1
run pear-dump "$A/index.js" - --raw
run pear-gc cores "$A"
umount store

echo "# unchanged files are read again with --no-cache only"
mount -t tmpfs -o strictatime,size=8m tmpfs disk
app disk/app 1.0.0
# the cache does not trust what is as new as the stage itself
touch -d '1 hour ago' disk/app/index.js
sleep 0.1
pear-stage "$B" disk/app >/dev/null
for flag in --cache --no-cache; do
	was=$(stat -c %x disk/app/index.js)
	pear-stage "$B" disk/app $flag >/dev/null
	[ "$was" = "$(stat -c %x disk/app/index.js)" ] && echo "$flag: not read" ||
	    echo "$flag: read"
done
