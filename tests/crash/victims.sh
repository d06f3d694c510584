# victims.sh: the programs that sweep.sh disturbs, and the trees they work on.
# Sourced; sees build, victim, store, seed, work, die and state.
#
#	prepare          makes $store with the old version, and $key
#	victim_run NAME  old or new: the command under test
#	promised FILE    does its output promise the new version?
#
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of sweep.sh

# -- trees and versions --------------------------------------------------

# bytes N SEED: N repeatable bytes
bytes() {
	awk -v n="$1" -v s="$2" 'BEGIN {
		x = s * 2654435 + 1
		for (i = 0; i < n; i++) {
			x = (x * 16807) % 2147483647
			printf "%c", 33 + x % 90
		}
	}'
}

old_tree() {
	mkdir -p "$1/bin" "$1/data" "$1/lib"
	echo '{"name":"crash","version":"1.0.0"}' >"$1/package.json"
	bytes 300000 1 >"$1/data/big"
	bytes 70000 2 >"$1/data/gone"
	bytes 5000 3 >"$1/lib/moved"
	bytes 900 4 >"$1/bin/run"
	chmod +x "$1/bin/run"
	ln -s ../package.json "$1/lib/link"
	i=0
	while [ $i -lt 12 ]; do
		bytes 200 "$((10 + i))" >"$1/lib/small-$i"
		i=$((i + 1))
	done
}

# add, change, delete, rename, mode and link
new_tree() {
	cp -a "$2" "$1"
	echo '{"name":"crash","version":"1.0.1"}' >"$1/package.json"
	bytes 90000 5 >"$1/data/added"
	bytes 1000 6 >>"$1/data/big"
	rm "$1/data/gone"
	mv "$1/lib/moved" "$1/bin/moved"
	chmod -x "$1/bin/run"
	ln -sfn run "$1/lib/link"
	bytes 150 7 >"$1/lib/small-3"
}

# a tree as lines for drive_edit; $2: names to delete first
edit_lines() {
	for p in $2; do
		printf '{"op":"del","path":"/%s","share":"shared"}\n' "$p"
	done
	(cd "$1" && find . -type f -o -type l | sed 's|^\./||' | sort) |
	while read -r p; do
		if [ -L "$1/$p" ]; then
			printf '{"op":"symlink","path":"/%s","linkname":"%s","share":"shared"}\n' \
			    "$p" "$(readlink "$1/$p")"
			continue
		fi
		x=false
		[ -x "$1/$p" ] && x=true
		printf '{"op":"put","path":"/%s","executable":%s,"share":"shared","data":"%s"}\n' \
		    "$p" "$x" "$(od -An -v -tx1 "$1/$p" | tr -d ' \n')"
	done
	printf '{"op":"commit"}\n'
}

# -- the victims ---------------------------------------------------------

# victim_run old|new: the command under test; runs in the environment given
victim_run() {
	case $victim in
	edit) exec "$build/tools/drive_edit" "$store" "$seed" \
		<"$work/$1.lines" ;;
	replica | fork) exec "$build/tools/core_proofs" apply "$store" \
		<"$work/$1.proofs" ;;
	stage) exec "$build/bin/pear-stage" --storage "$store" --json \
		"$link" "$work/$1" ;;
	provision) exec "$build/bin/pear-provision" --storage "$store" \
		--json --yes "$(cat "$work/$1.source")" "$link" \
		"$(cat "$work/$1.production")" ;;
	commit) release_commit "$1" ;;
	esac
}

# what victim_run prints when the new version is promised
promised() {
	case $victim in
	edit) grep -q '"version"' "$1" ;;
	replica | fork) grep -q '"contiguous"' "$1" ;;
	stage | provision | commit) grep -q '"success":true' "$1" ;;
	esac
}

