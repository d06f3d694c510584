# What a dry run of pear-provision shows of the changes: lines of texts, and a
# report to keep. B is the target, C stands for production.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"

release=app
mkdir -p $release/by-arch/linux-x64/app $release/by-arch/win32-x64/app
package() {
	printf '{\n  "name": "hello",\n  "version": "%s",\n  "upgrade": "%s"\n}\n' \
	    "$1" "$2" >$release/package.json
}
package 1.0.0 "$C"
printf 'one\ntwo\n' >$release/by-arch/linux-x64/app/words
printf '\177ELF\0\1' >$release/by-arch/linux-x64/app/hello
chmod +x $release/by-arch/linux-x64/app/hello
printf 'MZ\0' >$release/by-arch/win32-x64/app/hello.exe
pear-stage "$A" $release >/dev/null

echo "# the first release"
run pear-provision -d --diff --report first.md "pear://0.5.$KA" "$B" \
    "pear://0.0.$KC"
cat first.md
pear-provision --yes "pear://0.5.$KA" "$B" "pear://0.0.$KC" >/dev/null
pear-provision --yes "pear://0.5.$KB" "$C" "pear://0.0.$KC" >/dev/null

echo "# the second"
package 1.1.0 "$A"
printf 'one\n2\n' >$release/by-arch/linux-x64/app/words
printf '\177ELF\0\2' >$release/by-arch/linux-x64/app/hello
rm $release/by-arch/win32-x64/app/hello.exe
echo 'rm -rf /' >$release/setup.sh
pear-stage "$A" $release >/dev/null
run pear-provision -d --diff --report second.md "pear://0.10.$KA" "$B" \
    "pear://0.5.$KC"
cat second.md
run pear-provision -d --diff --json "pear://0.10.$KA" "$B" "pear://0.5.$KC" |
    grep -e byte-diff

echo "# the same again: the same bytes"
pear-provision -d --report again.md "pear://0.10.$KA" "$B" "pear://0.5.$KC" |
    grep Report
cmp second.md again.md
b2sum -l 256 second.md
pear-provision -d --report r.html "pear://0.10.$KA" "$B" "pear://0.5.$KC" \
    --json | grep '"report"' >event
mask SUM "$(b2sum -l 256 r.html | cut -d ' ' -f 1)"
cat event

echo "# what it cannot do"
wrong pear-provision --diff "pear://0.10.$KA" "$B" "pear://0.5.$KC"
wrong pear-provision --report r.md "pear://0.10.$KA" "$B" "pear://0.5.$KC"
wrong pear-provision -d --report r.txt "pear://0.10.$KA" "$B" "pear://0.5.$KC"
