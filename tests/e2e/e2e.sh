#!/usr/bin/env bash
# The whole program on real servers and real databases: what a user types, what is printed and written, and the
# exit status. Each part keeps one promise; ctest has a case for each.
#
#   e2e.sh BUILD SOURCE PART
set -euo pipefail

build=$(realpath "$1")
source=$(realpath "$2")
part=$3
backstep=$build/backstep
models=$source/tests/e2e/models
work=$(mktemp -d)
export TMPDIR=$work/tmp # everything that a run leaves behind would be here
mkdir "$TMPDIR"
PATH=$build/tests/apps/carts:$build/tests/apps/uploads:$build/tests/apps/payments:$build/tests/apps/notes:$build/tests/apps/counters:$build/tests/apps/subscriptions:$PATH
unset APP_FIXED GITHUB_ACTIONS GITHUB_STEP_SUMMARY
cd "$work"

app= # a process of ours, to be ended with the script
trap '[ -z "$app" ] || kill "$app" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $*" >&2
	sed 's/^/  stdout: /' out >&2 2>/dev/null | head -60 || true
	sed 's/^/  stderr: /' err >&2 2>/dev/null | head -40 || true
	exit 1
}

# bs STATUS ARGUMENT...: runs backstep; its output is in out and err.
bs() {
	local want=$1 status=0
	shift
	"$backstep" "$@" >out 2>err || status=$?
	[ "$status" = "$want" ] || fail "backstep $*: exit status $status instead of $want"
}

says() { grep -qF -- "$1" out || fail "no '$1' in the output"; }
complains() { grep -qF -- "$1" err || fail "no '$1' on standard error"; }

# events JQ-FILTER: over the event file, as one array.
events() { jq -rs "$1" events.ndjson; }
is() { # WHAT WANTED JQ-FILTER
	local got
	got=$(events "$3")
	[ "$got" = "$2" ] || fail "$1: '$got' instead of '$2'"
}

findings='[.[] | select(.type == "finding") | "\(.rule) \(.verdict) \(.confirmed)/\(.tries): \([.steps[].op] | join(" > "))"] | join("\n")'

sarif_is() { # WHAT WANTED JQ-FILTER: of the only run in report.sarif
	local got
	got=$(jq -r ".runs[0] | $3" report.sarif)
	[ "$got" = "$2" ] || fail "$1: '$got' instead of '$2'"
}

nothing_left() {
	local tries=0
	# The guard cleans up behind a run that was killed; give it a moment.
	while [ -n "$(ls -A "$TMPDIR")" ] && [ $tries -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls -A "$TMPDIR")"
}

# Whether a process has this run's temporary folder in its command line: the application's --db is there.
app_running() {
	local dir
	for dir in /proc/[0-9]*; do
		if { tr '\0' ' ' <"$dir/cmdline"; } 2>/dev/null | grep -qF -- "--db $TMPDIR"; then
			echo "${dir#/proc/}"
			return 0
		fi
	done
	return 1
}

no_app_left() {
	local tries=0
	while app_running >/dev/null && [ $tries -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	! app_running >/dev/null || fail "the application was left behind"
}

# A run that goes on until it is ended, with its pid in $pid once it has taken steps.
start_long_run() {
	"$backstep" run "$source/templates/payments.yaml" --max-steps 0 --time 60s --max-depth 50 \
		"${all_reports[@]}" >out 2>err &
	pid=$!
	for _ in $(seq 200); do
		[ "$(grep -c '"type":"step"' events.ndjson 2>/dev/null || true)" -gt 20 ] 2>/dev/null && return 0
		kill -0 "$pid" 2>/dev/null || fail "the run ended by itself"
		sleep 0.05
	done
	fail "the run takes no steps"
}

# A private PostgreSQL until the end of this script, its port in $pg_port.
start_postgres() {
	coproc postgres { exec "$build/tests/postgres/pg_server"; }
	read -r pg_port <&"${postgres[0]}" || fail "no PostgreSQL server"
}

pg() { # DATABASE SQL
	psql -X -q -A -t -v ON_ERROR_STOP=1 "postgresql://boss@127.0.0.1:$pg_port/$1" -c "$2"
}

# The demo's model on a store of the server, in model.yaml.
postgres_model() { # STORE
	sed -e "s|  db: {driver: sqlite.*|  db: $1|" -e 's/stores\.db\.path/stores.db.url/' "$source/templates/payments.yaml" >model.yaml
}

no_clone_left() {
	[ "$(pg postgres "SELECT count(*) FROM pg_database WHERE datname LIKE 'backstep%'")" = 0 ] || fail "a clone was left"
}

# What does not depend on how busy the machine is.
by_steps=(--max-steps 200 --time 900s)

all_reports=(--report ndjson=events.ndjson --report junit=junit.xml --report junit:strict=strict.xml
	--report sarif=report.sarif --report html=report.html --report markdown=summary.md
	--report github=annotations.txt)
report_files=(events.ndjson junit.xml strict.xml report.sarif report.html summary.md annotations.txt)

# Everything that depends on the moment: times, durations, ports, rates, dates.
mask() {
	sed -E -e 's/"t_ns":[0-9]+/"t_ns":0/g' -e 's/"([a-z0-9_]*_us)":[0-9]+/"\1":0/g' \
		-e 's/"elapsedUs":[0-9]+/"elapsedUs":0/g' -e 's/"started":"[^"]*"/"started":""/g' -e 's/127\.0\.0\.1:[0-9]+/127.0.0.1:0/g' \
		-e 's/[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT/DATE/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z?/DATE/g' -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[ 0-9:]* UTC/DATE/g' \
		-e 's/time="[0-9.]+"/time="0"/g' -e 's/[0-9][0-9.,]* ?(ns|µs|us|ms|s|min)\b/TIME/g' \
		-e 's/[0-9,]+\/s\b/0\/s/g' -e '/<svg class="latency"/d' "$1"
}

case $part in
demo_finds_both_bugs_of_the_demo)
	bs 0 demo "${all_reports[@]}"
	is findings "refunds_within_total confirmed 3/3: create_order(amount=100) > refund_order > refund_order
