#!/usr/bin/env bash
# Installs what package-lock.json pins, once for each content of it: nothing happens when all is there. No package
# runs a script of its own. A ctest fixture: what needs the packages names it (node_test in CMakeLists.txt).
set -euo pipefail
cd "$(dirname "$0")"

for command in node npm; do
	command -v $command >/dev/null || {
		echo "tests/node: no '$command' here; ./dev setup installs it" >&2
		exit 1
	}
done
exec 9>.install.lock
flock -w 300 9 || {
	echo "tests/node: another installation holds the lock" >&2
	exit 1
}
stamp=node_modules/.backstep-lock
if [ ! -f $stamp ] || ! cmp -s package-lock.json $stamp; then
	npm ci --ignore-scripts --no-audit --no-fund
	# The package forgets the bit that makes its program one, and would set it in a script.
	chmod +x node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
	cp package-lock.json $stamp
fi
