# Folders that cannot be staged, or not quite: every refusal names its file
# and leaves the drive as it was (failures F1 to F12).
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
app app 1.0.0
pear-stage "$A" app >/dev/null

echo "# package.json"
mkdir none
refused "$A" pear-stage "$A" none
refused "$A" pear-stage "$A" none --json
refused "$A" pear-stage "$A" missing
refused "$A" pear-stage "$A" app/package.json
# the parent's is never taken
refused "$A" pear-stage "$A" app/lib
for text in '' '{' '[]' '"x"' 'null' '{"name":1}' '{"name":"a","name":"b"}' \
    '{"name":"x","pear":1}' '{"name":"x","pear":{"stage":[]}}' \
    '{"name":"x","pear":{"stage":{"ignore":1}}}' \
    '{"name":"x","pear":{"stage":{"purge":"yes"}}}' '{"name":"x"} rest'; do
	printf '%s' "$text" >none/package.json
	printf '%s -> ' "$text"
	pear-stage "$A" none 2>&1 | grep '^✖' || echo taken
	pear-stage "$A" app >/dev/null
done
printf '{"name":"x","pear":[]}' >none/package.json
refused "$A" pear-stage "$A" none --json
printf '{"name":"x"}' >none/package.json
refused "$A" pear-stage "$A" none --ignore 'package.json'
rm none/package.json
mkdir none/package.json
refused "$A" pear-stage "$A" none
rmdir none/package.json
mkfifo none/package.json
refused "$A" pear-stage "$A" none

echo "# what is no file is skipped, by name"
mkfifo app/pipe
perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
    bind(S, sockaddr_un("app/lib/sock")) or die'
run pear-stage "$A" app --dry-run 2>&1 | grep -v '^$'
rm app/pipe app/lib/sock

echo "# what cannot be read stops everything"
chmod 0 app/index.js
echo 2 >app/two
refused "$A" plainly pear-stage "$A" app
mkdir app/closed
chmod 0 app/closed
refused "$A" plainly pear-stage "$A" app --json
# but not if it is not asked for
run plainly pear-stage "$A" app -d --ignore closed,index.js | grep '^[-+~✖]'
chmod 755 app/closed
chmod 644 app/index.js
rm -r app/closed app/two

echo "# links"
mkdir out
echo outside >out/file
ln -s ../out/file app/followed
ln -s ../out app/folder
ln -s lib app/inside
ln -s nowhere app/dangling
ln -s ../nowhere app/dangling-out
ln -s loop2 app/loop1
ln -s loop1 app/loop2
ln -s . app/self
ln -s "$PWD/app/lib/a.js" app/absolute
ln -s .. app/lib/up
run pear-stage "$B" app 2>&1 | grep -v '^$'
run pear-dump "$B" - --only followed,folder
run pear-dump "$B" links 2>&1
(cd links && find . -type l -printf '%p -> %l\n' | sort)
find app -type l -exec rm {} +

echo "# names"
: >"$(printf 'app/bad\377name')"
: >"$(printf 'app/lib/bad\300\257name')"
: >'app/back\slash'
refused "$A" pear-stage "$A" app
refused "$A" pear-stage "$A" app --json
rm app/bad* app/lib/bad* app/back*
: >app/README
: >app/ReadMe
: >"$(printf 'app/caf\303\251')"
: >"$(printf 'app/cafe\314\201')"
: >"$(printf 'app/new\nline')"
: >"$(printf 'app/\342\200\256direction')"
: >'app/ blank '
run pear-stage "$A" app --dry-run 2>&1 | grep -v '^$'
run pear-stage "$A" app --dry-run --json 2>&1 | grep -e byte-diff -e warning
pear-stage "$C" app >/dev/null 2>&1
run pear-dump "$C" names
run diff -r app names
rm app/[RrN]* app/caf* app/new* app/*direction 'app/ blank '

echo "# too long, too deep, empty"
perl -e '$n = "n" x 250; chdir "app"; for (1..17) { mkdir $n; chdir $n }
    open(F, ">", "file")'
refused "$A" pear-stage "$A" app | sed 's/n\{250\}/N/g; s/n\{20,\}/N/g'
rm -r app/nnn*
perl -e 'chdir "app"; for (1..1001) { mkdir "d"; chdir "d" }
    open(F, ">", "file")'
refused "$A" pear-stage "$A" app | sed 's/\(\/d\)\{9,\}/\/d.../'
rm -r app/d
perl -e 'chdir "app"; for (1..999) { mkdir "d"; chdir "d" }
    open(F, ">", "file")'
run pear-stage "$C" app --only d | grep -o '^+ \|Latest.*'
run pear-dump "$C" deep >/dev/null
run diff -r app/d deep/d
rm -r app/d deep
: >app/empty
run pear-stage "$A" app | grep '^[-+~]'
run pear-dump "$A/empty" - --json
