# Dumping to a folder and to standard output: every case of the command
# contract, both modes.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
# tree DIR: names, modes, link targets
tree() {
	(cd "$1" && find . ! -type d -printf '%p %M %l\n' | LC_ALL=C sort)
}

app app 1.0.0
chmod +x app/index.js
ln -s lib/a.js app/link
pear-stage "$A" app >/dev/null
echo 'console.log(2)' >app/index.js
echo two >app/lib/b.js
rm app/link
pear-stage "$A" app >/dev/null

echo "# into a folder"
wrong pear-dump "$A"
run pear-dump "$A" out --dry-run
run test -e out
run pear-dump "$A" out
run tree out
run diff -r app out
run pear-dump "$A" out
run pear-dump "$A" out -f
echo changed >out/index.js
echo extra >out/extra
mkdir out/empty
ln -s /etc/passwd out/lib/pw
run pear-dump "$A" out --force --check
run pear-dump "$A" out --force --dry-run --json
run pear-dump "$A" out --force --no-prune
run ls out out/lib
run pear-dump "$A" out --force --json
run ls out out/lib
run pear-dump "$A" out --check

echo "# versions: link, --checkout, hash"
run pear-dump "pear://0.5.$KA" v1
run tree v1
run pear-dump "$A" v2 --checkout 5 --list
run pear-dump "$A" --checkout 0 --list
run pear-dump "$A" --checkout 99 --list
run pear-dump "$A" --checkout 2 --list
wrong pear-dump "$A" --checkout x --list
run pear-dump "pear://1.5.$KA" --list
hash=$(pear-info "pear://0.5.$KA" --metadata --json |
    sed -n 's/.*"treeHash":"\([^"]*\)".*/\1/p')
run pear-dump "pear://0.5.$KA.$hash" --list
run pear-dump "pear://0.8.$KA.$hash" --list

echo "# parts: a path of the link, --only"
run pear-dump "$A/lib" lib
run tree lib
run pear-dump "$A/lib/a.js" one
run tree one
run pear-dump "$A/lib" -
run pear-dump "$A/lib/a.js" -
run pear-dump "$A/lib/a.js" - --json
run pear-dump "$A/lib/a.js" - --json --json-encoding base64
run pear-dump "pear://0.5.$KA/link" -
run pear-dump "$A/nope" none
run test -e none
run pear-dump "$A/nope" --list --json
run pear-dump "$A" only --only lib/b.js,/package.json
run tree only
echo mine >only/mine
echo mine >only/lib/mine
run pear-dump "$A" only --only lib -f
run cat only/mine only/lib/mine
# said out loud, --prune holds for the named part
run pear-dump "$A" only --only lib --prune -f
run tree only
wrong pear-dump "$A" only --prune --no-prune

echo "# --list, --raw"
run pear-dump "$A/lib" --list
run pear-dump "$A/lib/" --list
run pear-dump "$A/lib/a.js" --list
run pear-dump "$A/li" --list
run pear-dump "$A" --list --json
run pear-dump "$A/index.js" - --raw
run pear-dump "$A" - --raw
wrong pear-dump "$A" dir --raw
wrong pear-dump "$A" --list --raw
wrong pear-dump "$A/index.js" - --json --json-encoding hex
run pear-dump "$B" --list
pear-touch --storage other >/dev/null
run pear-dump "$A" x --storage other
run pear-dump pear://keet x
run pear-dump app x

echo "# more would be deleted than looks right: .git, home, many files"
mkdir work
: >work/.git
run pear-dump "$A" work --force --no-tty
run pear-dump "$A" work --force --no-tty --dry-run
run ls -A work
run pear-dump "$A" work --force --yes
run ls -A work
echo dear >"$HOME/letter"
run pear-dump "$A" "$HOME" --force </dev/null
run ls "$HOME"
mkdir many
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
	: >many/$i
done
run pear-dump "$A" many --force </dev/null
rm many/1
run pear-dump "$A" many --force </dev/null | tail -1

echo "# nothing is written through a link"
mkdir victim
mkdir trap
ln -s ../victim trap/lib
run pear-dump "$A" trap --force --no-prune
run pear-dump "$A" trap --force
run ls victim
run tree trap
