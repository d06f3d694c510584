# Blind peers: pear-seed asks one, and is one; who may not ask is refused, and
# the quota holds.
# shellcheck shell=sh
# shellcheck source=tests/support/seeder.sh
. "$SESSIONS/../../support/seeder.sh"

mkdir app
echo '{"name":"hello","version":"1.0.0"}' >app/package.json
awk 'BEGIN { for (i = 0; i < 60000; i++) print i * 7919 % 99991 }' >app/data
link=$(pear-touch)
mask link "$link"
drive=${link#pear://}
mask drive "$drive"
pear-stage "$link" app >/dev/null
contents=$(pear-info "$link" --key --json |
    sed -n 's/.*"content":"\([^"]*\)".*/\1/p' | sed 's/pear:..//')
mask contents "$contents"

# who we are: the host has to know it
seed_start me "$link" --listen 127.0.0.1:0
me=${seed_at##*:}
mask me "$me"
seed_stop me

# ask ARG...: what is said of the cores
ask() {
	pear-seed "$link" --peer "$seed_at" --blind-peer "${seed_at##*:}" \
	    --timeout 30 --no-tty "$@" >ask.out 2>ask.err
	echo "[$?]"
	grep -h 'adding\|confirming\|added\|refused' ask.out ask.err |
	    sed "s/$drive/DRIVE/; s/$contents/CONTENTS/" | sort
	grep '^✖ after' ask.err
}

echo "== a stranger is refused"
other=$(pear-touch --storage other)
seed_start host --serve-blind --blind-allow "${other#pear://}" \
    --listen 127.0.0.1:0 --storage host
mask host "${seed_at##*:}"
ask
grep -o '"tag":"blind-[a-z]*"\|"code":"[A-Z_]*"' host.log | sort | uniq
seed_stop host
echo "[$?]"

echo "== too small"
seed_start host --serve-blind --blind-allow "$me" --blind-quota 100kB \
    --listen 127.0.0.1:0 --storage host
ask --timeout 3
grep -o '"tag":"blind-[a-z]*"' host.log | sort
seed_stop host

echo "== kept, from now on"
seed_start host --serve-blind --blind-allow "$me" --blind-quota 1MB \
    --listen 127.0.0.1:0 --storage host
ask
grep -o '"tag":"blind-[a-z]*"' host.log | sort
seed_stop host
# without the asker, by another run, for anybody
seed_start host --serve-blind --blind-trust "$me" --listen 127.0.0.1:0 \
    --storage host
pear-dump --storage third "$link" out --peer "$seed_at" >/dev/null
echo "[$?]"
diff -r app out && echo equal
seed_stop host

echo "== it is not there"
seed_at=127.0.0.1:9:$me
ask --timeout 1 | sed "s/$me/ME/"

echo "== wrong words"
run pear-seed --serve-blind --listen 127.0.0.1:0
run pear-seed "$link" --listen 127.0.0.1:0 --blind-quota 5
run pear-seed "$link" --listen 127.0.0.1:0 --blind-peer nobody
run pear-seed --serve-blind --blind-allow nobody --listen 127.0.0.1:0
