# --offline opens no socket, and neither does what needs nobody.
# shellcheck shell=sh
command -v strace >/dev/null || { echo "no strace"; exit 77; }
# strace itself works where tracing is allowed
strace -o "$HOME/probe" true 2>/dev/null || { echo "no tracing here"; exit 77; }
unset PEAR_DHT_BOOTSTRAP

# sockets CMD...: runs it, and says how many sockets it opened
sockets() {
	strace -f -o "$HOME/trace" -e trace=socket,connect,bind "$@" \
	    >"$HOME/said" 2>&1
	printf '%s: exit %d, sockets %d\n' "$1" $? \
	    "$(grep -c 'socket(' "$HOME/trace")"
}

mkdir app
echo '{"name":"app","productName":"App","version":"1.0.0"}' >app/package.json
link=$(pear-touch --offline)
other=$(pear-touch)
key=${link#pear://}
echo "== staged, looked at, written: a drive of this store"
sockets pear-stage "$link" app
sockets pear-info "$link"
sockets pear-info --offline "$link"
sockets pear-dump "$link" out
sockets pear-dump --offline "$link" again
version=$(pear-info "$link" --offline | sed -n 's/.*pear:\/\/0\.\([0-9]*\)\..*/\1/p' | head -n 1)
sockets pear-dump "pear://0.$version.$key" third
sockets pear-provision --offline --yes --cooldown 0 \
    "pear://0.$version.$key" "$other" "pear://0.0.${other#pear://}"
echo "== the name of a node is not looked up before it is asked"
name=name.invalid:49737
sockets pear-info --dht-bootstrap $name "$link"
sockets pear-dump --dht-bootstrap 127.0.0.1:1,$name "$link" fourth
PEAR_DHT_BOOTSTRAP=$name
export PEAR_DHT_BOOTSTRAP
sockets pear-stage "$link" app
unset PEAR_DHT_BOOTSTRAP
echo "== not here, and nobody may be asked"
sockets pear-info --offline pear://yrry6fo7roiurqkye78fkzddpjazo9hgtskjzeijsn557tqc4xpy
sockets pear-dump --offline pear://yrry6fo7roiurqkye78fkzddpjazo9hgtskjzeijsn557tqc4xpy none
sockets pear-seed --offline "$link"
run cat "$HOME/said"
echo "== a network of nobody: sockets, and an answer"
sockets pear-info --dht-bootstrap none "$link"
