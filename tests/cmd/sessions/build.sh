# Deployment directories: several architectures, force, and refusals.
# shellcheck shell=sh
put() {
	mkdir -p "$(dirname "$1")"
	printf '%s\n' "$2" >"$1"
}
put app/package.json '{ "name": "hello", "productName": "Hello",
  "version": "1.0.0",
  "upgrade": "pear://oeeoz3w6fjjt7bym3ndpa6hhicm8f8naxyk11z4iypeoupn6jzpo" }'
put mac/Hello.app/Contents/MacOS/Hello mach
put lin/Hello.AppImage elf
put droid/Hello/app.bundle js
chmod 755 mac/Hello.app/Contents/MacOS/Hello lin/Hello.AppImage
ln -s MacOS mac/Hello.app/Contents/Current
mkdir mac/Hello.app/Contents/Empty

tree() {
	(cd "$1" && find . -type f -printf '%m %p\n' -o \
	    -type l -printf '%p -> %l\n' | sort)
}

# names first, then the target's place; nothing is written
run pear-build --package app/package.json
run pear-build --linux-x64-app lin/Hello.AppImage 2>&1 | head -2
run pear-build --package app/none.json --linux-x64-app lin/Hello.AppImage
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage \
    --android-arm64 droid
run pear-build --package app/package.json --linux-x64-app mac/Hello.app
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage \
    --target app/out/t
run pear-build --package app/package.json --android-arm64 droid/Hello \
    --target droid --json
ls -A

# the table's order, not that of the options
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage \
    --darwin-arm64-app mac/Hello.app
tree hello-1.0.0
cmp app/package.json hello-1.0.0/package.json
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage \
    --darwin-arm64-app mac/Hello.app/

# another build needs force, which keeps what is not given
put lin/Hello.AppImage elf2
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage \
    --force
tree hello-1.0.0
run pear build --package app/package.json --android-arm64 droid/Hello \
    --target new/deep/t --json
run pear build --package app/package.json --android-arm64 droid/Hello \
    --target new/deep/t --json

# allowed on purpose; what is skipped or will not do later is said
mkfifo droid/Hello/pipe
put app/package.json '{ "name": "Hello", "version": "1.0.0-rc.1" }'
run pear-build --package app/package.json --android-arm64 droid/Hello \
    --target droid/Hello/out --allow-nested-target
tree droid/Hello/out
run pear-build --package app/package.json --android-arm64 droid/Hello \
    --json 2>/dev/null

# what a killed run left is cleaned up
mkdir -p .t.build-1.0/by-arch
run pear-build --package app/package.json --linux-x64-app lin/Hello.AppImage \
    --target t --force >/dev/null 2>&1
ls -A
