# A new key, the same name again, and a key file of an older version. Each
# password costs what it costs people: a gigabyte of memory, some seconds.
# shellcheck shell=sh
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
modes() {
	stat -c '%a %n' "$1"
	stat -c '%a %s %n' "$1"/*
}
printf '%s\n' "$SIGNER_PASSWORD" >password
printf 'short\n' >short

echo '-- generate'
run hypercore-sign-generate-keys --no-tty </dev/null
run hypercore-sign generate keys --name k --password-fd 3 3<short
run hypercore-sign generate keys --name ../k --password-fd 3 3<password
run hypercore-sign generate keys -d keys
printf 'Work\nlong enough\nlong enougH\n' | run hypercore-sign generate keys
ls keys 2>/dev/null
printf 'Work\n%s\n%s' "$SIGNER_PASSWORD" "$SIGNER_PASSWORD" |
    hypercore-sign generate keys >said 2>&1
mask KEY "$(cat keys/work.public)"
cat said
modes keys
mask SECRET "$(cat keys/work)"
run hypercore-sign generate keys --name work --password-fd 3 3<short
run hypercore-sign generate keys --name work --json --password-fd 3 3<short
rm -f keys/work.public
run hypercore-sign generate keys --name work
modes keys
mv keys/work keys/default
mv keys/work.public keys/default.public
HYPERCORE_SIGN_KEYS_DIRECTORY=keys run hypercore-sign-generate-keys

echo '-- a legacy key'
signer 4 dora
request=$(sed -n 's/^ *{"label":"core, single signer manifest of the legacy key","hex".*"z32":"\([^"]*\)".*/\1/p' \
    "$VECTORS/signing.json")
mask REQUEST "$request"
printf 'n\nn\n' | run hypercore-sign sign -d dora "$request" 2>&1 |
    head -n 6
printf 'n\n' | hypercore-sign -d dora "$request" 2>&1 | grep -c 'legacy key'
printf 'y\nwrong password\n' | run hypercore-sign sign -d dora "$request"
modes dora
printf 'y\n%s' "$SIGNER_PASSWORD" | run hypercore-sign sign -d dora "$request"
modes dora
[ "$(cat dora/default.v3.backup)" = "$(signer_field 4 fileZ32)" ] &&
    echo 'the old text'
grep -rqF "$SIGNER_PASSWORD" said keys dora || echo 'password nowhere'
