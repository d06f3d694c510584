# Making a key is killed at every call that changes files, and every such call
# fails once: what is there then is a pair, a secret key alone or nothing,
# never a public key without its secret; and the next try ends in a pair.
# shellcheck shell=sh
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
key_store=$(command -v key_store)
shim=$(dirname "$key_store")/crash_shim.so
if ! [ -f "$shim" ] || ldd "$key_store" | grep -q 'san\.so'; then
	echo 'needs the crash shim, and no sanitizer'
	exit 77
fi
signer_field 1 fileZ32 | tr -d '\n' >key
CRASH_COUNT=$PWD/count LD_PRELOAD=$shim key_store keys x <key
calls=$(cat count)
[ "$calls" -ge 6 ] || echo "only $calls calls"
for how in before after torn EIO ENOSPC; do
	n=1
	while [ "$n" -le "$calls" ]; do
		rm -rf keys
		said=$(CRASH_AT=$n CRASH_DO=$how LD_PRELOAD=$shim \
		    key_store keys x <key 2>/dev/null)
		state=$(key_store check keys x 2>&1) ||
		    echo "$how $n: $state"
		[ "$said" != stored ] || [ "$state" = pair ] ||
		    echo "$how $n: said stored, but left $state"
		case $how in
		E*) [ "$state" != secret ] ||
			echo "$how $n: half a pair after a mere failure" ;;
		esac
		key_store keys x <key >/dev/null || echo "$how $n: not again"
		[ "$(key_store check keys x)" = pair ] ||
		    echo "$how $n: no pair in the end"
		printf '%s\n' "$state" >>states
		n=$((n + 1))
	done
done 2>/dev/null
sort -u states

echo '-- at once: one makes it, the others find it'
rm -rf keys
for i in 1 2 3 4 5 6 7 8; do
	signer_field $((i % 3 + 1)) fileZ32 | tr -d '\n' >"key-$i"
	key_store keys x <"key-$i" >"said-$i" &
done
wait
sort said-* | uniq -c | sed 's/^ *//'
key_store check keys x
ls keys