# largest: the larger core of $work/source; sets $core and $length
largest() {
	"$build/tools/verify" "$work/source" >"$work/cores" ||
	    die "cannot read the source"
	sed 's/.*"core":"\([0-9a-f]*\)".*"length":\([0-9]*\).*/\2 \1/' \
	    "$work/cores" | sort -n | tail -n 1 >"$work/largest"
	read -r length core <"$work/largest"
}

# served NAME: answers to the requests of stdin, as lines for core_proofs
# apply. All of it is one commit.
served() {
	"$build/tools/core_proofs" serve "$work/source" |
	    sed "s/^{/{\"key\":\"$core\",/" >"$work/$1.proofs"
	printf '{"key":"%s","commit":true}\n' "$core" >>"$work/$1.proofs"
	! grep '"error"' "$work/$1.proofs" || die "cannot make proofs"
}

# proofs NAME FROM: that core from length FROM on, with all blocks
proofs() {
	largest
	awk -v key="$core" -v from="$2" -v n="$length" '
	# levels from block i to the root above it
	function depth(i,  size, off) {
		off = 0
		for (size = 2 ^ 40; size >= 1; size /= 2)
			if (int(n / size) % 2) {
				if (i < off + size) return int(log(size) / log(2) + 0.5)
				off += size
			}
	}
	BEGIN {
		printf "{\"key\":\"%s\",\"manifest\":true,\"upgrade\":", key
		printf "{\"start\":%d,\"length\":%d}}\n", from, n - from
		for (i = from; i < n; i++)
			printf "{\"key\":\"%s\",\"block\":{\"index\":%d,\"nodes\":%d}}\n",
			    key, i, depth(i)
	}' | served "$1"
}

prepare_replica() {
	"$build/tools/drive_edit" "$work/source" "$seed" \
	    <"$work/old.lines" >"$work/out" || die "no source"
	proofs old 0
	"$build/tools/drive_edit" "$work/source" "$seed" \
	    <"$work/new.lines" >"$work/out" || die "no newer source"
	proofs new "$length"
	key=
}

# The writer goes back to its first files and on from there; the new head
# comes alone, without blocks.
prepare_fork() {
	{
		edit_lines "$work/old" "" | head -n 6
		printf '{"op":"commit"}\n'
	} | "$build/tools/drive_edit" "$work/source" "$seed" >"$work/out" ||
	    die "no source"
	first=$(sed -n 's/.*"version":\([0-9]*\).*/\1/p' "$work/out")
	"$build/tools/drive_edit" "$work/source" "$seed" \
	    <"$work/old.lines" >"$work/out" || die "no longer source"
	proofs old 0
	{
		printf '{"op":"truncate","version":%d}\n' "$first"
		edit_lines "$work/new" ""
	} | "$build/tools/drive_edit" "$work/source" "$seed" >"$work/out" ||
	    die "no truncated source"
	largest
	printf '{"key":"%s","upgrade":{"start":0,"length":%d}}\n' \
	    "$core" "$length" | served new
	grep -q '"fork":1' "$work/new.proofs" || die "nothing was truncated"
	key=
}

# verlink LINK: the newest version of a drive
verlink() {
	pear-info --storage "$store" --json "$1" |
	    sed -n 's/.*"tag":"info".*"verlink":"\([^"]*\)".*/\1/p'
}

touch_link() {
	pear-touch --storage "$store" || die "pear-touch does not work"
}

# quietly COMMAND...: or no test
quietly() {
	"$@" >"$work/out" 2>&1 || die "$*: $(tail -n 3 "$work/out")"
}