no_server_error confirmed 3/3: create_order(amount=100) > delete_order > refund_order" "$findings"
	is mechanism triggers '[.[] | select(.type == "store.ready")][0].mechanism'
	is "the self-check" true '[.[] | select(.type == "store.ready")][0].self_check | startswith("exact (1 row")'
	is "the row of the last refund" "100 200" '[.[] | select(.type == "finding")][0].steps[2].changes[0] | "\(.before.refunded) \(.after.refunded)"'
	is "the values read" "100 200" '[.[] | select(.type == "finding")][0].reads | "\(.amount) \(.refunded)"'
	is "the log of the failing step" true '[.[] | select(.type == "finding")][1].steps[2].log | join(" ") | contains("the order has no row")'
	is "the claim" "no sequence of up to 2 of these 5 operations breaks this rule" '[.[] | select(.type == "finding")][0].minimality'
	says 'create_order → refund_order → refund_order'
	says 'refunded 100 → 200'
	says 'curl -sS -X POST'
	grep -qE '^Explored [0-9,]+ states? in [0-9,]+ steps, found [0-9,]+ violations' out || fail "no last line"
	nothing_left
	no_app_left
	;;
the_demos_bugs_are_in_sarif_at_their_lines_of_the_model)
	cp "$source/templates/payments.yaml" .
	bs 1 run payments.yaml "${all_reports[@]}"
	line_of() { grep -n "^  $1:" payments.yaml | cut -d: -f1; }
	refund=$(line_of refund_order)
	sarif_is results "refunds_within_total error payments.yaml:$refund:3 $(line_of refunds_within_total)
no_server_error error payments.yaml:$refund:3 $(line_of no_server_error)" '[.results[] | (.locations[0].physicalLocation | "\(.artifactLocation.uri):\(.region.startLine):\(.region.startColumn)") as $at | "\(.ruleId) \(.level) \($at) \(.relatedLocations[0].physicalLocation.region.startLine)"] | join("\n")'
	sarif_is "the steps of the first" "POST /orders 201 $(line_of create_order)
POST /orders/1/refund 200 $refund
POST /orders/1/refund 200 $refund" '[.results[0].codeFlows[0].threadFlows[0].locations[] | "\(.webRequest.method) \(.webRequest.target) \(.webResponse.statusCode) \(.location.physicalLocation.region.startLine)"] | join("\n")'
	sarif_is "what was sent" '{"amount":100}' '.results[0].codeFlows[0].threadFlows[0].locations[0].webRequest.body.text'
	sarif_is "the run" "true 1" '.invocations[0] | "\(.executionSuccessful) \(.exitCode)"'
	sarif_is "the hash of the model" "$(sha256sum <payments.yaml | cut -d' ' -f1)" '.artifacts[0].hashes["sha-256"]'
	is "the fingerprints" "$(jq -r '[.runs[0].results[].partialFingerprints["backstep/v1"]] | join(" ")' report.sarif)" \
		'[.[] | select(.type == "finding").fingerprint] | join(" ")'
	;;
demo_of_the_fixed_app_finds_nothing)
	bs 0 demo --fixed "${all_reports[@]}"
	is findings '' "$findings"
	is violations 0 '[.[] | select(.type == "violation")] | length'
	is warnings 0 '[.[] | select(.type == "warning")] | length'
	is rules held '[.[] | select(.type == "invariant.end").outcome] | unique | join(" ")'
	is gate "passed 0" '.[-1] | "\(.gate) \(.exit_status)"'
	xmllint --noout junit.xml
	[ "$(xmllint --xpath 'count(//failure | //error | //skipped)' junit.xml)" = 0 ] || fail "junit is not clean"
	sarif_is "results, success and notifications" "0 true null" '"\(.results | length) \(.invocations[0].executionSuccessful) \(.invocations[0].toolExecutionNotifications)"'
	;;
postgres_gives_the_findings_and_fingerprints_of_sqlite)
	bs 1 run "$source/templates/payments.yaml" "${by_steps[@]}" "${all_reports[@]}"
	same='[.[] | select(.type == "finding") | "\(.rule) \(.fingerprint) \(.verdict) \([.steps[].op] | join(" > ")) \([.steps[].changes])"] | join("\n")'
	on_sqlite=$(events "$same")
	start_postgres
	pg postgres "CREATE DATABASE shop"
	export SHOP_URL="postgresql://boss:hunter2hunter2@127.0.0.1:$pg_port/shop"
	# shellcheck disable=SC2016
	postgres_model '{driver: postgres, url: "${env.SHOP_URL}"}'
	bs 1 run model.yaml "${by_steps[@]}" "${all_reports[@]}"
	is "the findings" "$on_sqlite" "$same"
	is mechanism triggers '[.[] | select(.type == "store.ready")][0].mechanism'
	is place "postgresql://127.0.0.1:$pg_port/shop" '[.[] | select(.type == "store.ready")][0].location'
	is "the self-check" true '[.[] | select(.type == "store.ready")][0].self_check | startswith("exact (")'
	is warnings "" '[.[] | select(.type == "warning").message] | join(" ")'
	[ "$(pg shop "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")" = 0 ] || fail "the original was touched"
	no_clone_left
	APP_FIXED=1 bs 0 run model.yaml "${by_steps[@]}" "${all_reports[@]}"
	is findings '' "$findings"
	! grep -rF hunter2hunter2 out err events.ndjson junit.xml report.html || fail "the password is shown"
	# The same where the model itself holds the password.
	postgres_model "{driver: postgres, url: \"$SHOP_URL\"}"
	bs 1 run model.yaml "${by_steps[@]}" "${all_reports[@]}"
	! grep -rF hunter2hunter2 out err events.ndjson junit.xml report.html || fail "the password of the model is shown"
	# And where the application shows it: the clone's url is another one, with the same password.
	# shellcheck disable=SC2016
	sed -i -e 's/  command: .*/  command: [sh, -c, "echo cannot reach $DB; echo with $(echo $DB | cut -d: -f3 | cut -c1-14); exit 3"]\n  env: {DB: "${stores.db.url}"}/' model.yaml
	bs 3 run model.yaml "${all_reports[@]}"
	grep -qF "cannot reach postgresql://boss:" events.ndjson || fail "its last lines are missing"
	! grep -rF hunter2hunter2 out err events.ndjson junit.xml report.html || fail "the password is shown by the application"
	no_clone_left
	nothing_left
	no_app_left
	;;
