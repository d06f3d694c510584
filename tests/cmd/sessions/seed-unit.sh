# The systemd unit is understood, all of it, and every option it gives to
# pear-seed exists.
unit=$SESSIONS/../../../packaging/systemd/pear-seed.service
bin=$(command -v pear-seed)

pear-seed --help >help
for o in $(sed -n 's/^ExecStart=//p' "$unit" | grep -oE -- '--[a-z-]+'); do
	grep -q -- "$o" help && echo "known: $o"
done
command -v systemd-analyze >/dev/null 2>&1 || { echo "no systemd-analyze here"; exit 77; }
sed "s|/usr/local/bin/pear-seed|$bin|" "$unit" >pear-seed.service
run systemd-analyze verify --man=no "$PWD/pear-seed.service"
