#!/usr/bin/env bash
# What a reader would stumble over in our own files: blanks at the end of a line, Windows line ends, a missing
# last newline, and files that have grown past 600 lines (those are two ideas). With shellcheck installed, the
# scripts too.
#
#   tidy.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

lines_max=600
bad=0
complain() {
	echo "$*"
	bad=1
}

mapfile -t sources < <(find core reporters cmd templates tests \( -name '*.[ch]' -o -name '*.sh' -o -name '*.yaml' \
	-o -name CMakeLists.txt \) -not -path '*/node_modules/*' -not -path '*/golden/*' -not -path '*/fuzz/*' -type f 2>/dev/null | LC_ALL=C sort)
sources+=(CMakeLists.txt dev .ci/run)

for file in "${sources[@]}"; do
	while IFS=: read -r line _; do
		complain "$file:$line: blanks or a carriage return at the end of the line"
	done < <(grep -nE '[[:blank:]]+$|'$'\r''$' "$file" || true)
	[ -z "$(tail -c 1 "$file")" ] || complain "$file: the last line has no newline"
	case $file in
	*.[ch])
		lines=$(wc -l <"$file")
		[ "$lines" -le $lines_max ] || complain "$file:$lines: longer than $lines_max lines"
		;;
	esac
done

if command -v shellcheck >/dev/null; then
	mapfile -t scripts < <(printf '%s\n' "${sources[@]}" | grep -E '\.sh$|^dev$|^\.ci/run$')
	shellcheck --severity=warning "${scripts[@]}" || bad=1
else
	echo "note: shellcheck is not installed, so the scripts were not checked"
fi
exit $bad