postgres_in_place_is_put_back_also_after_kill_9)
	start_postgres
	pg postgres "CREATE DATABASE shop"
	all="SELECT coalesce(string_agg(o::text, ' ' ORDER BY id), '') || (SELECT last_value || ' ' || is_called FROM orders_id_seq) FROM orders o"
	url="postgresql://boss@127.0.0.1:$pg_port/shop"
	: >app.log
	payments --port 0 --db "$url" >app.log 2>&1 &
	app=$!
	for _ in $(seq 100); do grep -q '[0-9]' app.log && break; sleep 0.05; done
	port=$(grep -oE '[0-9]+' app.log | tail -1)
	curl -sS -X POST -d '{"amount": 7}' "http://127.0.0.1:$port/orders" >/dev/null
	root=$(pg shop "$all")
	postgres_model "{driver: postgres, url: \"$url\", in_place: true}"
	sed -i -e "s|  command: .*|  base_url: http://127.0.0.1:$port|" model.yaml
	bs 1 run model.yaml "${by_steps[@]}" "${all_reports[@]}"
	is findings "refunds_within_total confirmed 3/3: create_order(amount=100) > refund_order > refund_order
no_server_error confirmed 3/3: create_order(amount=100) > delete_order > refund_order" "$findings"
	is mechanism "triggers, in place" '[.[] | select(.type == "store.ready")][0].mechanism'
	[ "$(pg shop "$all")" = "$root" ] || fail "not put back: $(pg shop "$all") instead of $root"
	[ "$(pg shop "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%backstep%'")" = 0 ] || fail "notes were left"
	rm events.ndjson
	"$backstep" run model.yaml --max-steps 0 --time 60s --max-depth 50 --report ndjson=events.ndjson >out 2>err &
	pid=$!
	for _ in $(seq 200); do
		[ "$(grep -c '"type":"step"' events.ndjson 2>/dev/null || true)" -gt 40 ] 2>/dev/null && break
		sleep 0.05
	done
	kill -KILL "$pid" || fail "the run ended by itself"
	wait "$pid" 2>/dev/null || true
	[ "$(pg shop "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%backstep%'")" = 1 ] || fail "no notes were left"
	bs 1 run model.yaml "${by_steps[@]}" "${all_reports[@]}"
	is "the warning" true '[.[] | select(.type == "warning").message] | any(contains("ended before it could put"))'
	[ "$(pg shop "$all")" = "$root" ] || fail "not put back: $(pg shop "$all") instead of $root"
	rm events.ndjson
	"$backstep" run model.yaml --max-steps 0 --time 60s --max-depth 50 --report ndjson=events.ndjson >out 2>err &
	pid=$!
	for _ in $(seq 200); do
		[ "$(grep -c '"type":"step"' events.ndjson 2>/dev/null || true)" -gt 40 ] 2>/dev/null && break
		sleep 0.05
	done
	kill -KILL "$pid" || fail "the run ended by itself"
	wait "$pid" 2>/dev/null || true
	bs 0 clean model.yaml
	says "db: "
	[ "$(pg shop "$all")" = "$root" ] || fail "not cleaned: $(pg shop "$all") instead of $root"
	[ "$(pg shop "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%backstep%'")" = 0 ] || fail "notes were left"
	bs 0 clean model.yaml
	[ ! -s out ] || fail "clean found something where nothing was left"
	kill "$app"
	wait "$app" 2>/dev/null || true
	;;
a_critical_finding_fails_the_gate)
	bs 1 run "$source/templates/payments.yaml" "${all_reports[@]}"
	is gate "failed 1" '.[-1] | "\(.gate) \(.exit_status)"'
	xmllint --noout junit.xml
	[ "$(xmllint --xpath 'count(//testcase[failure])' junit.xml)" = 2 ] || fail "junit has not two failures"
	APP_FIXED=1 bs 0 run "$source/templates/payments.yaml"
	bs 0 run "$source/templates/payments.yaml" --fail-on never
	;;
a_cache_in_the_app_is_found_beside_its_store)
	bs 1 run "$models/notes.yaml" "${all_reports[@]}"
	is findings "deleted_notes_are_gone confirmed 3/3: create_note > get_note > delete_note > get_note" "$findings"
	APP_FIXED=1 bs 0 run "$models/notes.yaml" "${all_reports[@]}"
	is findings '' "$findings"
	;;
a_cart_that_comes_back_in_redis_is_found)
	bs 1 run "$models/carts.yaml" "${all_reports[@]}"
	is findings "paid_carts_are_gone confirmed 3/3: create_cart > pay_cart > add_item(price=30)
carts_have_an_owner confirmed 3/3: create_cart > pay_cart > add_item(price=30)" "$findings"
	is mechanism tracking '[.[] | select(.type == "store.ready")][0].mechanism'
	is "the self-check" true '[.[] | select(.type == "store.ready")][0].self_check | startswith("exact (2 rows")'
	is "the key that comes back" '#cart:1 null {"total":30}' '[.[] | select(.type == "finding")][0].steps[2].changes[0] | "\(.row) \(.before) \(.after.value)"'
	is "the cart's life" true '[.[] | select(.type == "finding")][0].steps[0].changes[0].after.expires_at > 1600000000000'
	says 'cache.keys #cart:1   deleted'
	nothing_left
	APP_FIXED=1 bs 0 run "$models/carts.yaml" "${all_reports[@]}"
	is findings '' "$findings"
	is warnings 0 '[.[] | select(.type == "warning")] | length'
	nothing_left
	! pgrep -f "redis-server 127.0.0.1:.*" -a | grep -qF "$TMPDIR" || fail "a server was left behind"
	;;
