# What --ignore, --only, --purge and package.json leave out.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"

# files NAME...: makes them, with their name as content
files() {
	for f in "$@"; do
		mkdir -p "$(dirname "$f")"
		echo "$f" >"$f"
	done
}
# manifest DIR JSON: package.json with this as pear.stage
manifest() {
	mkdir -p "$1"
	printf '{"name":"x","pear":{"stage":%s}}\n' "$2" >"$1/package.json"
}
# staged WORD...: the paths a dry run would add, and errors
staged() {
	printf '%s:' "$*"
	pear-stage -d "$B" "$@" 2>&1 |
	    sed -n 's/^+ \([^ ]*\) .*/ \1/p; s/^✖.*/ {&}/p' |
	    tr -d '\n'
	echo
}

mkdir tree
cd tree || exit 1
echo '{"name":"tree"}' >package.json
files index.js foo.js foobar.js bar.txt .git/HEAD .DS_Store a/.DS_Store \
    a/.github/w.yml a/b/.github/w.yml src/a.js src/b.test.js \
    src/deep/c.test.js src/deep/d.js node_modules/x/index.js \
    node_modules/x/test/t.js node_modules/y/package-lock.json \
    build/out-1.bin build/out-2.bin 'we?ird.js' 'docs/{x}.md'
all=$(pear-stage -d "$B" 2>/dev/null | sed -n 's/^+ \([^ ]*\) .*/\1/p')
# dropped LIST...: what the patterns take away from everything, and talk
dropped() {
	printf '%s:' "$1"
	pear-stage -d "$B" --ignore "$1" >../got 2>../talk
	printf '%s\n' "$all" | while read -r f; do
		grep -qF -- "+ $f (" ../got || printf ' %s' "$f"
	done
	# "!": the warning that .git would be published
	sed 's/^.*git looks private.*/!/; s/.*/ {&}/' ../talk | tr -d '\n'
	echo
}

echo "# the whole table"
for p in index.js /index.js index.js/ ./index.js src src/ sr a.js '*.js' \
    '/*.js' '**.js' '**/*.js' '/**/*.js' 'src/*' 'src/*.js' 'src/**' \
    'src/**/*.test.js' '**/*.test.js' '**/test' '**/test/**' '**.git' \
    '**.github' '**.DS_Store' '**/.github' '.*' 'foo*.js' 'build/out-*.bin' \
    'build/out-**' '*/a.js' '*' '**' 'foo?.js' '[f]oo.js' '(foo).js' \
    'we?ird.js' 'docs/{x}.md' 'node_modules,!node_modules/x' \
    'node_modules,!node_modules/x/index.js' 'node_modules,!**/index.js' \
    '*.js,!index.js' 'src/**,!src/deep/d.js' '!index.js' ' index.js' INDEX.JS ''; do
	dropped "$p"
done
echo "# only"
staged --only /src
staged --only src
staged --only src/
staged --only /src/a.js
staged --only src/a.js
staged --only /index.js,/src/deep
staged --only ' index.js , bar.txt'
staged --only /nope
staged --only '*.js'
staged --only /sr
staged --only /index.js --ignore index.js
staged --only /src --ignore src
staged --only /src --ignore src/a.js
staged --only /src/a.js --ignore src
# a real run that would stage nothing is a mistake, unless said so
run pear-stage "$B" --only /nope
run pear-stage "$B" --ignore '*'
run pear-stage "$B" --ignore '*' --allow-empty | tail -6
cd ..

echo "# only and ignore of package.json"
manifest cfg '{"only":["/package.json","/index.js","/folder","node_modules/d/i.js"],
 "ignore":["package-lock.json","/index.html","/app.js","node_modules/d/j.js"]}'
(cd cfg && files app.js index.js index.html package-lock.json folder/foo.js \
    folder/bar.js node_modules/d/i.js node_modules/d/j.js)
staged cfg
manifest cfg '{"only":"/index.js, /app.js","ignore":"app.js"}'
staged cfg

echo "# globs of package.json, more on the command line"
manifest globs '{"ignore":[".git","**all-ignore.js","ignore-file.js",
 "ignore-dir1/*-file.*","package-lock.json","ignore-dir2/"]}'
(cd globs && files .git/x dep.js index.js all-ignore.js ignore-file.js \
    ignore-dir1/a-file.js ignore-dir1/dont-ignore.txt \
    ignore-dir1/deep-glob-ignore.js ignore-dir1/all-ignore.js \
    package-lock.json ignore-dir2/x.js)
staged globs
staged globs --ignore '/**/*.js'

echo "# keeping wins; includes are the same"
for i in '"ignore":["/m/**/pre","!/m/dir1/pre"]' \
    '"ignore":["/m/**/pre"],"includes":["/m/dir1/pre"]' \
    '"ignore":["/m/**/pre"],"include":["/m/dir1/pre"]'; do
	manifest keep "{$i}"
	(cd keep && files m/pre/f.js m/dir1/pre/a.js m/dir2/pre/a.js m/dir3/pre/a.js)
	staged keep
done
staged keep --ignore '!/m/**/pre'

echo "# purge"
manifest purge '{}'
(cd purge && files index.js purge-file.js purge-dir1/a.js purge-dir1/b.js \
    purge-dir2/a.js)
pear-stage "$A" purge >/dev/null
words="--ignore purge-file.js,purge-dir1,purge-dir2"
# shellcheck disable=SC2086 # two words
run pear-stage "$A" purge $words --purge --dry-run --json
# shellcheck disable=SC2086 # two words
run pear-stage "$A" purge $words | grep -e '^[-+~]' -e Latest
# shellcheck disable=SC2086 # two words
run pear-stage "$A" purge $words --purge | sed 1,5d
run pear-dump "$A" --list
manifest purge '{"purge":true}'
run pear-stage "$A" purge --ignore index.js | grep -e '^[-+~]' -e Latest
