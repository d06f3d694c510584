# Where a build came from: pear-build --provenance writes it down, and the
# review of a request holds the release against it.
# shellcheck shell=sh
# shellcheck source=tests/cmd/sessions/fixtures/identity.sh
. "$SESSIONS/fixtures/identity.sh"
VECTORS=$SESSIONS/../../vectors
# shellcheck source=tests/support/signers.sh
. "$SESSIONS/../../support/signers.sh"
identity "$PEAR_STORAGE"
command -v git >/dev/null || {
	echo "no git here"
	exit 77
}
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a
export GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='2026-01-02T03:04:05Z'
export GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'

mkdir src out
printf '{"name":"Hello","version":"1.0.0","upgrade":"%s"}\n' "$C" \
    >src/package.json
echo 'binary' >out/Hello.AppImage
pb() {
	to=$1
	shift
	pear-build --package src/package.json --target "$to" \
	    --linux-x64-app out/Hello.AppImage "$@"
}

echo '-- no repository, no commit, not clean'
run pb d --provenance
(
	cd src || exit 1
	git init -q -b main
)
run pb d --provenance
(
	cd src || exit 1
	git add package.json
	git commit -q -m 'the app'
	git tag v1.0.0
	git remote add origin https://me:secret@example.org/hello.git
	echo 'not committed' >notes
)
run pb d --provenance
run pb d --allow-dirty
ls
echo '-- dirty, and said so'
run pb d --provenance --allow-dirty
grep -c '"dirty":true' d.intoto.json
rm src/notes
echo '-- clean'
run pb d --provenance
cat d.intoto.json
sha256sum d/package.json d/by-arch/linux-x64/app/Hello.AppImage
run pb d --provenance --json | tail -n 1
cp d.intoto.json first
run pb d --provenance >log
cmp first d.intoto.json && echo 'the same statement'

echo '-- the release is held against it'
signer 1 key1
signer 2 key2
cat >multisig.json <<EOF
{"type":"drive","namespace":"provenance","quorum":1,"srcKey":"$KB",
 "publicKeys":["$(cat key1/default.public)","$(cat key2/default.public)"]}
EOF
export HYPERCORE_SIGN_KEYS_DIRECTORY="$PWD/key1"
P=$(hyper-multisig link)
pear-stage "$A" d >log
pear-provision --yes "pear://0.3.$KA" "$B" "pear://0.0.${P#pear://}" >log
R=$(hyper-multisig --min-peers 0 --min-full-copies 0 request 3 |
    sed -n 's/^hypercore-sign //p')
mask REQUEST "$R"
review() {
	run hyper-multisig review "$@" "$R" | grep -i -e provenance -e Source
}
review --rebuild d
sed 's/"dirty":false/"dirty":true/' first >dirty
review --provenance dirty
sed 's/"sha256":"[0-9a-f]\{8\}/"sha256":"00000000/' first >other
review --provenance other
sed 's/"name":"package.json"/"name":"package.jsn"/' first >renamed
review --provenance renamed
echo '{}' >nothing
review --provenance nothing
