# What a dry run shows of the changes: lines of texts, and a report to keep.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"

release=app
mkdir -p $release/by-arch/linux-x64/app/lib $release/by-arch/darwin-arm64/app
put() { printf '%b' "$2" >"$release/$1"; }
put package.json '{\n  "name": "hello",\n  "version": "1.0.0"\n}\n'
put by-arch/linux-x64/app/hello '\0177ELF\0001\0000\0002'
chmod +x $release/by-arch/linux-x64/app/hello
put by-arch/linux-x64/app/words 'one\ntwo\nthree\n'
put by-arch/linux-x64/app/lib/gone 'last words\n'
put by-arch/linux-x64/app/mode 'same\n'
put by-arch/darwin-arm64/app/data 'a\n'
ln -s words $release/by-arch/linux-x64/app/ln

echo "# a first release: everything is new"
run pear-stage -d --diff "$A" $release
pear-stage "$A" $release >/dev/null

echo "# the next one"
put package.json '{\n  "name": "hello",\n  "version": "1.1.0"\n}'
put by-arch/linux-x64/app/hello '\0177ELF\0001\0000\0002\0003'
put by-arch/linux-x64/app/words 'one\n\0033[31mtwo <b>\0342\0200\0256\nthree\n'
rm $release/by-arch/linux-x64/app/lib/gone
chmod +x $release/by-arch/linux-x64/app/mode
ln -sf ../other $release/by-arch/linux-x64/app/ln
put setup.sh 'rm -rf /\n'
awk 'BEGIN { for (i = 0; i < 200000; i++) print "line " i }' \
    >$release/by-arch/darwin-arm64/app/data
run pear-stage -d --diff --report r.md "$A" $release
cat r.md
run pear-stage -d --diff --json "$A" $release | grep -v '"staging"'
b2sum -l 256 r.md

echo "# the same again: the same bytes, also from elsewhere"
mkdir elsewhere
cp -a $release elsewhere/copy
run pear-stage -d --report again.md "$A" elsewhere/copy | grep Report
cmp r.md again.md
pear-stage -d --report r.html "$A" $release --json | grep '"report"' >event
mask SUM "$(b2sum -l 256 r.html | cut -d ' ' -f 1)"
cat event
head -c 15 r.html
echo
grep -c '<script' r.html

echo "# with colour"
run pear-stage -d --diff --color always "$A" $release |
    sed -n '/words/,/three/s/\x1b/^[/gp'

echo "# against an earlier version"
put by-arch/linux-x64/app/words 'one\n'
pear-stage "$A" $release >/dev/null
run pear-stage -d --diff --truncate 8 "$A" $release | grep -A 6 words

echo "# what it cannot do"
wrong pear-stage --diff "$A" $release
wrong pear-stage --report r.html "$A" $release
wrong pear-stage -d --report r.txt "$A" $release
run pear-stage -d --report no/such/r.md "$A" $release 2>&1 | tail -2 |
    sed 's/tmp-[0-9a-f]*/TMP/'
ls
