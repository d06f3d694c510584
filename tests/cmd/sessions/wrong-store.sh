# Stores in use, copied, put back, interrupted, newer: what is refused, by
# name, and leaves the drive as it was (failures K1, C1, C3, D6).
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
app app 1.0.0
pear-stage "$A" app >/dev/null
app app 1.0.1

echo "# another process writes"
# contents and metadata; files without a byte are other drives'
for f in $(find store/blocks -type f -size +0 | sort); do
	# shellcheck disable=SC2016 # expanded by the inner shell
	flock "$f" sh -c '. "$0"; . "$1"; refused "$A" pear-stage "$A" app' \
	    "${0%/*}/session.sh" "$SESSIONS/fixtures/identity.sh" |
	    sed 's/process [0-9]*/process N/; s/[0-9a-f]\{64\}/CORE/'
	# reading, and looking at what would change, goes on
	flock "$f" pear-dump "$A" - --list
	flock "$f" pear-stage "$A" app --dry-run | grep '^[-+~]'
	# and so does writing to another drive
	flock "$f" pear-stage "$B" app --only lib | tail -1
done

echo "# interrupted, killed"
truncate -s 30G app/big
for s in INT TERM HUP KILL; do
	env --default-signal=INT,TERM,HUP pear-stage "$A" app --json >got 2>&1 &
	until find /proc/$!/fd -lname '*/app/big' 2>/dev/null | grep -q .; do
		kill -0 $! || break
	done
	kill -$s $!
	wait $! 2>/dev/null
	echo "$s: $?"
	grep -v byte-diff got
	run pear-info "$A" --metadata --json | grep -o '"verlink":"[^"]*"'
done
rm app/big
run pear-stage "$A" app | tail -2

echo "# a dump that is interrupted; a reader that leaves"
perl -e 'print "x" x 1000000' >app/big
pear-stage "$C" app >/dev/null
mkfifo pipe
env --default-signal=INT pear-dump "$C/big" - --raw >pipe 2>errors &
exec 3<pipe
dd bs=1 count=1 <&3 2>/dev/null
echo
kill -INT $!
exec 3<&-
wait $!
echo "$?"
cat errors
(pear-dump "$C/big" - --raw; echo "$?" >code) 2>errors | dd bs=1 count=1 2>/dev/null
echo
cat code errors
rm app/big

echo "# put back from a backup"
cp store/index/data.mdb older
app app 1.0.2
pear-stage "$A" app >/dev/null
cat older >store/index/data.mdb
refused "$A" pear-stage "$A" app
run pear-stage "$A" app -d 2>&1 | tail -1
run pear-keys list
run pear-keys accept "$A" --yes
run pear-stage "$A" app | tail -2

echo "# copied; moved"
cp -a store copy
refused "$A" pear-stage "$A" app --storage copy
run pear-touch --storage copy
run pear-keys accept "$A" --yes --storage copy
run pear-gc cores "$A" --storage copy
run pear-info "$A" --metadata --json --storage copy | grep -o '"verlink":"[^"]*"'
run pear-dump "$A" --list --storage copy
app app 1.0.3
run pear-stage "$A" app --dry-run --storage copy | tail -1
run pear-stage "$A" app --storage copy --store-moved | tail -2
run pear-stage "$A" app --storage copy | tail -1
mv copy moved
run pear-stage "$A" app --storage moved | tail -1

echo "# a newer format, no store, not a folder"
cp store/STORE STORE
sed 's/^pear-store 1/pear-store 2/' STORE >store/STORE
refused "$A" pear-stage "$A" app
run pear-info "$A" --json
cat STORE >store/STORE
mkdir empty
run pear-cores --storage empty
run pear-stage "$A" app --storage app
run pear-cores --storage app/index.js
run pear-touch --storage app/index.js
run pear-touch --storage app
(cd app && find . | sort)
run pear-touch --storage no/such/folder/at/all | sed 's/[a-z0-9]\{52\}/KEY/'

echo "# without the right to write"
chmod -R a-w store
refused "$A" plainly pear-stage "$A" app
run plainly pear-touch
run plainly pear-dump "$A" --list
run plainly pear-stage "$A" app -d | tail -1
chmod -R u+w store
chmod 0 store/blocks/*/*
refused "$A" plainly pear-stage "$A" app 2>&1 | sed 's/[0-9a-f]\{64\}/CORE/'
run plainly pear-dump "$A" - 2>&1 | sed 's/[0-9a-f]\{64\}/CORE/;s/[0-9a-f][0-9a-f]\/CORE/CORE/'
chmod 600 store/blocks/*/*
chmod 0 store
run plainly pear-info "$A"
chmod 700 store
