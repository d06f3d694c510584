#!/bin/sh
# run.sh BUILD: a release from the first link to a downloader that knows only
# the production link, each machine a store of its own, all of them finding
# each other by themselves in a DHT of this machine. Processes are killed and
# started again on the way. Step numbers are those of the acceptance scenario;
# the steps of the updater are not here. KEEP=1 leaves the stores.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/check.sh
. tests/check.sh
here=$PWD/tests/cycle
build=$(realpath "${1:?usage: tests/cycle/run.sh BUILD}")
VECTORS=$PWD/tests/vectors
export NODE_PATH="${JS:-$PWD/build/js}/node_modules"
export PATH="$build/bin:$PATH"
work=$(mktemp -d)
# another run on this machine has another production link
namespace=cycle/${work##*.}
running=
# shellcheck source=tests/cycle/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/support/signers.sh
. tests/support/signers.sh
trap clean_up EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1
export HOME="$work"

begin net pear-dht --nodes 5 --json --stats-interval 100
await net '"tag":"bootstrap"' "a DHT"
PEAR_DHT_BOOTSTRAP=$(echo "$line" | sed 's/.*"nodes":\["\([^"]*\)".*/\1/')
export PEAR_DHT_BOOTSTRAP
await net '"persistent":5,"nodes":4' "of five nodes"

# shellcheck source=tests/cycle/stage.sh
. "$here/stage.sh"
# shellcheck source=tests/cycle/provision.sh
. "$here/provision.sh"
# shellcheck source=tests/cycle/release.sh
. "$here/release.sh"
# shellcheck source=tests/cycle/next.sh
. "$here/next.sh"
end net
# shellcheck source=tests/cycle/theirs.sh
. "$here/theirs.sh"
finish
