#!/usr/bin/env bash
# Shows, with curl, that each test application has the bug that its first paragraph names, and that --fixed
# takes it away: else a run without findings would prove nothing.
#
#   test_apps.sh PROGRAM PART
set -euo pipefail

program=$1
part=$2
work=$(mktemp -d)
pid=

redis_pid=

cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "FAILED: $*" >&2
	sed 's/^/  stdout: /' "$work/out" >&2 || true
	sed 's/^/  stderr: /' "$work/err" >&2 || true
	exit 1
}

# start [--fixed]: on a free port, which the first line names.
start() {
	"$program" --port 0 "$@" >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in $(seq 200); do
		port=$(sed -n 's/.*listening on 127\.0\.0\.1://p' "$work/out")
		[ -z "$port" ] || return 0
		kill -0 "$pid" 2>/dev/null || fail "the program ended"
		sleep 0.05
	done
	fail "the program does not listen"
}

stop() {
	kill "$pid"
	local status=0
	wait "$pid" || status=$?
	pid=
	[ "$status" = 0 ] || fail "SIGTERM ended the program with status $status"
}

# expect STATUS METHOD PATH [BODY]: the answer's body is in $answer.
expect() {
	local want=$1 got
	got=$(curl -q -sS --noproxy '*' --max-time 10 -o "$work/answer" -w '%{http_code}' -X "$2" \
		${4+-H 'content-type: application/json' --data-binary "$4"} "http://127.0.0.1:$port$3")
	answer=$(cat "$work/answer")
	[ "$got" = "$want" ] || fail "$2 $3 ${4-}: $got instead of $want: $answer"
}

says() {
	[ "$answer" = "$1" ] || fail "answered $answer instead of $1"
}

# A Redis server of this test; its address is in $redis_url.
start_redis() {
	local port tries=0
	while [ $((tries++)) -lt 5 ]; do
		port=$((20000 + RANDOM % 10000))
		redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/redis.log" 2>&1 &
		redis_pid=$!
		redis_url=redis://127.0.0.1:$port/0
		for _ in $(seq 200); do
			grep -q 'Ready to accept connections' "$work/redis.log" && return 0
			kill -0 "$redis_pid" 2>/dev/null || break # the port is taken
			sleep 0.02
		done
	done
	fail "no redis-server: $(cat "$work/redis.log")"
}

order() { # ID AMOUNT REFUNDED STATUS
	says "{\"id\":$1,\"customer\":\"guest\",\"amount\":$2,\"refunded\":$3,\"status\":\"$4\"}"
}

case $part in
payments_bugs)
	start --db "$work/db"
	expect 200 GET /health
	expect 201 POST /orders '{"amount":100}'; order 1 100 0 paid
	expect 200 POST /orders/1/refund; order 1 100 100 refunded
	expect 200 POST /orders/1/refund; order 1 100 200 refunded
	expect 200 GET /orders/1; order 1 100 200 refunded
	expect 201 POST /orders '{"amount":1,"customer":"ann"}'
	says '{"id":2,"customer":"ann","amount":1,"refunded":0,"status":"paid"}'
	expect 204 DELETE /orders/1; says ''
	expect 404 GET /orders/1
	expect 404 DELETE /orders/1
	expect 500 POST /orders/1/refund
	grep -q 'refund of order 1: the order has no row' "$work/err" || fail "the 500 left no line on stderr"
	expect 200 GET /orders
	says '[{"id":2,"customer":"ann","amount":1,"refunded":0,"status":"paid"}]'
	stop
	;;
payments_fixed)
	APP_FIXED=1 start --db "$work/db" # as a model does it
	expect 201 POST /orders '{"amount":100}'
	expect 200 POST /orders/1/refund; order 1 100 100 refunded
	expect 409 POST /orders/1/refund
	expect 200 GET /orders/1; order 1 100 100 refunded
	expect 204 DELETE /orders/1
	expect 404 POST /orders/1/refund
	stop
	[ ! -s "$work/err" ] || fail "the fixed program complained"
	;;
