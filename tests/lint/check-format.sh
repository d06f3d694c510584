#!/bin/sh
# clang-format has nothing to say.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

for f in $(c_files); do
	clang-format --dry-run -Werror "$f" >/dev/null 2>&1 ||
	    bad "$f: clang-format would change it"
done
verdict
