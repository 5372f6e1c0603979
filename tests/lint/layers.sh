#!/usr/bin/env bash
# Who may include whom. Data flows one way, cmd -> core -> events -> reporters, and this is what keeps it so:
# the include lines of every source file are held against the table below. Prints one line for each that is
# not allowed, as file:line: message.
#
#   layers.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# "public" is core/include/backstep. Every layer may include itself.
declare -A allowed=(
	[public]=""
	[base]="public"
	[expr]="public base"
	[model]="public base expr"
	[world]="public base expr model"
	[events]="public base"
	[judge]="public base expr model world events"
	[explore]="public base expr model world events judge"
	[reporters]="public base events templates"
	[templates]="public base"
	[cmd]="public base expr model world events judge explore reporters templates"
)

# The layer that a path from the root belongs to; nothing for what is no layer of ours.
layer_of() {
	local path=$1
	case $path in
	core/include/backstep/*) echo public ;;
	core/*/*) path=${path#core/}; echo "${path%%/*}" ;;
	reporters/* | cmd/* | templates/*) echo "${path%%/*}" ;;
	tests/*) echo tests ;;
	*) ;;
	esac
}

# The path from the root that an include means, as the compiler would look: beside the file, then in core/,
# core/include/ and the root. Also where the file itself is missing, as long as the name begins like a layer.
resolve() {
	local file=$1 name=$2 place
	for place in "${file%/*}/" core/ core/include/ ""; do
		if [ -e "$place$name" ]; then
			echo "$place$name"
			return
		fi
	done
	case $name in
	backstep/*) echo "core/include/$name" ;;
	reporters/* | cmd/* | templates/* | tests/*) echo "$name" ;;
	*/*) [ -z "${allowed[${name%%/*}]+known}" ] || echo "core/$name" ;;
	*) ;;
	esac
}

bad=0
complain() { # FILE LINE MESSAGE
	echo "$1:$2: $3"
	bad=1
}

check_include() { # FILE LINE NAME
	local from to
	from=$(layer_of "$1")
	if [ -z "${allowed[$from]+known}" ]; then
		complain "$1" "$2" "'core/$from' is no layer that tests/lint/layers.sh knows"
		return
	fi
	case /$3/ in
	*/../*)
		complain "$1" "$2" "'$3' climbs: write it from core/ or the root"
		return
		;;
	esac
	to=$(layer_of "$(resolve "$1" "$3")")
	case " $from ${allowed[$from]} " in
	*" $to "*) ;;
	*) [ -z "$to" ] || complain "$1" "$2" "$from may not include $to ('$3')" ;;
	esac
}

checked=0
while IFS=: read -r file line name; do
	check_include "$file" "$line" "$name"
	checked=$((checked + 1))
done < <(
	find core reporters cmd templates -name '*.[ch]' -type f 2>/dev/null | LC_ALL=C sort |
		xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' |
		sed -E 's/^([^:]*:[0-9]+:)[[:space:]]*#[[:space:]]*include[[:space:]]*["<]([^">]*).*/\1\2/'
)

# A check that looked at nothing proves nothing.
if [ "$checked" = 0 ]; then
	echo "no include line found below '$PWD'"
	exit 1
fi
exit $bad