a_file_that_outlives_its_upload_is_found)
	bs 1 run "$models/uploads.yaml" "${all_reports[@]}"
	is findings "deleted_uploads_are_gone confirmed 3/3: create_upload > get_preview > delete_upload > get_preview" "$findings"
	is mechanism "times and hashes" '[.[] | select(.type == "store.ready")][0].mechanism'
	is "the self-check" true '[.[] | select(.type == "store.ready")][0].self_check | startswith("exact (1 row")'
	is "the files of each step" '#1.txt: null, a secret text; #1.preview: null, a sec; #1.txt: a secret text, null' \
		'[.[] | select(.type == "finding")][0].steps | [.[].changes[] | "\(.row): \(.before.content), \(.after.content)"] | join("; ")'
	nothing_left
	APP_FIXED=1 bs 0 run "$models/uploads.yaml" "${all_reports[@]}"
	is findings '' "$findings"
	is warnings 0 '[.[] | select(.type == "warning")] | length'
	[ ! -e "$models/uploads" ] || fail "the run wrote beside the model"
	nothing_left
	no_app_left
	;;
an_app_with_everything_in_memory_is_explored_by_restart)
	bs 1 run "$models/counters.yaml" "${all_reports[@]}"
	is findings "deleted_counters_stay_deleted confirmed 3/3: create_counter > delete_counter > inc_counter" "$findings"
	APP_FIXED=1 bs 0 run "$models/counters.yaml" "${all_reports[@]}"
	is findings '' "$findings"
	;;
depth_first_finds_the_same)
	bs 0 demo --strategy dfs --max-depth 4 --max-steps 0 "${all_reports[@]}"
	is findings "refunds_within_total confirmed 3/3: create_order(amount=100) > refund_order > refund_order
no_server_error confirmed 3/3: create_order(amount=100) > delete_order > refund_order" "$findings"
	;;
the_same_seed_gives_the_same_reports)
	for run in 1 2; do
		bs 0 demo --max-steps 150 "${all_reports[@]}"
		for report in "${report_files[@]}"; do mask "$report" >"$report.$run"; done
	done
	for report in "${report_files[@]}"; do
		cmp "$report.1" "$report.2" || fail "$(diff "$report.1" "$report.2" | cut -c1-400 | head -8)"
	done
	[ "$(wc -c <report.html.1)" -gt 10000 ] || fail "the page is nearly empty"
	;;
events_follow_their_schema)
	bs 0 demo --max-steps 60 --report ndjson=events.ndjson
	python3 - "$source/core/events/events.schema.json" events.ndjson <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		check = jsonschema.validators.validator_for(schema)
		check.check_schema(schema)
		validator, lines = check(schema), 0
		for line in open(sys.argv[2]):
		    validator.validate(json.loads(line))
		    lines += 1
		assert lines > 60
		broken = json.loads(line)
		del broken["gate"]
		assert list(validator.iter_errors(broken)), "the schema accepts a run.end without a gate"
	END
	is seq "true" '[.[].seq] == [range(1; length + 1)]'
	;;
ctrl_c_writes_the_reports_and_stops_the_app)
	start_long_run
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 4 ] || fail "exit status $status instead of 4"
	is gate "incomplete 4 interrupted" '.[-1] | "\(.gate) \(.exit_status) \(.limit)"'
	xmllint --noout junit.xml
	[ "$(xmllint --xpath 'count(//error)' junit.xml)" -ge 1 ] || fail "junit is green"
	grep -qi incomplete report.html || fail "the page does not say incomplete"
	sarif_is "whether the run was successful" false '.invocations[0].executionSuccessful'
	nothing_left
	no_app_left
	;;
kill_9_leaves_nothing_behind)
	start_long_run
	app_running >/dev/null || fail "no application found"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	no_app_left
	nothing_left
	! grep -q '"type":"run.end"' events.ndjson || fail "the run came to its end"
	;;
an_app_that_does_not_start_is_exit_3_with_its_last_lines)
	cat >model.yaml <<-'END'
		version: 1
		name: broken
		app: {command: [sh, -c, "echo one; echo cannot open the ledger >&2; exit 7"]}
		actions:
		  a: {request: GET /}
	END
	bs 3 run model.yaml "${all_reports[@]}"
	complains "cannot open the ledger"
	complains "status 7"
	is gate "incomplete 3" '.[-1] | "\(.gate) \(.exit_status)"'
	[ "$(xmllint --xpath 'count(//error)' junit.xml)" -ge 1 ] || fail "junit is green"
	sed -i 's/command: .*/command: [.\/no-such-program]}/' model.yaml
	bs 3 run model.yaml
	complains "no-such-program"
	sed -i 's/app: .*/app: {command: [sleep, "60"], ready_timeout: 1s}/' model.yaml
	bs 3 run model.yaml
	complains "not ready within"
	sed -i 's/app: .*/app: {base_url: "http:\/\/127.0.0.1:1", ready_timeout: 1s}/' model.yaml
	bs 3 run model.yaml
	nothing_left
	;;
a_port_that_is_taken_is_said)
	cat >model.yaml <<-END
		version: 1
		name: taken
		app: {command: [sh, -c, "exec payments --port \$TAKEN --db \"\$DB\""], env: {TAKEN: "$((20000 + $$ % 20000))", DB: "\${stores.db.path}"}, ready_timeout: 2s}
		stores: {db: {driver: sqlite, path: p.db}}
		actions:
		  a: {request: GET /health}
	END
	payments --port "$((20000 + $$ % 20000))" --db other.db >other.out 2>&1 &
	other=$!
	for _ in $(seq 100); do grep -q listening other.out && break; sleep 0.05; done
	bs 3 run model.yaml
	complains "did not start"
	kill "$other"
	wait "$other" || true
	;;
