# pear-dht: a network on this machine, questions to it, and wrong words.
. "$SESSIONS/../../support/seeder.sh"

: >net.log
pear-dht --nodes 5 --json --stats-interval 100 >net.log 2>net.err &
echo $! >net.pid
node=$(seed_wait net.log '"tag":"bootstrap"' | sed 's/.*"nodes":\["\([^"]*\)".*/\1/')
mask node "$node"
seed_wait net.log '"persistent":5,"nodes":4' >/dev/null && echo "== five nodes know each other"
grep -c '"tag":"listening"' net.log

echo "== nothing there"
topic=0000000000000000000000000000000000000000000000000000000000000007
run pear-dht --lookup $topic --node "$node"
run pear-dht --find $topic --node "$node" --json
PEAR_DHT_BOOTSTRAP=$node
export PEAR_DHT_BOOTSTRAP
run pear-dht --lookup $topic
PEAR_DHT_BOOTSTRAP=localhost:${node##*:} run pear-dht --lookup $topic
PEAR_DHT_BOOTSTRAP=nonsense run pear-dht --lookup $topic
PEAR_DHT_BOOTSTRAP=none run pear-dht --lookup $topic
unset PEAR_DHT_BOOTSTRAP

echo "== one that is told its address has its id at once"
: >one.log
pear-dht --bootstrap --host 127.0.0.1 --port 0 --json >one.log 2>one.err &
echo $! >one.pid
seed_wait one.log '"tag":"listening"' |
    sed 's/"port":[0-9]*/"port":<port>/; s/"id":"[0-9a-f]\{64\}"/"id":"<id>"/'
seed_stop one
echo "[$?]"

seed_stop net
echo "[$?]"
tail -n 1 net.log

echo "== nobody answers"
run pear-dht --lookup $topic --node 127.0.0.1:9

echo "== wrong words"
run pear-dht
run pear-dht --node nonsense
run pear-dht --node '[::1]:1'
run pear-dht --node 127.0.0.1:0
run pear-dht --nodes 0
run pear-dht --nodes 3 --port 5
run pear-dht --bootstrap --port 70000
run pear-dht --bootstrap --host example.org
run pear-dht --lookup nonsense --node "$node"
run pear-dht --lookup $topic --find $topic --node "$node"
run pear-dht --bootstrap --offline