payments_input)
	start --db "$work/db"
	for body in '' '{' '{"amount":100} x' '[]' '{}' '{"amount":"100"}' '{"amount":0}' '{"amount":-1}' \
		'{"amount":1.5}' '{"amount":1000000001}' '{"amount":9007199254740993}' '{"amount":null}' \
		'{"amount":1,"customer":7}' '{"amount":1,"customer":""}'; do
		expect 400 POST /orders "$body"
	done
	expect 413 POST /orders "$(head -c 70000 /dev/zero | tr '\0' ' ')"
	for path in / /order /orders/ /orders/x /orders/-1 /orders/1x /orders/99 /orders/9999999999999999999; do
		expect 404 GET "$path"
	done
	expect 404 PUT /orders/1
	expect 200 GET /orders; says '[]'
	expect 201 POST /orders '{"amount":1000000000}'; order 1 1000000000 0 paid
	stop
	;;
payments_process)
	start --db "$work/db"
	expect 201 POST /orders '{"amount":100}'
	expect 200 GET /orders
	expect 204 DELETE /orders/1
	[ "$(sed 1d "$work/out")" = $'POST /orders 201\nDELETE /orders/1 204' ] || fail "other lines were logged"
	expect 201 POST /orders '{"amount":7}'
	first=$port
	stop
	# The port is free again at once, and the rows are still there.
	"$program" --port "$first" --db "$work/db" >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in $(seq 200); do
		grep -q listening "$work/out" && break
		sleep 0.05
	done
	expect 200 GET /orders/1; order 1 7 0 paid
	stop
	;;
payments_start)
	start --db "$work/db"
	refused() { # STATUS TEXT ARGUMENT...
		local want=$1 text=$2 status=0
		shift 2
		"$program" "$@" >/dev/null 2>"$work/refused" || status=$?
		[ "$status" = "$want" ] || fail "$*: exit status $status instead of $want"
		grep -q -- "$text" "$work/refused" || fail "$*: said $(cat "$work/refused")"
	}
	refused 1 "cannot listen on 127.0.0.1:$port: Address already in use" --port "$port" --db "$work/other"
	refused 1 "unable to open database file" --port 0 --db "$work/none/db"
	refused 2 "usage:" --port 0
	refused 2 "usage:" --db "$work/other"
	refused 2 "usage:" --port 70000 --db "$work/other"
	refused 2 "usage:" --port 0 --db "$work/other" more
	head -c 8192 /dev/urandom >"$work/nodb"
	refused 1 "not a database" --port 0 --db "$work/nodb"
	stop
	;;
notes_bugs)
	start --db "$work/db"
	expect 200 GET /health
	expect 201 POST /notes '{"text":"a"}'; says '{"id":1,"text":"a"}'
	expect 204 DELETE /notes/1
	expect 404 GET /notes/1
	expect 201 POST /notes '{"text":"b"}'; says '{"id":1,"text":"b"}'
	expect 200 GET /notes/1
	expect 204 DELETE /notes/1
	expect 200 GET /notes/1; says '{"id":1,"text":"b"}'
	expect 200 GET /notes; says '[]'
	expect 404 DELETE /notes/1
	expect 400 POST /notes '{"text":7}'
	stop
	;;
subscriptions_bugs | subscriptions_fixed)
	fixed=(--fixed)
	[ "$part" = subscriptions_fixed ] || fixed=()
	start --db "$work/db" "${fixed[@]}"
	expect 201 POST /subscriptions '{"price":5}'; says '{"id":1,"price":5}'
	expect 201 POST /subscriptions '{"price":7}'
	expect 200 DELETE /subscriptions/2; says '{"id":2}'
	expect 404 DELETE /subscriptions/2
	sleep 0.1
	expect 200 GET /subscriptions/1; says '{"id":1,"price":5,"cancelled":0,"charges":0}'
	sqlite3 "$work/db" "UPDATE subscriptions SET renews_at = renews_at - 31 * 86400"
	for _ in $(seq 100); do
		expect 200 GET /subscriptions/1
		[ "$answer" = '{"id":1,"price":5,"cancelled":0,"charges":0}' ] || break
		sleep 0.05
	done
	says '{"id":1,"price":5,"cancelled":0,"charges":1}'
	expect 200 GET /subscriptions/2
	if [ $part = subscriptions_bugs ]; then
		says '{"id":2,"price":7,"cancelled":1,"charges":1}'
	else
		says '{"id":2,"price":7,"cancelled":1,"charges":0}'
	fi
	stop
	;;