a_store_that_is_none_is_said_plainly)
	cat >model.yaml <<-'END'
		version: 1
		name: stores
		app: {command: [payments, --port, "${port}", --db, "${stores.db.path}"], ready: GET /health}
		stores: {db: {driver: sqlite, path: thing}}
		actions:
		  a: {request: GET /orders}
		explore: {max_steps: 5}
	END
	mkdir thing
	bs 3 run model.yaml
	complains "thing"
	rmdir thing
	head -c 100000 /dev/urandom >thing
	cp thing before
	bs 3 run model.yaml
	complains "thing"
	cmp thing before || fail "the user's file was changed"
	rm thing
	bs 0 run model.yaml # the application makes it, in the clone's place
	[ ! -e thing ] || fail "the original was made"
	sqlite3 thing 'CREATE VIRTUAL TABLE notes USING fts5(text)'
	bs 0 run model.yaml --report ndjson=events.ndjson # triggers do not reach it, and that is said
	is mechanism "triggers, virtual tables by whole comparison" '[.[] | select(.type == "store.ready")][0].mechanism'
	is warnings mechanism '[.[] | select(.type == "warning") | .code] | join(" ")'
	sed -i 's/, --db, "${stores.db.path}"//' model.yaml
	bs 2 run model.yaml
	complains "stores.db.path"
	nothing_left
	;;
the_original_database_is_never_touched)
	sqlite3 payments.db "CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, amount INTEGER NOT NULL, refunded INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'paid'); INSERT INTO orders (customer, amount) VALUES ('ann', 5);"
	cp payments.db before.db
	cp "$source/templates/payments.yaml" .
	bs 1 run payments.yaml
	cmp payments.db before.db || fail "the original changed"
	[ "$(ls)" = "$(printf '%s\n' before.db err out payments.db payments.yaml tmp)" ] || fail "files were left: $(ls)"
	;;
twenty_mistakes_are_twenty_messages_and_exit_2)
	bs 2 check "$source/tests/unit/models/mistakes.yaml"
	[ "$(grep -cE '^.*mistakes\.yaml:[0-9]+:[0-9]+: ' err)" -ge 20 ] || fail "fewer than 20 messages"
	bs 2 run "$source/tests/unit/models/mistakes.yaml"
	bs 2 run no-such-model.yaml
	bs 0 check "$source/templates/payments.yaml"
	;;
bad_usage_is_exit_2)
	for arguments in '' 'run' 'run a b' 'run --report' 'run --no-such' 'demo x' 'run m.yaml --report pdf' \
		'demo --seed x' 'demo --time soon' 'demo --strategy random' 'demo --fail-on bad' 'demo --report html=' 'demo --report junit:' 'demo --report :strict' \
		'demo --report junit:=x' 'demo --report html:strict'; do
		# shellcheck disable=SC2086
		bs 2 $arguments
		[ -s err ] || fail "'$arguments': nothing was said"
	done
	bs 2 demo --report junit:loose=x.xml
	complains "no profile 'loose'; there are: rich strict"
	[ ! -e x.xml ] || fail "a report was begun"
	bs 0 --help
	bs 0 --version
	for command in run check demo report clean; do bs 0 "$command" --help; says example; done
	bs 0 run --help
	says junit:strict
	;;
a_report_that_cannot_be_written_is_exit_4_and_stops_no_other)
	bs 4 demo --max-steps 40 --report junit=/no-such-folder/x.xml --report ndjson=events.ndjson
	complains "junit"
	is gate passed '.[-1].gate'
	bs 4 demo --max-steps 40 --report html=/dev/full --report ndjson=events.ndjson
	is gate passed '.[-1].gate'
	;;
reports_made_from_the_event_file_are_byte_identical)
	bs 1 demo --max-steps 300 --fail-on critical "${all_reports[@]}" --color never
	mkdir again
	status=0
	(cd again && "$backstep" report ../events.ndjson --color never "${all_reports[@]}" >out 2>err) || status=$?
	[ $status = 1 ] || fail "report gave $status, the run 1"
	for report in "${report_files[@]}"; do
		cmp "$report" "again/$report" || fail "$report is another when it is made from the event file"
	done
	diff <(grep -v '^reports:' out) <(grep -v '^reports:' again/out) || fail "the console report is another"
	"$backstep" report --quiet --report junit=again/stdin.xml - <events.ndjson || [ $? = 1 ]
	cmp junit.xml again/stdin.xml || fail "read from standard input it is another"
	;;
an_event_file_that_was_cut_off_is_rendered_as_incomplete)
	bs 0 demo --max-steps 100 --report ndjson=events.ndjson
	head -c "$(($(wc -c <events.ndjson) / 2))" events.ndjson >half.ndjson
	bs 4 report half.ndjson --report junit=junit.xml --report html=report.html
	complains "cut off in its last line"
	says "Gate incomplete"
	grep -q '<error' junit.xml || fail "the JUnit file does not say that the run is incomplete"
	grep -qi 'incomplete' report.html || fail "the page does not say that the run is incomplete"
	sed '$d' events.ndjson >endless.ndjson
	bs 4 report endless.ndjson
	complains "has no run.end"
	;;
events_of_unknown_types_are_ignored_and_of_a_newer_version_refused)
	bs 0 demo --max-steps 60 --report ndjson=events.ndjson --report junit=junit.xml
	sed '5i {"v":1,"seq":5,"t_ns":1,"type":"from.the.future","with":{"more":[1]}}' events.ndjson >more.ndjson
	bs 0 report more.ndjson --report junit=again.xml
	cmp junit.xml again.xml || fail "an unknown event changed a report"
	sed 's/"v":1/"v":2/' events.ndjson >newer.ndjson
	bs 2 report newer.ndjson --report junit=newer.xml
	complains "version 2"
	[ ! -e newer.xml ] || fail "a report was written of what was not understood"
	;;
what_is_no_event_file_is_refused_with_its_line)
	bs 2 report
	bs 2 report no-such-file.ndjson
	: >empty.ndjson
	bs 2 report empty.ndjson
	complains "holds no run"
	echo '{"hello": "world"}' >other.ndjson
	bs 2 report other.ndjson
	complains "line 1"
	bs 0 demo --max-steps 20 --report ndjson=events.ndjson
	cat events.ndjson events.ndjson >twice.ndjson
	bs 2 report twice.ndjson
	complains "holds 2 runs"
	bs 4 report events.ndjson --report junit=/no-such-folder/x.xml --report html=report.html
	[ -s report.html ] || fail "one report that could not be written stopped another"
	;;
