# Looking at drives: every flag of info, changelog, cores, keys and touch.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
identity "$PEAR_STORAGE"
mask VERSION "$(pear --version | sed 's/.* //')"
app app 1.0.0
pear-stage "$A" app >/dev/null
printf '{"name":"hello","productName":"Hello App","version":"2.0.0","upgrade":"%s"}' \
    "$B" >app/package.json
cat >app/CHANGELOG.md <<-END
	# Changes
	preface
	## 2.0.0
	- two
	## v1.10.0 (a date)
	- ten
	## 1.2.0
	- one two

	second paragraph
	## Unreleased
	- no version
	## 1.0.0-rc.1
	- candidate
END
pear-stage "$A" app >/dev/null

echo "# info"
run pear-info "$A"
run pear-info "$A" --json
run pear-info "$A" --key
run pear-info "$A" --key --json
run pear-info "$A" --metadata
run pear-info "$A" --manifest --json
run pear-info "pear://0.4.$KA" --manifest
run pear-info "pear://0.4.$KA" --metadata --json
run pear-info "pear://0.3.$KA" --metadata
run pear-info "pear://0.4.$KA.$KB"
run pear-info "$KA" --key --metadata
run pear-info "pear://$HA" --key
run pear-info "$A" --multisig --json
run pear-info
run pear-info --json
run pear-info "$B"
run pear-info "pear://yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" --json
run pear-info "pear://yyyy"
run pear-info "pear://$KA/some/path" --key

echo "# changelog"
run pear-changelog "$A"
run pear-changelog "$A" --json
run pear-changelog "$A" --of 1
run pear-changelog "$A" --of '>=1.2 <2' --json
run pear-changelog "$A" --of 3
run pear-changelog "$A" --of 3 --json
run pear-changelog "$A" --full | grep '^##'
run pear-changelog "$A" --of '*' --max 2 | grep '^##'
run pear-changelog "$A" --of '*' -m 0
wrong pear-changelog "$A" -m -1
run pear-changelog "pear://0.4.$KA"
run pear-changelog nonsense
run pear-changelog

echo "# cores"
run pear-cores | sed 's/  *$//'
run pear-cores --json
run pear-cores --all-cores | tail -n 2

echo "# keys"
echo 'correct horse' >password
run pear-keys list
run pear-keys list --json
run pear-keys export out.keys --json --password-fd 3 3<password
run pear-keys import out.keys --storage new --json --password-fd 3 3<password
run pear-keys import app/index.js --storage new --password-fd 3 3<password
run pear-keys import missing --storage new --password-fd 3 3<password
run pear-stage "$A" app --storage new
run pear-keys accept "$A" --json -y
run pear-keys accept "pear://yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" -y
wrong pear-keys accept
wrong pear-keys export

echo "# touch"
run pear-touch --json | sed 's/[a-z0-9]\{52\}/KEY/g'
run pear-touch some/folder | sed 's/[a-z0-9]\{52\}/KEY/g'
run pear-touch --vanity y --json | sed 's/"y[a-z0-9]\{51\}"/"yKEY"/; s/\/y[a-z0-9]\{51\}/\/yKEY/'
run pear-touch --vanity yyyyyyyyyyyy --vanity-timeout 1 2>&1 | sed "s/in [0-9]* /in N /"
run pear-cores --all-cores --json | tail -n 1
env --default-signal=INT pear-touch --vanity yyyyyyyyyyyy 2>errors >&2 &
until grep -q longer errors 2>/dev/null; do sleep 0.02; done
kill -INT $!
wait $!
echo "$?"
cat errors
run pear-cores --all-cores --json | tail -n 1
