#!/usr/bin/env bash
# The layer check itself: it must accept what the design allows, and refuse each kind of slip.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# fresh: the smallest tree that keeps the rules.
fresh() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree"/core/{include/backstep,base,expr,model,world/stores,judge,explore,events} \
		"$tree"/{reporters,cmd}
	echo '#include <stdint.h>' >"$tree/core/include/backstep/err.h"
	echo '#include <backstep/err.h>' >"$tree/core/base/mem.h"
	echo '#include "base/mem.h"' >"$tree/core/expr/expr.h"
	echo '#include "expr/expr.h"' >"$tree/core/model/model.h"
	printf '%s\n' '#include "stores/row.h"' '#include "model/model.h"' >"$tree/core/world/app.h"
	echo '#include <sqlite3.h>' >"$tree/core/world/stores/row.h"
	echo '#include <backstep/err.h>' >"$tree/core/events/write.h"
	printf '%s\n' '#include "world/app.h"' '#include "events/write.h"' >"$tree/core/judge/rule.h"
	echo '#include "judge/rule.h"' >"$tree/core/explore/loop.c"
	printf '%s\n' '#include "base/mem.h"' '#include <backstep/err.h>' >"$tree/reporters/html.h"
	printf '%s\n' '#include "reporters/html.h"' '#include "judge/rule.h"' >"$tree/cmd/main.c"
}

# refuses FILE LINE MESSAGE: with this line added, the check fails and names the place.
refuses() {
	local file=$1 line=$2 message=$3 said
	fresh
	printf '\n%s\n' "$line" >>"$tree/$file"
	if said=$("$here/layers.sh" "$tree"); then
		echo "FAILED: '$line' in $file was accepted"
		failed=1
	elif [[ $said != "$file:"*": $message"* || $said == *$'\n'* ]]; then
		echo "FAILED: '$line' in $file gave: $said"
		failed=1
	fi
}

fresh
if ! "$here/layers.sh" "$tree"; then
	echo "FAILED: a tree that keeps the rules was refused"
	failed=1
fi

refuses core/base/mem.h '#include "expr/expr.h"' 'base may not include expr'
refuses core/expr/expr.h '#include "model/model.h"' 'expr may not include model'
refuses core/model/model.h '#include "world/app.h"' 'model may not include world'
refuses core/world/app.h '#include "judge/rule.h"' 'world may not include judge'
refuses core/world/app.h '#include "events/write.h"' 'world may not include events'
refuses core/world/stores/row.h '#include "explore/loop.h"' 'world may not include explore'
refuses core/judge/rule.h '#include "explore/loop.h"' 'judge may not include explore'
refuses core/events/write.h '#include "model/model.h"' 'events may not include model'
refuses core/explore/loop.c '#include "reporters/html.h"' 'explore may not include reporters'
refuses core/explore/loop.c '#include "cmd/options.h"' 'explore may not include cmd'
refuses core/include/backstep/err.h '#include "base/mem.h"' 'public may not include base'
refuses reporters/html.h '#include "judge/rule.h"' 'reporters may not include judge'
refuses reporters/html.h '#include "cmd/options.h"' 'reporters may not include cmd'
refuses cmd/main.c '#include "tests/fake.h"' 'cmd may not include tests'
# However it is written.
refuses core/base/mem.h '#include <model/model.h>' 'base may not include model'
refuses core/base/mem.h '  #  include "model/missing.h"' 'base may not include model'
refuses core/base/mem.h '#include "../model/model.h"' "'../model/model.h' climbs"
refuses core/world/app.h '#include "stores/../../judge/rule.h"' "'stores/../../judge/rule.h' climbs"
fresh
mkdir -p "$tree/core/misc"
echo '#include <stdio.h>' >"$tree/core/misc/misc.c"
if "$here/layers.sh" "$tree" >/dev/null; then
	echo "FAILED: a folder that is no layer was accepted"
	failed=1
fi
rm -rf "${tree:?}"/*
if "$here/layers.sh" "$tree" >/dev/null; then
	echo "FAILED: an empty tree was accepted"
	failed=1
fi
exit $failed
