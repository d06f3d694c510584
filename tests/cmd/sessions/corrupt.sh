# Damaged stores: each file cut, emptied, overwritten or gone. A command ends
# with an error that names the file, or does what it should with the bytes it
# checked; it never serves others, and never crashes (failures D5, D6, D8).
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
app app 1.0.0
awk 'BEGIN { for (i = 0; i < 40000; i++) print i * 7919 % 99991 }' >app/data
pear-stage "$A" app >/dev/null
app next 1.0.1
cp app/data next

# The files by what they are: names of cores do not belong in the text.
# shellcheck disable=SC2044 # paths of a store have no blanks
for f in $(find store/blocks -type f -size +0); do
	case $(wc -c <"$f") in
	??????) blobs=$f ;;
	*) db=$f ;;
	esac
done
mask BLOBS "${blobs#store/blocks/}"
mask DB "${db#store/blocks/}"
mark=store/marks/${db##*/}
mask DBKEY "${db##*/}"
mask CONTENT "$(pear-info "$A" --key --json |
    sed -n 's/.*"content":"\([^"]*\)".*/\1/p')"
mask BLOBSKEY "${blobs##*/}"

# damage HOW FILE; the inode stays, so that the store is not a copy
damage() {
	n=$(wc -c <"$2")
	case $1 in
	flipped) perl -e 'open(F, "+<", $ARGV[0]); seek(F, $ARGV[1], 0);
	    read(F, $c, 1); seek(F, $ARGV[1], 0);
	    print F chr(ord($c) ^ 1)' "$2" $((n / 2)) ;;
	cut) truncate -s $((n / 2)) "$2" ;;
	emptied) : >"$2" ;;
	garbled) tr '\000-\377' '\200-\377\000-\177' <whole >"$2" ;;
	gone) mv "$2" away ;;
	esac
}
# once CMD...: the last line of output, the first of errors, a bad exit code
once() {
	printf '  %s: ' "$1"
	"$@" >got 2>errors
	status=$?
	[ $status = 0 ] && echo ok && return
	echo "[$status] $(head -n 1 errors)" | sed 's/page [0-9]*/page N/'
	[ $status -lt 126 ] || echo "CRASHED"
}

restore() {
	for g in $sound; do
		cat "sound/$g" >"store/$g"
	done
}

cp -a store sound
sound=$(cd sound && find . -type f)
for f in STORE index/data.mdb index/lock.mdb "${mark#store/}" "${db#store/}" \
    "${blobs#store/}"; do
	for how in flipped cut emptied garbled gone; do
		[ "$f $how" != 'index/data.mdb flipped' ] || continue
		echo "$f $how"
		cat "store/$f" >whole
		damage $how "store/$f"
		once pear-info "$A" --metadata
		once pear-dump "$A" out
		[ $status != 0 ] || diff -r app out
		rm -rf out
		once pear-stage "$A" next
		# back to what was, in place
		[ ! -f away ] || mv away "store/$f"
		restore
	done
done
run pear-dump "$A" out
run diff -r app out
rm -r out

# a flipped bit of the index is found, or does not matter
bytes=$(wc -c <store/index/data.mdb)
at=11
while [ $at -lt "$bytes" ]; do
	perl -e 'open(F, "+<", $ARGV[0]); seek(F, $ARGV[1], 0);
	    read(F, $c, 1); seek(F, $ARGV[1], 0);
	    print F chr(ord($c) ^ 16)' store/index/data.mdb $at
	if pear-dump "$A" out >/dev/null 2>errors; then
		diff -r app out
		rm -r out
	else
		[ $? = 4 ] && grep -q 'data.mdb is damaged' errors ||
		    echo "byte $at: $(cat errors)"
	fi
	rm -rf out
	cat sound/index/data.mdb >store/index/data.mdb
	at=$((at + 997))
done

echo "# a flipped bit of a file is found, named, and not written"
damage flipped "$blobs"
run pear-dump "$A" hurt
run ls hurt
run pear-dump "$A/index.js" - --raw
run pear-dump "$A/data" - --raw >raw
[ "$(wc -c <raw)" -lt 100000 ] && echo "the rest is not served"
run pear-dump "$A" - --json 2>&1 | tail -n 3
run pear-dump "$A" app --check
run pear-info "$A" --manifest
