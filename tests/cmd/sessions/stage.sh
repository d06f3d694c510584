# Staging: what is printed, in both modes; dry runs, links, every flag.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
app app 1.0.0
ln -s lib/a.js app/link
chmod +x app/index.js

# the seed's order of words, and what a dry run leaves: nothing
run pear-stage --dry-run "$A" app
run pear-info "$A" --metadata
run pear-stage "$A" app
run pear-stage "$A" app
run pear-stage "$A" app -d --json
run pear-stage "$A" app --json

# one file changed, one chmod only, one gone, one renamed, one copied
echo '{"name":"other name","version":"1.0.1"}' >app/package.json
chmod -x app/index.js
rm app/link
mv app/lib/a.js app/lib/b.js
cp app/lib/b.js app/lib/c.js
run pear-stage "$A" app --dry-run
run pear-stage "$A" app --json

# links in all forms; the directory defaults to the working directory
cd app || exit 1
for l in "$KA" "$A/" "pear://0.5.$KA" \
    "pear://$HA"; do
	run pear-stage -d "$l" 2>&1 | tail -n 1
done
run pear-stage
run pear-stage ""
run pear-stage pear://keet
run pear-stage "pear://1.$KA"
run pear-stage "pear://x.1.$KA"
run pear-stage ./lib
run pear-stage "file://$PWD"
cd ..

# a folder without package.json
mkdir bare
echo 1 >bare/file
run pear-stage "$B" bare
run pear-stage "$B" bare --skip-package-json | head -1
run pear-dump "$B" --list