time_that_passes_is_a_step_and_is_undone_with_it)
	bs 1 run "$models/subscriptions.yaml" "${all_reports[@]}"
	is findings "who_left_is_not_charged confirmed 3/3: subscribe > cancel > a_month_passes" "$findings"
	is "the step" "ADVANCE 31d advanced" '[.[] | select(.type == "finding")][0].steps[2] | "\(.request.method) \(.request.url) \(.response.outcome)"'
	! grep -q 'no response' summary.md || fail "the summary misses an answer where there is none to come"
	! grep -q '>no response<' report.html || fail "the page misses an answer where there is none to come"
	# Undone and taken again from other states, it does what it did: nothing is left of a month that was undone.
	is "charges before any month" 0 '[.[] | select(.type == "step" and .op != "a_month_passes" and .changed_rows > 1)] | length'
	is warnings "" '[.[] | select(.type == "warning") | .code] | join(" ")'
	nothing_left
	export APP_FIXED=1
	bs 0 run "$models/subscriptions.yaml" "${all_reports[@]}"
	is findings "" "$findings"
	;;
what_an_app_keeps_in_memory_is_undone_by_starting_it_again)
	cat >app.py <<-'END'
		import http.server, json, sqlite3, sys
		db = sqlite3.connect(sys.argv[2])
		db.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY)")
		db.commit()
		count = db.execute("SELECT count(*) FROM items").fetchone()[0]  # kept by hand from here on
		class Handler(http.server.BaseHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		    def answer(self, status, value):
		        body = json.dumps(value).encode()
		        self.send_response(status)
		        self.send_header("Content-Length", str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		    def do_GET(self):
		        self.answer(200, {"count": count})
		    def do_POST(self):
		        global count
		        db.execute("INSERT INTO items DEFAULT VALUES")
		        db.commit()
		        count += 1
		        self.answer(201, {"rows": db.execute("SELECT count(*) FROM items").fetchone()[0]})
		    def log_message(self, *ignored):
		        pass
		http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
	END
	model() {
		cat <<-END
			version: 1
			app: {command: [python3, app.py, "\${port}", "\${stores.db.path}"], ready: GET /count $1}
			stores: {db: {driver: sqlite, path: items.db}}
			actions: {add: {request: POST /items, expect: 201}, count: {request: GET /count}}
			invariants:
			  counted_right: {severity: critical, holds: "action ~= 'add' or body.rows == list.body.count", observe: {list: GET /count}}
			explore: {max_depth: 3, max_steps: 20}
		END
	}
	model "" >model.yaml
	bs 0 run model.yaml --report ndjson=events.ndjson
	is findings "" "$findings"
	is warnings outside-state '[.[] | select(.type == "warning") | .code] | join(" ")'
	is "the self-check" true '[.[] | select(.type == "store.ready")][0].self_check | contains("with a restart of the application")'
	model ", rollback: restart" >model.yaml
	bs 0 run model.yaml --report ndjson=events.ndjson
	is findings "" "$findings"
	is warnings "" '[.[] | select(.type == "warning") | .code] | join(" ")'
	nothing_left
	;;
a_clock_that_cannot_be_moved_is_said)
	cat >model.yaml <<-'END'
		version: 1
		app: {command: [./plain, "${port}"], ready_timeout: 5s}
		actions: {wait: {advance: 1d}, get: {request: GET /}}
		invariants: {fine: {severity: low, holds: status < 500}}
	END
	printf '#!/bin/sh\nunset LD_PRELOAD\nexec python3 -m http.server --bind 127.0.0.1 "$1"\n' >plain
	chmod +x plain
	bs 3 run model.yaml
	complains "does not load libfaketime"
	nothing_left
	no_app_left
	;;
secrets_are_in_no_report)
	export ANN_TOKEN='s3cr3t/token+ann'
	cat >model.yaml <<-'END'
		version: 1
		name: secrets
		app: {command: [payments, --port, "${port}", --db, "${stores.db.path}"], ready: GET /health}
		stores: {db: {driver: sqlite, path: p.db}}
		actions:
		  create:
		    request: POST /orders
		    headers: {Authorization: "Bearer ${env.ANN_TOKEN}", X-Note: "for ${env.ANN_TOKEN}"}
		    json: {amount: 100, customer: "${env.ANN_TOKEN}"}
		    capture: {id: body.id}
		  refund: {request: "POST /orders/${id}/refund"}
		invariants:
		  never: {severity: low, holds: "not has(body, 'customer') or body.customer == 'nobody'", message: "saw ${body.customer}"}
		explore: {max_depth: 2}
	END
	bs 0 run model.yaml "${all_reports[@]}"
	is "a finding" true '[.[] | select(.type == "finding")] | length > 0'
	for report in out err "${report_files[@]}"; do
		! grep -qiE 's3cr3t|czNjcjN0' "$report" || fail "the secret is in $report: $(grep -oiE '.{60}s3cr3t.{20}' "$report" | head -3)"
	done
	grep -q 'redacted env.ANN_TOKEN' events.ndjson || fail "nothing says that something was taken out"
	;;
the_repository_is_named_without_credentials)
	unset GITHUB_SERVER_URL GITHUB_REPOSITORY GITHUB_SHA CI_COMMIT_SHA GIT_COMMIT CI_PROJECT_URL GIT_URL
	cp "$source/templates/payments.yaml" .
	git init -q . && git -c user.name=t -c user.email=t@t -c commit.gpgsign=false commit -q --allow-empty -m one
	remote_becomes() { # REMOTE WANTED
		git config remote.origin.url "$1"
		bs 0 run payments.yaml --max-steps 1 --fail-on never --report ndjson=events.ndjson
		is "the repository of '$1'" "$2" '[.[] | select(.type == "run.start")][0].repository'
	}
	sed -i '/^reach/d' payments.yaml
	remote_becomes 'https://ann:t0ken@git.example:8443/shop/payments.git' 'https://git.example:8443/shop/payments.git'
	bs 0 report events.ndjson --report sarif=report.sarif # where it is a copy of what the event held
	sarif_is "the provenance" "https://git.example:8443/shop/payments.git $(git rev-parse HEAD)" '.versionControlProvenance[0] | "\(.repositoryUri) \(.revisionId)"'
	remote_becomes 'https://git.example/a@b?private_token=t0ken' 'https://git.example/a@b'
	remote_becomes 'git@git.example:shop/payments.git' 'ssh://git.example/shop/payments.git'
	remote_becomes '/srv/git/payments.git' null
	remote_becomes '../payments.git' null
	is revision true '[.[] | select(.type == "run.start")][0].revision | test("^[0-9a-f]{40}$")'
	GITHUB_SERVER_URL=https://github.example GITHUB_REPOSITORY=shop/payments remote_becomes x https://github.example/shop/payments
	;;
