# The same once more in short, on a DHT of JavaScript nodes: peers find each
# other, a request is refused until the source is seeded, the first commit
# waits for its seeders, and a downloader finds production.
#
# The parts share their variables.
# shellcheck shell=sh disable=SC2154,SC2034

step "a DHT of JavaScript nodes"
mkdir theirs
cd theirs || exit 1
work=$work/theirs
out=$work/out
begin net node "$here/js-net.js"
await net '"tag":"bootstrap"' "a JavaScript DHT"
PEAR_DHT_BOOTSTRAP=$(echo "$line" | sed 's/.*"nodes":\["\([^"]*\)".*/\1/')
export PEAR_DHT_BOOTSTRAP
for n in 1 2 3; do
	signer $n "sign$n"
done
ok pear-touch --storage build
provisioned=$(grep -o 'pear://[a-z0-9]\{52\}$' "$out")
config multisig.json "$provisioned" "$namespace/theirs" 2 "$(key 1)" "$(key 2)" "$(key 3)"
production=$(link_of multisig.json)
ok assemble 1.0.0 "$production"
ok pear-stage --offline --storage build "$provisioned" hello-1.0.0
n=$(length "$(verlink build "$provisioned")")
seed build "$provisioned"
await build '"tag":"announced"' "BUILD announces"
WAIT=1000
refused 3 'SOURCE_CORE_INSUFFICIENT_PEERS: .*(1/2 peers)' ms ms request "$n"
seed_js s2 "$provisioned" "$production"
has s2 "$provisioned" "$n"
WAIT=30000
signed_request ms "$n" 1 3
seed s1 "$production"
await s1 '"tag":"announced"' "S1 waits for production"
ok ms ms commit --first-commit --no-seed "$request" answers
has s1 "$production" "$n"
has s2 "$production" "$n"
ok pear-dump --storage client "$production" out-client
same_tree hello-1.0.0 out-client "the downloader has the release"
end build
end s1
end s2
end net
