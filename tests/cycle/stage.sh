# Steps 1 to 7: links, seeders, builds, staging, on every machine the same.
# BUILD writes, S1 seeds with pear-seed and S2 with the JavaScript packages.
#
# The parts share their variables.
# shellcheck shell=sh disable=SC2154,SC2034

step "1 two links"
ok pear-touch --storage build
stage=$(grep -o 'pear://[a-z0-9]\{52\}$' "$out")
ok pear-touch --storage build
provisioned=$(grep -o 'pear://[a-z0-9]\{52\}$' "$out")
differs "$stage" "$provisioned" "two links"
ok pear-cores --storage build
silent "${stage#pear://}" "no core is listed before it holds something"
ok pear-cores --storage build --all-cores
says "$stage" "with --all-cores it is"

step "2 seeders find each other"
seed build "$stage"
await build '"tag":"announced"' "the link is announced"
await build '"contentKey":"pending"' "it has no contents yet"
seed s1 "$stage"
seed_js s2 "$stage"
await build "\"tag\":\"peer-add\",\"data\":\"$(whoami s1)\"" "S1 comes"
await build "\"tag\":\"peer-add\",\"data\":\"$(whoami s2)\"" "S2 comes"
differs "$(whoami s1)" "$(whoami s2)" "two seeders"

step "3, 4 builds"
ok assemble 1.0.0 "$stage"
silent 'upgrade' "no warning of the upgrade link"
is "$(find hello-1.0.0 -path '*/by-arch/*/app/Hello*' -prune | wc -l)" 5 "five architectures"
[ -x hello-1.0.0/by-arch/linux-x64/app/Hello.AppImage ]
check $? "programs stay executable"
cmp -s app/package.json hello-1.0.0/package.json
check $? "package.json is copied"
listing hello-1.0.0 >before
ok assemble 1.0.0 "$stage"
is "$(listing hello-1.0.0)" "$(cat before)" "the same again changes nothing"
mkdir wrong
cp made/linux-x64/Hello.AppImage wrong/Other.AppImage
refused 1 Other.AppImage pear-build --package app/package.json \
    --linux-x64-app wrong/Other.AppImage --target hello-wrong
[ ! -e hello-wrong ]
check $? "a wrong name leaves no target behind"

step "5 stage, dry"
files=$(find hello-1.0.0 -type f | wc -l)
ok pear-stage --dry-run --storage build "$stage" hello-1.0.0
grep '^+ ' "$out" >planned
is "$(wc -l <planned)" "$files" "a line for each file"
ok pear-info --offline --storage build "$stage"
says 'Empty' "a dry run writes nothing"
if grep -q '"driveLength":[1-9]' s1.log; then
	fail "a dry run changes nothing at S1"
else
	pass
fi

step "6 stage"
ok pear-stage --storage build "$stage" hello-1.0.0
is "$(grep '^+ ' "$out")" "$(cat planned)" "the lines that the dry run showed"
says '^^Latest: [1-9]' "the length"
staged=$(verlink build "$stage")
says "^$staged\$" "the versioned link"
n=$(length "$staged")
has s1 "$stage" "$n"
is "$(echo "$line" | grep -o '"blobsByteLength":[0-9]*')" \
    "\"blobsByteLength\":$(about build "$stage" byteLength)" "S1: bytes of the contents"
has s2 "$stage" "$n"
is "$(echo "$line" | grep -o '"blobs":[0-9]*')" \
    "\"blobs\":$(pear-info --offline --json --storage build "$stage" |
	sed -n 's/.*"blobs":{"length":\([0-9]*\),.*/\1/p')" "S2: blocks of the contents"

step "7 another machine, by the link alone; BUILD and S2 are killed"
crash build
crash s2
ok pear-dump --storage other "$stage" out-stage
same_tree hello-1.0.0 out-stage "the dump is what was staged"
ok pear-info --storage other "$stage"
for want in ' version *1\.0\.0' " upgrade *$stage" " verlink *$staged"; do
	says "$want" "pear-info:$want"
done
again build
again_js s2