hostile_text_stays_text_in_every_report)
	cat >model.yaml <<-'END'
		version: 1
		name: hostile <b>&amp;"'
		app: {command: [payments, --port, "${port}", --db, "${stores.db.path}"], ready: GET /health}
		stores: {db: {driver: sqlite, path: p.db}}
		actions:
		  create: {request: POST /orders, json: {amount: 100, customer: "</script><script>alert(1)</script>]]>\u001b[31m\u0001"}, capture: {id: body.id}}
		invariants:
		  never: {severity: critical, holds: status ~= 201, message: "<img src=x onerror=alert(1)> ${body.customer}"}
		explore: {max_depth: 1}
	END
	bs 1 run model.yaml "${all_reports[@]}"
	xmllint --noout junit.xml
	! grep -q '<script>alert\|<img src=x' report.html || fail "markup got through"
	! grep -qP '\x1b\[31m' out || fail "an escape reached the terminal"
	cmark-gfm --unsafe -e table -e autolink summary.md >summary.html
	! grep -qE '<(script|img|a|b)\b' summary.html || fail "the summary has markup: $(grep -oE '<(script|img|a|b)\b.*' summary.html | head -2)"
	grep -q '&lt;img src=x onerror=alert(1)&gt;' summary.html || fail "the message is not in the summary"
	! grep -vE '^::(error|notice) ' annotations.txt || fail "an annotation has more than a line"
	sarif_is "an escape in a message or its visible form" 'false true' '.results[0].message.text | "\(contains("\u001b")) \(contains("\\x1b[31m"))"'
	;;
hung_and_dying_apps_are_findings)
	cat >app.py <<-'END'
		import http.server, os, sys, time
		class H(http.server.BaseHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		    def log_message(self, *a): pass
		    def answer(self):
		        if self.path == "/die": os._exit(9)
		        if self.path == "/hang": time.sleep(30)
		        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"{}")
		    do_GET = do_POST = answer
		http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
	END
	cat >model.yaml <<-'END'
		version: 1
		name: hang
		app: {command: [python3, app.py, "${port}"], ready: GET /ok}
		actions:
		  ok: {request: GET /ok}
		  die: {request: POST /die}
		  hang: {request: POST /hang, timeout: 300ms}
		explore: {max_depth: 2, confirm: 2}
	END
	bs 1 run model.yaml "${all_reports[@]}"
	is findings "no-response confirmed 2/2: die
no-response confirmed 2/2: hang" "[.[] | select(.type == \"finding\")] | sort_by(.steps[0].op) | [.[] | \"\(.rule) \(.verdict) \(.confirmed)/\(.tries): \([.steps[].op] | join(\" > \"))\"] | join(\"\n\")"
	nothing_left
	;;
in_github_actions_there_are_annotations_and_a_summary)
	run=(run "$source/templates/payments.yaml" --max-steps 200)
	annotations() { grep -cE '^::(error|warning|notice) ' out || true; }
	summaries() { grep -c '^## ' summary.md || true; }
	echo "# of an earlier command" >summary.md
	# Never outside.
	GITHUB_STEP_SUMMARY=$work/summary.md bs 1 "${run[@]}"
	[ "$(annotations) $(summaries)" = "0 0" ] || fail "annotations or a summary outside of GitHub Actions"
	GITHUB_ACTIONS=false GITHUB_STEP_SUMMARY=$work/summary.md bs 1 "${run[@]}"
	[ "$(annotations) $(summaries)" = "0 0" ] || fail "annotations or a summary, GITHUB_ACTIONS=false"
	export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$work/summary.md
	bs 1 "${run[@]}"
	[ "$(annotations) $(summaries)" = "3 1" ] || fail "$(annotations) annotations and $(summaries) summaries instead of 3 and 1"
	[ "$(grep -c '^::error file=.*payments.yaml,line=[0-9]*,col=3,title=critical%3A ' out)" = 2 ] || fail "not two errors"
	grep -q '^::notice title=Backstep%3A gate failed::' out || fail "no notice"
	says 'create_order → refund_order → refund_order' # the console's report stays
	[ "$(head -1 summary.md)" = "# of an earlier command" ] || fail "what was in the summary is gone"
	grep -q '· ❌ \*\*breaks here\*\*' summary.md || fail "no sequence in the summary"
	[ "$(ls)" = "$(printf '%s\n' err out summary.md tmp)" ] || fail "files were left: $(ls)"
	bs 1 "${run[@]}" --quiet
	[ "$(wc -l <out) $(summaries)" = "3 2" ] || fail "quiet takes the annotations away, or the summary is not appended to"
	bs 1 "${run[@]}" --no-github
	[ "$(annotations) $(summaries)" = "0 2" ] || fail "--no-github does not turn them off"
	bs 1 "${run[@]}" --no-github --report github
	[ "$(annotations) $(summaries)" = "3 2" ] || fail "--no-github turns off what was asked for"
	# Named, they are written where they are named, and once.
	bs 1 "${run[@]}" --report markdown=own.md --report github=own.txt
	[ "$(annotations) $(summaries)" = "0 2" ] || fail "named reports are written by default as well"
	grep -q '^::error ' own.txt && grep -q '^## ' own.md || fail "named reports are not written"
	bs 1 "${run[@]}" --report markdown
	[ "$(summaries)" = 3 ] && [ ! -e backstep.md ] || fail "markdown without a path is not the job summary"
	says "reports: the job summary"
	bs 1 "${run[@]}" --report "markdown=$GITHUB_STEP_SUMMARY"
	[ "$(summaries)" = 4 ] || fail "the job summary was replaced"
	# A program that reads a report sees nothing else.
	bs 1 "${run[@]}" --quiet --report junit=-
	xmllint --noout out || fail "there is more than the report on standard output"
	GITHUB_STEP_SUMMARY=/no-such-folder/summary bs 1 "${run[@]}"
	complains "no job summary"
	GITHUB_STEP_SUMMARY='' bs 1 "${run[@]}"
	[ "$(annotations)" = 3 ] || fail "no annotations without a summary"
	GITHUB_STEP_SUMMARY='' bs 1 "${run[@]}" --report markdown
	[ -e backstep.md ] || fail "no backstep.md"
	;;
what_an_app_says_is_no_workflow_command)
	export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$work/summary.md
	touch summary.md
	silent() {
		! grep -E '^[[:space:]]*::' out err | grep -vE '^out:::(error|warning|notice) ([a-z]+=[^,:]*,?)*::' || fail "a command in the log"
		! grep -F '##[' out err summary.md || fail "a command of the other form in the log"
	}
	cat >model.yaml <<-'END'
		version: 1
		name: commands
		app: {command: [payments, --port, "${port}", --db, "${stores.db.path}"], ready: GET /health}
		stores: {db: {driver: sqlite, path: p.db}}
		actions:
		  create: {request: POST /orders, json: {amount: 100, customer: "x\n::add-mask::x\n##[add-matcher]/x"}, capture: {id: body.id}}
		invariants:
		  never: {severity: critical, holds: status ~= 201, message: "::error::${body.customer}"}
		explore: {max_depth: 1}
	END
	bs 1 run model.yaml
	says add-mask
	silent
	cat >model.yaml <<-'END'
		version: 1
		name: broken
		app: {command: [sh, -c, "echo '::error::mine'; echo '  ::add-mask::x ##[error]y' >&2; exit 7"]}
		actions:
		  a: {request: GET /}
	END
	bs 3 run model.yaml
	complains mine
	silent
	;;
