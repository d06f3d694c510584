# Signers show a request, sign it and verify answers. The conversation is on
# pipes: a line for each confirmation, then the password without a newline.
# shellcheck shell=sh
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
vector() {
	sed -n "s/^ *{\"label\":\"$1\",\"hex\".*\"z32\":\"\([^\"]*\)\".*/\1/p" \
	    "$VECTORS/signing.json" | head -n 1
}
signer 1 alice
signer 2 bob
signer 4 dora
drive=$(vector 'drive, version 3')
core=$(vector 'core, version 2 (legacy)')
mask DRIVE "$drive"
mask CORE "$core"
printf '%s\n' "$drive" >drive.txt
printf '%s' "$SIGNER_PASSWORD" >password
bob_key=$(cat bob/default.public)
hash=083d4c59d57c78f7539d79e4a0c013d91e87a85e1f0d030dd61f4dc00bf99852

echo '-- names of the own address book'
run hypercore-sign add -d alice "$bob_key" bob
run hypercore-sign add -d alice "$bob_key" bob
printf '\nCarol\n' | run hypercore-sign add -d alice \
    "$(signer_field 3 publicKeyZ32)"
run hypercore-sign add -d alice yyyy mallory
run hypercore-sign add -d alice --json \
    yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy mallory
stat -c '%a %n' alice/known-peers alice/known-peers/*

echo '-- asked twice, then the password'
printf 'y\ny\n%s' "$SIGNER_PASSWORD" |
    run hypercore-sign -d alice "$drive" 2>&1 | tee said
sed -n '/^Reply with:/,$p' said | sed -n 3p >drive-alice.txt
mask ANSWER "$(cat drive-alice.txt)"
printf 'what\nYes\n\n' | run hypercore-sign sign -d alice @drive.txt |
    tail -n 10
printf 'n\n' | run hypercore-sign sign -d alice "$core" 2>&1 | grep -v '^  '
run hypercore-sign sign -d alice - --no-tty <drive.txt 2>&1 | tail -n 3
printf 'y\ny\nwrong password' | run hypercore-sign -d alice "$drive" 2>&1 |
    tail -n 4
printf 'y\ny\nshort\n' | run hypercore-sign -d alice "$drive" 2>&1 | tail -n 2
HYPERCORE_SIGN_KEYS_DIRECTORY=bob run hypercore-sign "$drive" --no-tty </dev/null 2>&1 |
    tail -n 2

echo '-- without questions: only the expected request'
run hypercore-sign --yes -d alice @drive.txt --password-fd 3 3<password
run hypercore-sign --yes --expect-hash "$(echo $hash | tr 8 9)" -d alice \
    @drive.txt --password-fd 3 3<password
run hypercore-sign --yes --expect-hash 08 -d alice @drive.txt
run hypercore-sign --yes --expect-hash $hash -d alice --json @drive.txt \
    --password-fd 3 3<password
signature_twice=$(hypercore-sign --yes --expect-hash $hash -d alice --json \
    --password-fd 3 3<password 2>/dev/null - <drive.txt |
    sed -n 's/.*"response":"\([a-z0-9]*\)".*/\1/p')
[ "$signature_twice" = "$(cat drive-alice.txt)" ] && echo 'the same answer'

echo '-- whose answer is it?'
run hypercore-sign verify -d alice @drive-alice.txt @drive.txt
run hypercore-sign verify -d bob @drive-alice.txt @drive.txt
run hypercore-sign verify -d bob @drive-alice.txt @drive.txt \
    "$(cat alice/default.public)" | head -n 5
run hypercore-sign verify -d alice -i bob @drive-alice.txt @drive.txt
run hypercore-sign verify -d alice -i alice/default @drive-alice.txt \
    @drive.txt --json
run hypercore-verify @drive-alice.txt @drive.txt \
    "$(cat alice/default.public)" | head -n 5
run hypercore-verify @drive-alice.txt @drive.txt "$bob_key"
run hypercore-verify @drive-alice.txt "$core" "$(cat alice/default.public)"
run hypercore-verify @drive.txt @drive-alice.txt "$bob_key"
run hypercore-verify @drive-alice.txt @drive.txt 2>&1 | head -n 2

echo '-- what is refused'
printf 'y\ny\n' | run hypercore-sign -d dora "$drive" 2>&1 | tail -n 3
run hypercore-sign -d alice hello
run hypercore-sign -d alice @drive-alice.txt
run hypercore-sign -d alice -i nobody @drive.txt
run hypercore-sign -d nowhere @drive.txt
run hypercore-sign -d alice @missing.txt
run hypercore-sign 2>&1 | head -n 2
run hypercore-sign sign 2>&1 | head -n 2
run hypercore-sign verify x 2>&1 | head -n 2
run hypercore-sign "$drive" "$core" 2>&1 | head -n 2
mkdir -m 700 bad
ln -s ../alice/default bad/link
cp alice/default bad/open
cp alice/default.public bad/open.public
chmod 644 bad/open
run hypercore-sign -d bad -i link @drive.txt
printf 'n\n' | run hypercore-sign -d bad -i open @drive.txt >/dev/null
chmod 646 bad/open
run hypercore-sign -d bad -i open @drive.txt
chmod 777 bad
run hypercore-sign -d bad -i open @drive.txt
grep -rqF "$SIGNER_PASSWORD" said alice || echo 'password nowhere'
