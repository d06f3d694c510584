# Steps 19 to 28: request, signatures, verification and the first commit of
# production. The machine MS makes requests and commits; it is no signer.
#
# The parts share their variables.
# shellcheck shell=sh disable=SC2154,SC2034

# ms STORE ARG...: hyper-multisig as it is used; WAIT in ms for each check
WAIT=30000
ms() {
	ms_store=$1
	shift
	hyper-multisig -c multisig.json -s "$ms_store" \
	    --peer-update-timeout "$WAIT" "$@"
}

# request_of STORE LENGTH: sets $request, and $hash
request_of() {
	ok ms "$1" request -o request "$2"
	request=$(cat request)
	hash=$(hyper-multisig inspect --json "$request" |
	    sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
}

# answer N REQUEST: of signer N, in the file answerN
answer() {
	signed_by "sign$1" "$2" >"answer$1" 2>"$out"
	is "$(grep -c '^[a-z0-9]*$' "answer$1")" 1 "signer $1 answers"
}

step "19 a request is refused while the source is not seeded enough"
n=$(length "$candidate")
WAIT=500
refused 3 'SOURCE_CORE_INSUFFICIENT_PEERS: .*(0/2 peers)' ms build request "$n"
also build "$provisioned"
has build "$provisioned" "$n"
await build "\"tag\":\"announced\",\"data\":{\"key\":\"${provisioned#pear://}\"" "it is announced"
refused 3 'SOURCE_CORE_INSUFFICIENT_PEERS: .*(1/2 peers)' ms ms request "$n"
refused 1 'SOURCE_CORE_INSUFFICIENT_PEERS' ms ms --exit-compat request "$n"
echo "$provisioned" >thin.links
again_js thin --sparse
await thin '"tag":"announced"' "a peer that keeps nothing"
WAIT=5000
refused 3 'SOURCE_CORE_NOT_FULLY_SEEDED: db .*(1/2)' ms ms request "$n"
WAIT=500
refused 3 'SOURCE_CORE_' pear-multisig -c pear.json -s ms request "$candidate" \
    --peer-update-timeout "$WAIT"

step "20 and goes on as soon as it is: S1 and S2 come while it waits"
WAIT=60000
begin waiting hyper-multisig -c multisig.json -s ms --peer-update-timeout "$WAIT" \
    request -o early "$n"
await waiting 'Verifying the db core' "the request waits"
also s1 "$provisioned"
also s2 "$provisioned"
await waiting '^hypercore-sign [a-z0-9]*$' "the request is made"
wait "$(cat waiting.pid)"
is $? 0 "a request that waited"
forget waiting
end thin
has s1 "$provisioned" "$n"
has s2 "$provisioned" "$n"
WAIT=30000
request_of ms "$n"
is "$request" "$(cat early)" "the same request again"
says "\"key\": \"${production#pear://}\"" "the key of production"
says "\"length\": $n," "the length"
ok hyper-multisig inspect "$request"
says 'ersion.*2' "a request of version 2"
says 'rive' "of a drive"

step "21 a length that the source does not have"
refused 3 'SOURCE_CORE_TOO_SMALL' ms ms request $((n + 5))

step "22 verify without responses; S2 is killed"
crash s2
again_js s2
ok ms ms verify --first-commit "$request"
says '^Quorum: 0 / 2$' "no signatures"
says 'safe to commit' "nothing stands in the way"
says '+.*/package.json' "what it changes"
ok ms ms status
says 'nothing here' "nothing is written"

step "23 signatures"
printf 'a wrong password\n' >password
refused 4 'Key decryption failed' hypercore-sign --yes --expect-hash "$hash" \
    --password-fd 3 -d sign1 "$request" 3<password
signer 4 stranger
printf '%s\n' "$SIGNER_PASSWORD" >password
refused 1 'not a declared signer' hypercore-sign --yes --expect-hash "$hash" \
    --password-fd 3 -d stranger "$request" 3<password
answer 1 "$request"
answer 2 "$request"

step "24 verify with responses"
verify() { ms ms verify --first-commit --no-review "$@"; }
ok verify "$request" @answer1
says '^Quorum: 1 / 2$' "one"
ok verify "$request" @answer1 @answer1
says '^Quorum: 1 / 2$' "the same twice"
ok verify "$request" @answer1 @answer2
says '^Quorum: 2 / 2$' "two"
rev answer2 >bent
refused 2 '' verify "$request" @bent
ok ms ms request -o shorter "$n" --request-version 3
answer 3 "$(cat shorter)"
refused 4 'Signature was not made over this request' verify "$request" @answer1 @answer3

step "25 a request for another link"
config other.json "$provisioned" cycle/other 2 "$(key 1)" "$(key 2)" "$(key 3)"
ok hyper-multisig -c other.json -s ms request -o foreign "$n"
refused 4 'REQUEST_FOR_OTHER_KEY' verify "$(cat foreign)"

step "26 too few signatures"
refused 4 'Insufficient quorum: 1 / 2' ms ms commit --first-commit "$request" @answer1
ok ms ms status
says 'nothing here' "nothing is written"
refused 3 'TARGET_CORE_INSUFFICIENT_PEERS' ms ms --peer-update-timeout 500 \
    commit "$request" @answer1 @answer2

step "27 the first commit; it waits for both seeders"
first_commit() {
	begin commit hyper-multisig -c multisig.json -s ms \
	    --peer-update-timeout 30000 commit --first-commit "$request" \
	    @answer1 @answer2
}
first_commit
await commit "^Committed the drive (key ${production#pear://})\$" "it is written"
await commit '^Waiting for remote seeders' "it waits"
also s1 "$production"
await commit '^blobs: 1 / 2 seeders\|^db: 1 / 2 seeders' "one seeder"
has s1 "$production" "$n"
grep -q DONE commit.log
is $? 1 "one seeder is not enough"
ok ms ms status
says 'Interrupted commit\|committed' "the journal is open"

step "33 the commit is killed: another is refused, the same goes on"
crash commit
refused 6 'COMMIT_INCOMPLETE' ms ms commit --first-commit "$(cat shorter)" @answer3
first_commit
await commit '^This commit was interrupted; going on with it' "it goes on"
crash s1
also s2 "$production"
has s2 "$production" "$n"
again s1
has s1 "$production" "$n"
await commit '~ DONE ~ Seeding now' "both hold all of it"
await commit "^Drive key: ${production#pear://}\$" "the last line"
kill -0 "$(cat commit.pid)"
check $? "and it keeps seeding"

step "28 a downloader that knows production only"
ok pear-dump --storage client "$production" out-client
same_tree hello-1.0.2 out-client "what was built"
ok pear-info --storage client --multisig "$production"
says 'quorum: 2 / 3' "the quorum"
for k in 1 2 3; do
	says "$(key "$k")" "signer $k"
done
end commit
ok ms ms status
says 'No commit is open' "nothing is left to do"
first=$(verlink client "$production")
first_hash=$(about client "$production" treeHash)
