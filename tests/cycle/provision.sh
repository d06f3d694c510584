# Steps 12 to 18: provisioning, signers' keys, the config, the link of
# production, and the first release candidate that carries it.
#
# The parts share their variables.
# shellcheck shell=sh disable=SC2154,SC2034

provision() { pear-provision --storage build "$@"; }

step "12 provision, dry; a seeder of the target is killed meanwhile"
self="pear://0.0.${provisioned#pear://}"
package 1.0.0 "$stage"
for i in 1 2 3; do
	echo "$i" >hello-1.0.0/by-arch/changes
	pear-stage --storage build "$stage" hello-1.0.0 >"$out" 2>&1
done
rm hello-1.0.0/by-arch/changes
ok pear-stage --storage build "$stage" hello-1.0.0
staged=$(verlink build "$stage")
has s1 "$stage" "$(length "$staged")"
has s2 "$stage" "$(length "$staged")"
ok provision --dry-run "$staged" "$provisioned" "$self"
is "$(grep -c '^+ ' "$out")" "$files" "a line for each file"
says 'Dry Run Complete' "that it was dry"
ok pear-info --offline --storage build "$provisioned"
says 'Empty' "the target is as it was"

step "13 provision"
ok provision --cooldown 1 "$staged" "$provisioned" "$self"
says '^NOT A DRY RUN! Waiting 1s' "that it waits"
says '^Hashlink: pear://' "a link with the hash"
candidate=$(verlink build "$provisioned")
says "^Verlink: $candidate\$" "a versioned link"
[ "$(length "$candidate")" -lt "$(length "$staged")" ]
check $? "the target has no history of the stage: $candidate"
ok pear-dump --offline --storage build "$provisioned" out-provisioned
ok pear-dump --offline --storage build "$staged" out-staged
same_tree out-provisioned out-staged "the target holds what the stage holds"

step "14 a prerelease is refused, 15 the same again changes nothing"
ok assemble 1.0.2-rc.1 "$stage"
ok pear-stage --storage build "$stage" hello-1.0.2-rc.1
refused 1 'SemVer' provision --yes "$(verlink build "$stage")" "$provisioned" "$self"
ok sh -c '! pear-provision --json --yes --storage build "$@" >said' sh \
    "$(verlink build "$stage")" "$provisioned" "$self"
grep -q ERR_INVALID_MANIFEST said
check $? "the code: $(tail -n 2 said)"
is "$(verlink build "$provisioned")" "$candidate" "the target is as it was"
ok provision --yes "$staged" "$provisioned" "$self"
says 'Total changes: 0' "no changes"
is "$(verlink build "$provisioned")" "$candidate" "the same version"

step "16 keys"
for n in 1 2 3; do
	signer $n "sign$n"
done
printf 'short\n' >password
refused 1 'at least 8' hypercore-sign-generate-keys --password-fd 3 \
    -d short 3<password
[ ! -e short/default ]
check $? "nothing is left of it"
ok hypercore-sign-generate-keys -d sign1
says "$(cat sign1/default.public)" "what is there stays"
is "$(stat -c %a sign1/default sign1/default.public | xargs)" "400 600" "modes"

step "17 the production link"
key() { cat "sign$1/default.public"; }
config() { # config FILE SOURCE NAMESPACE QUORUM KEY...
	config_file=$1
	config_source=$2
	config_rest="\"namespace\": \"$3\", \"quorum\": $4"
	shift 4
	cat >"$config_file" <<END
{ "type": "drive", $config_rest, "srcKey": "$config_source",
  "publicKeys": [$(printf '"%s", ' "$@" | sed 's/, $//')] }
END
}
link_of() { hyper-multisig -c "$1" link; }
config multisig.json "$provisioned" "$namespace" 2 "$(key 1)" "$(key 2)" "$(key 3)"
production=$(link_of multisig.json)
is "$(printf '%s' "$production" | grep -c '^pear://[a-z0-9]\{52\}$')" 1 "a link"
(mkdir elsewhere && cd elsewhere && link_of ../multisig.json) >"$out"
is "$(cat "$out")" "$production" "the same on every machine"
config swapped.json "$provisioned" "$namespace" 2 "$(key 2)" "$(key 1)" "$(key 3)"
differs "$(link_of swapped.json)" "$production" "two keys swapped"
config three.json "$provisioned" "$namespace" 3 "$(key 1)" "$(key 2)" "$(key 3)"
differs "$(link_of three.json)" "$production" "another quorum"
cat >pear.json <<END
{ "name": "hello", "multisig": { "namespace": "$namespace", "quorum": 2,
  "publicKeys": ["$(key 1)", "$(key 2)", "$(key 3)"] } }
END
is "$(pear-multisig -c pear.json link)" "$production" "pear-multisig has the same"

# candidate DIRECTORY PRODUCTION-VERLINK [OPTION]: stage and provision
candidate() {
	ok pear-stage --storage build "$stage" "$1"
	shift
	ok provision --yes "$(verlink build "$stage")" "$provisioned" "$@"
	candidate=$(verlink build "$provisioned")
	has build "$stage" "$(length "$(verlink build "$stage")")"
}

step "18 the candidate of 1.0.2, with the production link in it"
ok assemble 1.0.2 "$production"
nothing="pear://0.0.${production#pear://}"
refused 3 .--bootstrap provision --yes "$staged" "$provisioned" "$nothing"
candidate hello-1.0.2 "$nothing" --bootstrap
ok pear-dump --offline --storage build "$provisioned/package.json" -
says "\"upgrade\": \"$production\"" "the upgrade link"
