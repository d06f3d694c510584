# The life of a seeder: signals, a closed pipe, a service manager.
. "$SESSIONS/../../support/seeder.sh"

mkdir in
echo '{"name":"hello","version":"1.0.0"}' >in/package.json
link=$(pear-touch)
pear-stage "$link" in >/dev/null

echo "== a clean end"
for signal in INT TERM HUP; do
	# a background process of a shell ignores SIGINT: not this one
	: >one.log
	env --default-signal=INT pear-seed --json "$link" --listen 127.0.0.1:0 >one.log 2>one.err &
	echo $! >one.pid
	seed_wait one.log '"tag":"listening"' >/dev/null
	kill -s "$signal" "$(cat one.pid)"
	# 5 s at most, or it is killed
	timeout 5 tail -f /dev/null --pid="$(cat one.pid)" || kill -KILL "$(cat one.pid)"
	wait "$(cat one.pid)"
	echo "$signal: $?, $(tail -n 1 one.log)"
	cat one.err
done

echo "== stopped for a while"
seed_start one "$link" --listen 127.0.0.1:0
kill -STOP "$(cat one.pid)"
kill -CONT "$(cat one.pid)"
pear-info --json --storage other "$link" --peer "$seed_at" | grep -c '"length"'
seed_stop one
echo "[$?]"

echo "== two of one store"
seed_start one "$link" --listen 127.0.0.1:0
seed_start two "$link" --listen 127.0.0.1:0
mask store "$PEAR_STORAGE"
sed 's/process [0-9]*/process <pid>/' one.err two.err
seed_stop one
seed_stop two
echo "[$?]"

echo "== nobody reads"
mkfifo pipe
timeout 20 pear-seed --json --stats-interval 20 "$link" --listen 127.0.0.1:0 >pipe &
pid=$!
head -n 1 <pipe >/dev/null
wait "$pid"
echo "[$?]"

echo "== a service manager"
notify_listen "$PWD/socket" >notify.log &
echo $! >notify.pid
seed_wait notify.log listening
NOTIFY_SOCKET=$PWD/socket WATCHDOG_USEC=100000 seed_start one "$link" --listen 127.0.0.1:0
seed_wait notify.log '^READY=1'
seed_wait notify.log '^STATUS=.* complete'
seed_wait notify.log '^WATCHDOG=1'
seed_stop one
seed_wait notify.log '^STOPPING=1'
kill "$(cat notify.pid)"
NOTIFY_SOCKET=$PWD/absent run pear-seed "$link" --listen 127.0.0.1:0 >absent.out 2>&1
tail -n 2 absent.out
