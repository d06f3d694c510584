# A command that waits for peers says so, and for what.
. "$SESSIONS/../../support/seeder.sh"

link=$(pear-touch)
mask key "${link#pear://}"

# waits OPTION...: its first word, and its end when it is stopped
waits() {
	: >one.err
	pear-info --storage other "$@" "$link" >one.log 2>one.err &
	echo $! >one.pid
	ln -f one.pid one.err.pid
	seed_wait one.err 'still waiting'
	seed_stop one
	echo "[$?]"
}

echo "== no network"
PEAR_DHT_BOOTSTRAP=127.0.0.1:9 waits
PEAR_DHT_BOOTSTRAP=127.0.0.1:9 waits --json
tail -n 1 one.log

echo "== no seeder"
: >net.log
pear-dht --nodes 3 --json --stats-interval 100 >net.log 2>net.err &
echo $! >net.pid
node=$(seed_wait net.log '"tag":"bootstrap"' | sed 's/.*"nodes":\["\([^"]*\)".*/\1/')
seed_wait net.log '"persistent":3' >/dev/null
PEAR_DHT_BOOTSTRAP=$node waits
seed_stop net
