# pear-seed and --peer: one store serves, another fetches.
. "$SESSIONS/../../support/seeder.sh"

mkdir -p in/by-arch/linux-x64/app in/by-arch/linux-arm64/app
echo '{"name":"hello","version":"1.0.0"}' >in/package.json
head -c 300000 /dev/zero | tr '\0' x >in/by-arch/linux-x64/app/hello
head -c 200000 /dev/zero | tr '\0' a >in/by-arch/linux-arm64/app/hello
link=$(pear-touch)
mask link "$link"
mask key "${link#pear://}"
pear-stage "$link" in >/dev/null

seed_start one "$link" --listen 127.0.0.1:0
one=$seed_at
mask peer "$one"
mask at "${one%:*}"

echo "== from nothing"
run pear-info --storage other --metadata "$link" --peer "$one"
run pear-dump --storage other "$link" out --peer "$one"
diff -r in out && echo equal

echo "== one architecture"
run pear-dump --storage sparse --only /by-arch/linux-x64 "$link" part --peer "$one"
diff -r in/by-arch/linux-x64 part/by-arch/linux-x64 && echo equal
# the other one's blocks were not fetched
pear-dump --storage sparse --only /by-arch/linux-arm64 --force "$link" part >sparse.out 2>&1
echo "[$?]"
grep -o 'is not in this store' sparse.out

echo "== what is staged meanwhile is announced"
seed_start two "$link" --listen 127.0.0.1:0 --storage third --peer "$one"
echo more >in/more
pear-stage "$link" in >/dev/null
length=$(pear-info --json --metadata "$link" |
    sed -n 's/.*"length":\([0-9]*\).*/\1/p' | head -n 1)
seed_wait two.log "\"driveLength\":$length" >/dev/null && echo followed
seed_stop two
echo "[$?]"

echo "== until a peer has everything"
key=${one##*:}
run pear-seed --storage third "$link" --peer "$one" --until-sync "$key" --no-tty >until.out 2>&1
tail -n 1 until.out | cut -d ' ' -f 1-3

seed_stop one
echo "[$?]"

echo "== nobody there, wrong words"
run pear-info --storage fresh "$link" --peer "$one"
run pear-seed "$link"
run pear-seed
run pear-seed "$link" --listen nonsense
run pear-dump "$link" x --peer nonsense
run pear-dump "$link" x --peer "$one" --offline
run pear-seed "$link" --peer "$one" --until-sync nonsense
