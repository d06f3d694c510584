# New links, the list of cores, and what goes wrong.
# shellcheck shell=sh
link=$(pear-touch)
mask LINK "$link"
mask KEY "${link#pear://}"
run pear-cores
run pear-cores --all-cores
run pear-cores --all-cores --json
vanity=$(pear-touch --vanity yb)
case $vanity in
pear://yb*) echo "vanity ok" ;;
esac
run pear-touch --vanity l
run pear-touch --vanity l --json
run pear-touch --vanity ''
run pear-touch --vanity-timeout soon
run pear touch --nonsense --exit-compat 2>&1 | head -2
run pear touhc --json
# a mask that hides files from their owner, closed descriptors
(umask 777 && PEAR_STORAGE=other pear-touch) | wc -l
PEAR_STORAGE=other pear-cores --all-cores | tail -2
find other -perm /077
pear-touch >&-
echo "closed output: $?"