notes_fixed)
	start --db "$work/db" --fixed
	expect 201 POST /notes '{"text":"a"}'
	expect 200 GET /notes/1
	expect 204 DELETE /notes/1
	expect 404 GET /notes/1
	# The id is given out again, also by somebody else behind the cache's back.
	expect 201 POST /notes '{"text":"b"}'
	expect 200 GET /notes/1; says '{"id":1,"text":"b"}'
	sqlite3 "$work/db" "UPDATE notes SET text = 'c'"
	expect 200 GET /notes/1; says '{"id":1,"text":"c"}'
	expect 200 GET /notes/1; says '{"id":1,"text":"c"}'
	sqlite3 "$work/db" "DELETE FROM notes"
	expect 404 GET /notes/1
	sqlite3 "$work/db" "INSERT INTO notes VALUES (1, 'd')"
	expect 200 GET /notes/1; says '{"id":1,"text":"d"}'
	# Ids that share a slot of the cache stay apart.
	sqlite3 "$work/db" "INSERT INTO notes VALUES (257, 'e')"
	expect 200 GET /notes/257; says '{"id":257,"text":"e"}'
	expect 204 DELETE /notes/257
	expect 200 GET /notes/1; says '{"id":1,"text":"d"}'
	stop
	;;
counters_bugs | counters_fixed)
	[ "$part" = counters_bugs ] && start || start --fixed
	expect 200 GET /health
	expect 201 POST /counters; says '{"id":1,"value":0}'
	expect 200 POST /counters/1/inc; says '{"id":1,"value":1}'
	expect 200 POST /counters/1/reset; says '{"id":1,"value":0}'
	expect 200 POST /counters/1/inc
	expect 204 DELETE /counters/1
	expect 404 GET /counters/1
	expect 404 POST /counters/1/reset
	if [ "$part" = counters_bugs ]; then
		expect 200 POST /counters/1/inc; says '{"id":1,"value":2}'
		expect 200 GET /counters/1; says '{"id":1,"value":2}'
	else
		expect 404 POST /counters/1/inc
		expect 404 GET /counters/1
	fi
	expect 404 POST /counters/2/inc
	expect 201 POST /counters; says '{"id":2,"value":0}'
	stop
	;;
carts_bugs | carts_fixed)
	start_redis
	if [ "$part" = carts_bugs ]; then start --db "$redis_url"; else start --db "$redis_url" --fixed; fi
	expect 200 GET /health
	expect 400 POST /carts '{}'
	expect 201 POST /carts '{"owner":"ann"}'; says '{"id":1,"total":0,"owner":"ann"}'
	expect 200 POST /carts/1/items '{"price":30}'; says '{"id":1,"total":30,"owner":"ann"}'
	expect 200 POST /carts/1/pay; says '{"id":1,"total":30,"owner":"ann"}'
	expect 404 GET /carts/1
	expect 404 POST /carts/1/pay
	if [ "$part" = carts_bugs ]; then
		expect 200 POST /carts/1/items '{"price":5}'; says '{"id":1,"total":5}'
		expect 200 POST /carts/1/pay
	else
		expect 404 POST /carts/1/items '{"price":5}'
	fi
	expect 201 POST /carts '{"owner":"bob"}'; says '{"id":2,"total":0,"owner":"bob"}'
	stop
	;;
uploads_bugs | uploads_fixed)
	mkdir "$work/data"
	if [ "$part" = uploads_bugs ]; then start --db "$work/data"; else start --db "$work/data" --fixed; fi
	expect 404 GET /uploads/1/preview
	expect 201 POST /uploads '{"text":"a secret"}'; says '{"id":1,"text":"a secret"}'
	expect 200 GET /uploads/1; says '{"id":1,"text":"a secret"}'
	expect 200 GET /uploads/1/preview; says '{"id":1,"preview":"a sec"}'
	expect 204 DELETE /uploads/1
	expect 404 GET /uploads/1
	if [ "$part" = uploads_bugs ]; then
		expect 200 GET /uploads/1/preview; says '{"id":1,"preview":"a sec"}'
	else
		expect 404 GET /uploads/1/preview
		[ -z "$(ls -A "$work/data")" ] || fail "left: $(ls "$work/data")"
	fi
	expect 404 DELETE /uploads/1
	stop
	;;
*)
	fail "no such part: '$part'"
	;;
esac