# The target is at the old version; production went on to one of its own
# since, so the run has to bring production's blocks and the difference.
prepare_provision() {
	source=$(touch_link)
	production=$(touch_link)
	link=$(touch_link)
	key=${link#pear://}
	new_tree "$work/middle" "$work/old"
	echo "only in the middle" >"$work/middle/data/middle"
	echo "pear://0.0.$key" >"$work/old.production"
	quietly pear-stage --storage "$store" "$source" "$work/old"
	verlink "$source" >"$work/old.source"
	quietly pear-provision --storage "$store" --yes \
	    "$(cat "$work/old.source")" "$production" \
	    "pear://0.0.${production#pear://}"
	# the target begins as production does
	verlink "$production" >"$work/old.production"
	quietly pear-provision --storage "$store" --yes \
	    "$(cat "$work/old.production")" "$link" \
	    "$(cat "$work/old.production")"
	quietly pear-stage --storage "$store" "$source" "$work/middle"
	quietly pear-provision --storage "$store" --yes \
	    "$(verlink "$source")" "$production" \
	    "pear://0.0.${production#pear://}"
	quietly pear-stage --storage "$store" "$source" "$work/new"
	verlink "$source" >"$work/new.source"
	verlink "$production" >"$work/new.production"
}

release_config() {
	printf '{"type":"drive","namespace":"crash","quorum":2,"srcKey":"%s",' \
	    "${link#pear://}"
	printf '"publicKeys":["%s","%s","%s"]}\n' "$(signer_field 1 publicKeyZ32)" \
	    "$(signer_field 2 publicKeyZ32)" "$(signer_field 3 publicKeyZ32)"
}

multisig() {
	hyper-multisig --config "$work/multisig.json" --storage "$store" \
	    --min-peers 0 --min-full-copies 0 "$@"
}

# release NAME: stage, provision and sign the tree NAME
release() {
	quietly pear-stage --storage "$store" "$source" "$work/$1"
	quietly pear-provision --storage "$store" --yes "$(verlink "$source")" \
	    "$link" "$2"
	multisig request -o "$work/$1.request" "$(verlink "$link")" \
	    >"$work/out" 2>&1 || die "request: $(cat "$work/out")"
	signed_by "$work/key1" "$(cat "$work/$1.request")" \
	    >"$work/$1.responses" 2>"$work/err"
	signed_by "$work/key3" "$(cat "$work/$1.request")" \
	    >>"$work/$1.responses" 2>"$work/err"
}

release_commit() {
	first=
	[ "$1" = old ] && first=--first-commit
	exec "$build/bin/hyper-multisig" --config "$work/multisig.json" \
	    --storage "$store" --min-peers 0 --min-full-copies 0 --json \
	    commit $first "$(cat "$work/$1.request")" "@$work/$1.responses"
}

prepare_commit() {
	# shellcheck source=tests/support/signers.sh
	. tests/support/signers.sh
	source=$(touch_link)
	link=$(touch_link)
	signer 1 "$work/key1"
	signer 3 "$work/key3"
	release_config >"$work/multisig.json"
	key=$(multisig link | sed -n 's|^pear://||p')
	release old "pear://0.0.$key"
	(victim_run old) >"$work/out" 2>&1 ||
	    die "first commit: $(cat "$work/out")"
	release new "$(verlink "pear://$key")"
	link=pear://$key
}

prepare() {
	old_tree "$work/old"
	new_tree "$work/new" "$work/old"
	edit_lines "$work/old" "" >"$work/old.lines"
	edit_lines "$work/new" "data/gone lib/moved" >"$work/new.lines"
	case $victim in
	edit)
		(victim_run old) >"$work/out" || die "cannot make the old version"
		key=$(sed 's/.*"key":"\([0-9a-f]*\)".*/\1/' "$work/out")
		;;
	replica | fork)
		"prepare_$victim"
		(victim_run old) >"$work/out" || die "cannot take the old version"
		;;
	stage)
		link=$("$build/bin/pear-touch" --storage "$store") ||
		    die "pear-touch does not work"
		(victim_run old) >"$work/out" || die "cannot stage"
		key=${link#pear://}
		;;
	provision) prepare_provision ;;
	commit) prepare_commit ;;
	*) die "no victim $victim" ;;
	esac
	state old || die "the old version does not verify"
	rm -f "$store/index/lock.mdb"
	cp -a "$store" "$work/template"
}
