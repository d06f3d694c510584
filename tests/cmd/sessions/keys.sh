# Keys move to another store under a password.
# shellcheck shell=sh
link=$(pear-touch)
mask LINK "$link"
echo 'correct horse' >password
echo 'short' >short
echo 'wrong horse battery' >wrong
run pear-keys list
run pear-keys list --json
run pear-keys export my.keys --password-fd 3 3<short
run pear-keys export my.keys --password-fd 3 3<password
stat -c %a my.keys
run pear-keys export my.keys --password-fd 3 3<password
run pear-keys export other.keys --no-tty
run pear-keys import my.keys --storage new --password-fd 3 3<wrong
run pear-keys import my.keys --storage new --password-fd 3 3<password
run pear-keys list --storage new
pear-touch --storage third >/dev/null
run pear-keys import my.keys --storage third --password-fd 3 3<password
run pear-keys import my.keys --storage third --merge-keys --json \
    --password-fd 3 3<password
run pear-keys accept "$link" --no-tty
run pear-keys accept "$link" --yes
run pear-keys burn x 2>&1 | head -2
grep -rqF 'correct horse' my.keys store new third || echo 'password nowhere'
