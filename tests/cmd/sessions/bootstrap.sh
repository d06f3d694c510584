# --dht-bootstrap: what is not host:port is named, before anything is asked.
# shellcheck shell=sh
link=$(pear-touch)
mask LINK "$link"
try() {
	printf '%s\n' "-- $1"
	pear-info "$link" --dht-bootstrap "$1" >/dev/null || echo "[$?]"
}

long=$(printf '%0250d' 0)
for list in 127.0.0.1:49737 127.0.0.1:1,127.0.0.1:65535 '127.0.0.1:1,' \
    127.0.0.1@name.invalid:49737 none; do
	try "$list"
done
echo "== refused"
for list in ',' 127.0.0.1 127.0.0.1:0 127.0.0.1:99999 127.0.0.1:1x \
    '127.0.0.1: 1' '[::1]:1' :1 @:1 @name:1 127.0.0.1:1@name \
    127.0.0.1:1,,127.0.0.1:2; do
	try "$list"
done
echo "== as long as it can be"
# the colon far before the at sign, and the other way round
pear-info "$link" --dht-bootstrap "a:$long@" 2>&1 >/dev/null | cut -c1-40
pear-info "$link" --dht-bootstrap "$long@:1x" 2>&1 >/dev/null | cut -c1-40
pear-info "$link" --dht-bootstrap "$long$long:1" 2>&1 >/dev/null | cut -c1-40
echo "== too many"
many=127.0.0.1:1
i=1
while [ $i -lt 33 ]; do
	many=$many,127.0.0.1:$((i += 1))
done
pear-info "$link" --dht-bootstrap "$many" >/dev/null || echo "[$?]"
echo "== too many, in a config"
cat >multisig.json <<EOF
{
  "type": "drive",
  "publicKeys": ["yrry6fo7roiurqkye78fkzddpjazo9hgtskjzeijsn557tqc4xpy"],
  "namespace": "session/bootstrap",
  "quorum": 1,
  "srcKey": "${link#pear://}",
  "bootstrap": ["$(echo "$many" | cut -d, -f1-32)", "127.0.0.1:33"]
}
EOF
unset PEAR_DHT_BOOTSTRAP
hyper-multisig request 2 >/dev/null || echo "[$?]"
echo "== no name is known"
pear-seed "$link" --dht-bootstrap no..name:1,no..other:2 2>&1 | sed 's/other: .*/other: <why>/'
