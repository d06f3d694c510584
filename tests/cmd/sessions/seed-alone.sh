# pear-seed where no node of the DHT answers: it says so, claims nothing of the
# network, and ends when it is told to.
. "$SESSIONS/../../support/seeder.sh"

link=$(pear-touch --storage other)
export PEAR_DHT_BOOTSTRAP=127.0.0.1:9

: >one.log
: >one.err
pear-seed --no-tty "$link" >one.log 2>one.err &
echo $! >one.pid
ln one.pid one.err.pid
seed_wait one.err 'DHT'
seed_stop one
echo "[$?]"
grep -q 'firewalled\|NAT type\|announced\|next try in 0' one.log || echo 'nothing is claimed'
