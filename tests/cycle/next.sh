# Steps 29 to 37: the second release and what must not become one, a commit
# that is killed, one on another machine, a team that lost its write keys, the
# way back, and a seeder that comes late.
#
# The parts share their variables.
# shellcheck shell=sh disable=SC2154,SC2034

# signed_request STORE LENGTH N N: $request, answered by two signers
signed_request() {
	request_of "$1" "$2"
	answer "$3" "$request"
	answer "$4" "$request"
	rm -rf answers
	mkdir answers
	cp "answer$3" "answer$4" answers
}

# seeded LINK LENGTH: by S1 and S2, all of it
seeded() {
	has s1 "$1" "$2"
	has s2 "$1" "$2"
}

step "29 the second release: candidate, request, signatures of others"
ok assemble 1.0.3 "$production"
candidate hello-1.0.3 "$first"
n=$(length "$candidate")
seeded "$provisioned" "$n"
signed_request ms "$n" 2 3

step "30 it is no first commit, on a machine that knows nothing either"
refused 5 'TARGET_NOT_EMPTY' ms ms verify --first-commit "$request" answers
refused 5 'TARGET_NOT_EMPTY' ms new commit --first-commit "$request" answers

step "31 the target is not seeded enough"
end s1
refused 3 'TARGET_CORE_INSUFFICIENT_PEERS\|TARGET_CORE_NOT_FULLY_SEEDED' \
    ms ms --peer-update-timeout 15000 commit "$request" answers
echo "$production" >thin.links
again_js thin --sparse
await thin '"tag":"announced"' "a peer that keeps nothing"
refused 3 'TARGET_CORE_NOT_FULLY_SEEDED: .*(1/2)' \
    ms ms --peer-update-timeout 15000 commit "$request" answers
end thin
ok ms ms status
says "length $(length "$first")," "the target is as it was"
again s1
has s1 "$production" "$(length "$first")"

step "32 a source with another history"
ok pear-touch --storage rogue
rogue=$(grep -o 'pear://[a-z0-9]\{52\}$' "$out")
for v in 1.0.3 1.0.2 1.0.0; do
	ok pear-stage --offline --storage rogue "$rogue" "hello-$v"
done
config rogue.json "$rogue" "$namespace" 2 "$(key 1)" "$(key 2)" "$(key 3)"
rogue() {
	hyper-multisig -c rogue.json -s rogue --min-peers 0 --min-full-copies 0 "$@"
}
ok rogue request --offline -o rogue.request "$(length "$(verlink rogue "$rogue")")"
answer 1 "$(cat rogue.request)"
cp answer1 rogue.answers
answer 2 "$(cat rogue.request)"
cat answer2 >>rogue.answers
refused 5 'INCOMPATIBLE_SOURCE_AND_TARGET' rogue commit "$(cat rogue.request)" @rogue.answers
ok rogue status
says "length $(length "$first")," "nothing is written"

step "29, 33 the commit is killed as soon as it is written, and run again"
begin commit hyper-multisig -c multisig.json -s ms \
    --peer-update-timeout 30000 commit "$request" answers
await commit '^Committed the drive' "it is written"
crash commit
ok ms ms commit --no-seed "$request" answers
ok ms ms status
says 'No commit is open' "nothing is left to do"
ok ms ms commit --no-seed "$request" answers
says 'ALREADY_COMMITTED' "and it is done once only"
begin holder pear-seed --json --stats-interval 100 --storage ms "$production"
seeded "$production" "$n"
end holder
ok pear-dump --storage client --force --yes "$production" out-client
same_tree hello-1.0.3 out-client "the downloader has the second release"
is "$(about client "$first" treeHash)" "$first_hash" "the first release is as it was"
second_hash=$(about client "$production" treeHash)

step "34 the machine of the commit is wiped: the same commit elsewhere"
rm -rf ms
ok ms third verify "$request" answers
says 'ALREADY_COMMITTED' "peers have it already"
ok ms third commit "$request" answers
is "$(about third "$production" treeHash)" "$second_hash" "the same tree"
is "$(length "$(verlink third "$production")")" "$n" "the same length"

step "35, 36 all write keys are lost; the way back to 1.0.2"
crash build
rm -rf build build.links
ok pear-touch --storage build
stage=$(grep -o 'pear://[a-z0-9]\{52\}$' "$out")
ok pear-touch --storage build
provisioned=$(grep -o 'pear://[a-z0-9]\{52\}$' "$out")
second=$(verlink client "$production")
ok provision --yes "$second" "$provisioned" "$second"
ok assemble 1.0.4 "$production" 1.0.2
seed build "$stage" "$provisioned"
candidate hello-1.0.4 "$second"
config multisig.json "$provisioned" "$namespace" 2 "$(key 1)" "$(key 2)" "$(key 3)"
is "$(link_of multisig.json)" "$production" "the same production link"
also s1 "$provisioned"
also s2 "$provisioned"
n=$(length "$candidate")
seeded "$provisioned" "$n"
signed_request third "$n" 1 3
ok ms third verify --no-review "$request" answers
ok ms third commit --no-seed "$request" answers
says "^Drive key: ${production#pear://}\$" "it ends when enough seeders have it"
seeded "$production" "$n"
ok pear-dump --storage client --force --yes "$production" out-client
same_tree hello-1.0.4 out-client "the downloader has the third release"
cmp -s out-client/by-arch/linux-x64/app/Hello.AppImage \
    hello-1.0.2/by-arch/linux-x64/app/Hello.AppImage
check $? "with the programs of 1.0.2"

step "37 a late seeder"
end build
end s1
end s2
echo "$production" >late.links
begin late pear-seed --json --stats-interval 100 --storage late --list late.links
await late '"tag":"alone"\|"state":"searching"' "nobody is there"
again s1
has late "$production" "$n"
end late
