# What a drive is, and what changed in it.
# shellcheck shell=sh
link=$(pear-touch)
mask LINK "$link"
key=${link#pear://}
run pear-info "$link"
run pear-info "$link" --json | sed 's/"z32":"[a-z0-9]*"/"z32":KEY/'
run pear-changelog "$link"
mkdir app
echo '{"name":"app","productName":"My App","version":"1.1.0"}' >app/package.json
printf '# Log\n\n## v1.1.0\n\n- colour \033[31m\n\n## 1.0.0\n- one\n\n## 0.9.0\n- nil\n' \
    >app/CHANGELOG.md
pear-stage "$link" app >/dev/null
pear-info "$link" --metadata | sed -n '/name/,/length/p'
run pear-info "$link" --manifest
run pear-info "$link" --multisig
run pear-info "pear://9.3.$key" --exit-compat 2>&1 |
    sed "s/$key/<KEY>/g"
run pear-info "pear://0.99.$key" 2>&1 | sed "s/$key/<KEY>/g"
run pear-info pear://yrry6fo7roiurqkye78fkzddpjazo9hgtskjzeijsn557tqc4xpy
run pear-info ./app
run pear-changelog "$link"
run pear-changelog "$link" --full --json
run pear-changelog "$link" --max 1
run pear-changelog "$link" --max 1.5 2>&1 | head -2
run pear-changelog "$link" --of 'not a range'
run pear-gc cores "$link"
run pear-gc cores
run pear-gc drives
run pear-gc cores nothing