junit_is_valid_in_both_profiles)
	valid() { xmllint --noout --schema "$source/tests/reporters/junit-$1.xsd" "$2" 2>xmllint.err || fail "$2: $(cat xmllint.err)"; }
	bs 1 run "$source/templates/payments.yaml" --max-steps 200 --report junit=default.xml --report junit:rich=rich.xml \
		--report junit:strict=strict.xml
	cmp default.xml rich.xml || fail "rich is not the default"
	valid rich rich.xml
	valid jenkins strict.xml
	valid windyroad strict.xml
	[ "$(xmllint --xpath 'count(//testcase[@file and @line][failure])' rich.xml)" = 2 ] || fail "no places in rich"
	[ "$(xmllint --xpath 'count(//testcase[failure])' strict.xml)" = 2 ] || fail "strict has not two failures"
	! xmllint --noout --schema "$source/tests/reporters/junit-jenkins.xsd" rich.xml 2>/dev/null || fail "the schema takes all"
	# A green gate has no red test; what was found is still told.
	bs 0 run "$source/templates/payments.yaml" --max-steps 200 --fail-on never --report junit=rich.xml
	[ "$(xmllint --xpath 'count(//failure | //error)' rich.xml)" = 0 ] || fail "a failure although the gate passed"
	[ "$(xmllint --xpath 'count(//testcase/system-out[contains(., "fail_on is never")])' rich.xml)" = 2 ] || fail "not told"
	;;
reports_name_the_model_as_its_repository_does)
	cp "$source/templates/payments.yaml" .
	named() { # WANTED FOLDER MODEL
		(cd "$2" && bs 0 run "$3" --max-steps 60 --fail-on never --report ndjson="$work/events.ndjson" --report junit="$work/junit.xml")
		is "the model run as $3 in $2" "$1" '[.[] | (.model, .at.file, (.steps | arrays | .[].at.file)) | strings] | unique | join(" ")'
		[ "$(xmllint --xpath 'string(//testcase[1]/@file)' junit.xml)" = "$1" ] || fail "junit has another file"
	}
	named payments.yaml . payments.yaml # no repository: the working directory
	named payments.yaml . "$work/payments.yaml"
	mkdir -p elsewhere repository/api/v1 repository/.git
	named ../payments.yaml elsewhere ../payments.yaml # nor below that
	cp payments.yaml repository/api
	named api/payments.yaml repository api/payments.yaml
	named api/payments.yaml repository/api/v1 ../payments.yaml
	named api/payments.yaml elsewhere "$work/repository/api/payments.yaml"
	rmdir repository/.git
	echo "gitdir: /elsewhere" >repository/api/.git # a worktree, or a submodule
	named payments.yaml repository api/payments.yaml
	;;
the_readme_shows_what_the_demo_prints)
	bs 0 demo
	recorded() { sed -n '/<!-- recorded: demo -->/,/<!-- end -->/p' "$source/README.md" | sed '1,2d' | sed '$d' | sed '$d'; }
	recorded >recorded
	[ "$(wc -l <recorded)" -gt 30 ] || fail "the README shows nothing"
	# What depends on the moment and the place: times, where the files lie, and how lines are broken for that.
	plain() {
		mask "$1" | sed -E 's|[^ ]*share/backstep/||g; s/[0-9]+[0-9,.]* (states|steps|violations|kB)/N \1/g; s/TIME//g' | tr -s ' \n' ' ' |
			sed 's/ \([0-9]*\.\) /\n\1 /g'
	}
	plain out >a
	plain recorded >b
	diff a b >difference || fail "$(head -20 difference)"
	diff <(sed -n '/<!-- from: templates/,/<!-- end -->/p' "$source/README.md" | sed '1,2d' | sed '$d' | sed '$d') \
		<(grep -v '^ *#' "$source/templates/payments.yaml" | sed -E 's/ +# .*//' | cat -s | sed '1{/^$/d}') >difference ||
		fail "the README's model is not the shipped one: $(head -20 difference)"
	;;
*)
	fail "no such part: $part"
	;;
esac
