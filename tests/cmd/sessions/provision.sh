# Provisioning: a first release, a second one on top of production, and what
# is refused. B is the target, C stands for production.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
app app 1.0.0
echo 'only in the first' >app/old
run pear-stage "$A" app | tail -n 2

# before the first release production is empty; a dry run writes nothing
run pear-provision --dry-run "pear://0.5.$KA" "$B" "pear://0.0.$KC"
run pear-info "$B" --metadata
run pear-provision --yes "pear://0.5.$KA" "$B" "pear://0.0.$KC"
# once more: nothing changes, and nobody waits
run pear-provision "pear://0.5.$KA" "$B" "pear://0.0.$KC" | tail -n 9

# production gets the release
run pear-provision --yes "pear://0.5.$KB" "$C" "pear://0.0.$KC" | tail -n 9

# the second release, in both modes; B begins as production does
app app 1.0.1
rm app/old
cp app/index.js app/copy.js
echo 'module.exports = 2' >app/lib/a.js
run pear-stage "$A" app >/dev/null
run pear-provision -d --json "pear://0.9.$KA" "$B" "pear://0.5.$KC"
run pear-provision --cooldown 0 "pear://0.9.$KA" "$B" "pear://0.5.$KC" --json
run pear-dump "$B" out >/dev/null
run diff -r app out

# the target's key is lost: production as source and production, then as usual
new=$(pear-touch)
mask NEW "${new#pear://}"
run pear-provision --yes "pear://0.5.$KC" "$new" "pear://0.5.$KC" |
    grep -v -e Key -e Hash
run pear-provision --yes "pear://0.9.$KA" "$new" "pear://0.5.$KC" |
    grep -v -e Key -e Hash
[ "$(pear-info "$new" --json | grep -o '"treeHash":"[^"]*"')" = \
    "$(pear-info "$B" --json | grep -o '"treeHash":"[^"]*"')" ] ||
    echo "THE TWO TARGETS DIFFER"

# what does not fit is refused, and the target stays
refused "$B" pear-provision "$A" "$B" "pear://0.5.$KC"
refused "$B" pear-provision "pear://0.9.$KA" "$B" "$C"
refused "$B" pear-provision --yes "pear://0.9.$KA" "$B" "pear://0.0.$KC"
refused "$B" pear-provision --yes "pear://0.9.$KA" "$B" "pear://0.4.$KC"
refused "$B" pear-provision --yes "pear://0.9.$KA" "$B" "pear://0.6.$KC"
refused "$B" pear-provision --yes "pear://1.9.$KA" "$B" "pear://0.5.$KC"
refused "$B" pear-provision --yes "pear://0.7.$KA" "$B" "pear://0.5.$KC"
refused "$B" pear-provision --yes "pear://0.99.$KA" "$B" "pear://0.5.$KC"
refused "$B" pear-provision --yes "pear://0.9.$KA.$KA" "$B" "pear://0.5.$KC"
refused "$B" pear-provision --cooldown 601 "pear://0.9.$KA" "$B" "$C"
refused "$B" pear-provision "pear://0.9.$KA" "$B"
run pear-provision "$A" "$B" "$C" --json

# a target that went its own way can never be signed onto production
other=$(pear-touch)
mask OTHER "${other#pear://}"
run pear-stage "$other" app >/dev/null
refused "$other" pear-provision --yes "pear://0.9.$KA" "$other" \
    "pear://0.5.$KC"

# the staged drive's key is lost: another one with the same files serves
from=$(pear-info "$other" --json | sed -n 's/.*"verlink":"\([^"]*\)".*/\1/p')
run pear-provision --yes "$from" "$B" "pear://0.5.$KC" |
    grep -e '(Empty)' -e Verlink

# the history of the staged drive stays there: what a target of its own holds
# is what the files need
slim=$(pear-touch)
pear-provision --yes "pear://0.9.$KA" "$slim" "pear://0.0.${slim#pear://}" \
    >log
for d in "$A" "$slim"; do
	pear-info "$d" --metadata | grep -i length
done

# versions that are not released
app app 1.1.0-rc.1
run pear-stage "$A" app >/dev/null
refused "$B" pear-provision --yes "pear://0.11.$KA" "$B" "pear://0.5.$KC"
run pear-provision --yes --allow-prerelease "pear://0.11.$KA" "$B" \
    "pear://0.5.$KC" | grep -e version -e '^~'

# stopped while it waits: at once
app app 1.1.0
run pear-stage "$A" app >/dev/null
was=$(pear-info "$B" --metadata)
mkfifo talk
pear-provision --cooldown 600 "pear://0.12.$KA" "$B" "pear://0.5.$KC" \
    >talk 2>err &
pid=$!
while read -r line; do
	case $line in NOT*) kill -TERM "$pid" ;; esac
done <talk
wait "$pid"
echo "exit $?"
cat err
[ "$was" = "$(pear-info "$B" --metadata)" ] || echo "THE TARGET HAS CHANGED"
