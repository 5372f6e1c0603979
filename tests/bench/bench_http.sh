#!/usr/bin/env bash
# Steps a second without a store, beside wrk with one connection on the same server in the same run.
#
#   bench_http.sh BUILD
set -euo pipefail
build=$(realpath "$1")
work=$(mktemp -d)
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

command -v wrk >/dev/null || { echo "bench: wrk is not installed (./dev bench installs it)" >&2; exit 1; }
"$build/tests/apps/counters/counters" --port 0 >"$work/out" 2>&1 &
pid=$!
for _ in $(seq 100); do
	port=$(sed -n 's/.*listening on 127\.0\.0\.1://p' "$work/out")
	[ -z "$port" ] || break
	sleep 0.05
done

# 2,000 operations that are all enabled at the root and lead back to it: a step costs the request and the engine.
cat >"$work/model.yaml" <<END
version: 1
name: bench
app: {base_url: "http://127.0.0.1:$port", ready: GET /health}
actions:
  get: {request: GET /counters/1, with: {n: [$(seq -s, 1000)]}, query: {n: "\${n}"}}
  look: {request: GET /health, with: {n: [$(seq -s, 1000)]}, query: {n: "\${n}"}}
invariants:
  no_error: {severity: critical, holds: status < 500}
explore: {remember: 0, max_depth: 1, time: 0s}
END
best_steps=0 best_wrk=0
for _ in 1 2 3 4 5; do
	"$build/backstep" run "$work/model.yaml" --quiet --report "ndjson=$work/events" >/dev/null
	steps=$(sed -n 's/.*"type":"run.end".*"steps":\([0-9]*\).*"explore_us":\([0-9]*\).*/\1 \2/p' "$work/events" |
		awk '{printf "%d", $1 * 1e6 / $2}')
	requests=$(wrk -c1 -t1 -d1s "http://127.0.0.1:$port/counters/1?n=500" | awk '/Requests\/sec/ {printf "%d", $2}')
	[ "$steps" -le "$best_steps" ] || best_steps=$steps
	[ "$requests" -le "$best_wrk" ] || best_wrk=$requests
done
echo "steps a second without a store, best of 5 (aim: half of wrk -c1 -t1 or more)"
awk -v s="$best_steps" -v w="$best_wrk" \
	'BEGIN {printf "  backstep %d steps/s (all rules checked, events written)   wrk %d requests/s   %.0f %%\n", s, w, 100 * s / w}'
