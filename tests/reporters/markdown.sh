#!/usr/bin/env bash
# The golden documents as GitHub's own renderer sees them: each is what it is meant to be, and of the hostile one
# nothing became markup.
#
#   markdown.sh GOLDEN-FOLDER
set -euo pipefail

golden=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

render() { cmark-gfm --unsafe -e table -e autolink -e strikethrough -e tasklist "$1" >"$out"; }
count() { grep -oE -- "$1" "$out" | wc -l || true; }

# All elements that a report has. What else is there came from outside.
ours='</?(h2|h3|p|strong|code|ol|ul|li|pre|details|summary|table|thead|tbody|tr|th|td|br)( (class="language-sh"|start="[0-9]+"|align="right"))?( /)?>'

for document in "$golden"/markdown-*.md; do
	render "$document"
	strange=$(grep -oE '<[^>]*>' "$out" | grep -vxE "$ours" || true)
	[ -z "$strange" ] || fail "$document has $strange"
	# Mentions and numbers of issues become links only outside of code.
	bare=$(sed -E 's/<code[^>]*>[^<]*<\/code>//g' "$out" | sed '/<pre>/,/<\/pre>/d' | grep -oE '(@|#)[A-Za-z0-9]+' || true)
	[ -z "$bare" ] || fail "$document mentions $bare"
done

render "$golden/markdown-rich.md"
[ "$(count '<h3>[0-9]')" = 5 ] || fail "not five findings"
[ "$(count '<strong>breaks here</strong>')" = 4 ] || fail "not four failing steps" # one is unconfirmed
[ "$(count '<table>')" = 2 ] || fail "not two tables"
[ "$(count '<details>')" = 5 ] && [ "$(count '</details>')" = 5 ] || fail "the commands are not folded"
[ "$(count '<pre lang="sh">|<pre><code class="language-sh">')" = 5 ] || fail "the commands are not code"
grep -q 'curl -sS -X POST &quot;$BASE_URL&quot;' "$out" || fail "no command"

render "$golden/markdown-hostile.md"
rows=$(count '<tr>')
cells=$(count '<td')
heads=$(count '<th[ >]')
[ "$rows" -gt 3 ] && [ "$heads" = 8 ] || fail "the tables of the hostile document are not whole"
# 2 tables: 5 columns and 3.
rules=$(sed -n '/<h3>Rules/,/<\/table>/p' "$out" | grep -oE '<td' | wc -l)
[ $((rules % 5)) = 0 ] && [ $(((cells - rules) % 3)) = 0 ] || fail "a cell was broken"
