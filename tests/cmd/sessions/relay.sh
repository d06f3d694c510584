# --relay and PEAR_DHT_RELAY: a key, before anything is asked.
# shellcheck shell=sh
link=$(pear-touch)
mask LINK "$link"
PEAR_DHT_BOOTSTRAP=none
export PEAR_DHT_BOOTSTRAP
key=${link#pear://}
echo "== a key in either spelling, or none"
for relay in "$key" "$(printf '%064d' 7)" ''; do
	pear-info "$link" --relay "$relay" >/dev/null && echo taken
done
echo "== refused"
for relay in relay "${key}x" 127.0.0.1:49737; do
	pear-info "$link" --relay "$relay" >/dev/null || echo "[$?]"
	pear-seed "$link" --relay "$relay" --listen 127.0.0.1:0 >/dev/null ||
		echo "[$?]"
done
PEAR_DHT_RELAY=relay pear-info "$link" >/dev/null || echo "[$?]"
echo "== the option goes before the environment"
PEAR_DHT_RELAY=relay pear-info "$link" --relay "$key" >/dev/null && echo taken
