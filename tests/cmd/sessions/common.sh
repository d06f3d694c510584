# What all commands share: help, version, usage errors, common options.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
all="touch build stage dump info cores gc keys changelog dht"

mask VERSION "$(pear --version | sed 's/.* //')"
for c in $all; do
	run "pear-$c" --version
	"pear-$c" --help >help
	pear "$c" -h | cmp - help
	pear help "$c" | cmp - help
	sed '/^Common options/,/^  --version/d' help
	# every usage error has its own line, the usage, and exit code 2
	wrong "pear-$c" --nonsense
	wrong "pear-$c" --json=1
	wrong "pear-$c" --storage
	wrong "pear-$c" --color red
	wrong "pear-$c" one two three
	wrong "pear-$c" --nonsense --json
	wrong "pear-$c" --nonsense --exit-compat
done
pear-touch --help | sed -n '/^Common options/,/^  --version/p'

run pear
run pear help stage dump 2>&1 | head -3
wrong pear stag
wrong pear zzzzzzzz
wrong pear --nonsense
run pear --version

echo "# words and flags in any order; -- ends the flags"
app app 1.0.0
pear-stage --json "$A" -d app >first
for line in "$A app -d --json" "-d $A --json app" "--no-json --json -d $A -- app" \
    "--json --dry-run $A app --menu --sidecar --log-level 3 -L 2"; do
	# shellcheck disable=SC2086 # words
	pear-stage $line | cmp - first || echo "differs: $line"
done

echo "# where the store is: flag, PEAR_STORAGE, XDG_DATA_HOME, HOME"
run pear-touch --storage flag | sed 's/[a-z0-9]\{52\}/KEY/'
unset PEAR_STORAGE
XDG_DATA_HOME=$PWD/xdg pear-touch >/dev/null
pear-touch >/dev/null
find flag xdg home -name STORE -printf '%p %m\n' | sort
HOME='' wrong pear-cores
export PEAR_STORAGE=store

echo "# colour"
for when in always never auto; do
	pear-stage "$A" app -d --color $when | grep index | od -An -c | head -1
done
NO_COLOR=1 pear-stage "$A" app -d --color always | grep index |
    od -An -c | head -1

echo "# output that cannot be written"
pear-cores --all-cores >/dev/full
echo $?
pear-info "$A" --json >/dev/full
echo $?
