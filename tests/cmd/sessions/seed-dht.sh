# pear-seed on a DHT of this machine: a link alone is enough.
. "$SESSIONS/../../support/seeder.sh"

# begin NAME ARG...: a seeder without an address, NAME.log and NAME.pid
begin() {
	name=$1
	shift
	: >"$name.log"
	pear-seed --json --stats-interval 100 "$@" >"$name.log" 2>"$name.err" &
	echo $! >"$name.pid"
}

: >net.log
pear-dht --nodes 5 --json --stats-interval 100 >net.log 2>net.err &
echo $! >net.pid
PEAR_DHT_BOOTSTRAP=$(seed_wait net.log '"tag":"bootstrap"' | sed 's/.*"nodes":\["\([^"]*\)".*/\1/')
seed_wait net.log '"persistent":5,"nodes":4' >/dev/null
export PEAR_DHT_BOOTSTRAP

mkdir in
echo '{"name":"hello","version":"1.0.0"}' >in/package.json
head -c 300000 /dev/zero | tr '\0' x >in/hello
link=$(pear-touch)
key=${link#pear://}
pear-stage "$link" in >/dev/null

echo "== announced"
begin one "$link"
seed_wait one.log '"tag":"announced"' | sed "s/$key/<key>/; s/\"nodes\":[0-9]*/\"nodes\":<n>/"

seed_wait one.log '"tag":"network".*"firewalled":false' | sed 's/"address":"[^"]*","nodes":[0-9]*/"address":"<at>","nodes":<n>/'

echo "== found by the link, and whole"
begin two "$link" --storage other
seed_wait two.log '"tag":"peer-add"' >/dev/null && echo connected
seed_wait two.log '"name":"hello".*"state":"complete"' >/dev/null && echo complete
seed_wait two.log '"tag":"announced"' >/dev/null && echo announced

echo "== a third one finds either, and waits for two copies"
# a name that nobody knows is left out (this one asks no server)
PEAR_DHT_BOOTSTRAP=no..name:49737,$PEAR_DHT_BOOTSTRAP \
    pear-seed --no-tty --storage third "$link" --until-copies 2 --timeout 60 >three.out 2>&1
echo "[$?]"
grep -c '^o-o peer join' three.out
grep '^\(\^_^ copies 2\|... discovery\)' three.out | sed 's/key .*/key <topic>/'

echo "== what nobody has"
lost=pear://yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyo
: >lost.log
pear-seed --no-tty --storage lost "$lost" >lost.log 2>&1 &
echo $! >lost.pid
seed_wait lost.log 'no seeder found' | sed 's/in [0-9]* s/in <n> s/'
seed_stop lost
echo "[$?]"

echo "== the end: unannounced"
seed_stop one
echo "[$?]"
seed_stop two
echo "[$?]"
# for a start without the bootstrap node: the list, and at least one other
grep -qF "$PEAR_DHT_BOOTSTRAP" other/dht-nodes && [ "$(wc -l <other/dht-nodes)" -gt 1 ] && echo remembered
topic=$(sed -n 's/.*"discoveryKey":"\([^"]*\)".*/\1/p' two.log | tail -n 1)
run pear-dht --lookup "$topic" 2>&1 | sed "s/$topic/<topic>/g"
seed_stop net
