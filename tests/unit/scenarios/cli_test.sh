#!/bin/bash
# psmdb-drill as a user meets it. Prints TAP.
set -u
drill=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/psmdb-drill-cli.XXXXXX")
trap 'rm -rf "$dir"' EXIT
n=0
check() { # description, command that must succeed
	n=$((n + 1))
	if "${@:2}"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
status_is() { # status, command...
	local want=$1 got
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$want" ] || { echo "# exit status $got, wanted $want: $*"; sed 's/^/# /' "$dir/err"; return 1; }
}
says() { grep -q -- "$1" "$dir/out" "$dir/err" || { sed 's/^/# /' "$dir/out" "$dir/err"; return 1; }; }

check "help is help" status_is 0 "$drill" --help
check "help names every command" says "follow"
check "the version is shown" status_is 0 "$drill" --version
check "no command is a usage error" status_is 2 "$drill"
check "an unknown command is a usage error" status_is 2 "$drill" florish
check "it names the fault" says 'unknown command "florish"'
for c in init note follow; do
	check "$c has help" status_is 0 "$drill" $c --help
	check "$c needs its run directory" status_is 2 "$drill" $c x
done
check "init makes a run" status_is 0 "$drill" init --run "$dir/run" --scenario case-1
check "init prints the directory" says "$dir/run"
check "init refuses what is not empty" status_is 3 "$drill" init --run "$dir/run"
check "a note is written" status_is 0 "$drill" note --run "$dir/run" disaster what="all PVCs deleted"
check "an unknown event is a usage error" status_is 2 "$drill" note --run "$dir/run" disastre
check "with a mend" says 'x-'
check "an event of one's own" status_is 0 "$drill" note --run "$dir/run" x-coffee cups=2
check "no run, no note" status_is 3 "$drill" note --run "$dir/none" disaster
check "the hint names init" says 'psmdb-drill init'
check "the timeline holds them" grep -q '"name":"disaster","data":{"what":"all PVCs deleted"}' "$dir/run/timeline.jsonl"
check "a journal name is no path" status_is 2 "$drill" follow --run "$dir/run" --journal ../x

# a journal made by hand: its chain by the document's rule alone
chain=00000000000000000000000000000000
line() { # members without n and chain
	local body
	i=$((i + 1))
	body="{\"n\":$i,$1"
	chain=$(printf '%s%s' "$chain" "$body" | sha256sum | cut -c1-32)
	echo "@psmdb-drill $body,\"chain\":\"$chain\"}"
}
i=0
{
	line '"type":"open","format":"psmdb-drill/journal","version":1,"run":"5f1c2a34-9d0e-4b7a-8c11-2233445566ff","at":"2026-11-23T06:00:00.000Z","ticker":"by hand","cluster":{"kind":"replicaSet","id":"","set":"rs0"},"clock":{"offset_ms":0,"error_ms":1},"interval_us":1000000,"batch":1,"streams":[{"ns":"drill.ticker","writer":0}]'
	echo "ordinary line"
	line '"type":"issued","ms":5,"s":0,"seq":"1","lo":"1700000000,1","createdAt":"2026-11-23T06:00:00.005Z","sum":"0123456789abcdef"'
	line '"type":"acked","ms":9,"s":0,"seq":"1","hi":"1700000000,2","exact":true'
} >"$dir/log"
open_chain=$chain
line '"type":"end","ms":20,"reason":"SIGTERM","issued":"1","acked":"1","failed":"0","unknown":"0"' >"$dir/end"
follow() { "$drill" follow --run "$dir/run"; }
check "a log that ends too early is not sealed" status_is 4 follow <"$dir/log"
check "and says how far it is" says "record is 3"
check "a note names the journal's newest record" status_is 0 "$drill" note --run "$dir/run" backup.requested
check "by number and chain" grep -q "\"name\":\"backup.requested\",\"journal\":{\"run\":\"5f1c2a34-9d0e-4b7a-8c11-2233445566ff\",\"n\":3,\"chain\":\"$open_chain\"}" "$dir/run/timeline.jsonl"
printf '{"n":4,"type":"e' >>"$dir/run/journal.jsonl"
cat "$dir/log" "$dir/end" >"$dir/whole"
check "the whole log, again from its beginning, seals it" status_is 0 follow <"$dir/whole"
check "the copy is the log's records" cmp -s <(sed -n 's/^@psmdb-drill //p' "$dir/whole") "$dir/run/journal.jsonl"
check "other lines are kept" grep -qx "ordinary line" "$dir/run/logs/ticker.log"
rm "$dir/run/journal.jsonl"
sed 3d "$dir/whole" >"$dir/gap"
check "a gap is an error" status_is 3 follow <"$dir/gap"
check "that names the records" says "record 3 stands where 2 is expected"

rm "$dir/run/journal.jsonl"
before=$(grep -c '"type":"head"' "$dir/run/timeline.jsonl")
mkfifo "$dir/fifo"
"$drill" follow --run "$dir/run" <"$dir/fifo" 2>"$dir/err" &
pid=$!
exec 7>"$dir/fifo"
cat "$dir/log" >&7
enough_heads() {
	for _ in $(seq 100); do
		[ "$(grep -c '"type":"head"' "$dir/run/timeline.jsonl")" -ge $((before + 2)) ] && return 0
		sleep 0.1
	done
	return 1
}
check "heads go on while nothing arrives" enough_heads
kill -TERM $pid
stopped() { wait $pid; [ $? = "$1" ]; }
check "SIGTERM ends it in order" stopped 0
exec 7>&-
check "with the copy flushed" grep -q '"n":3,"type":"acked"' "$dir/run/journal.jsonl"
"$drill" follow --run "$dir/run" <"$dir/fifo" 2>"$dir/err" &
pid=$!
exec 7>"$dir/fifo"
# a background job ignores SIGINT until the program installs its own handler: its first heads show that it has
before=$(grep -c '"type":"head"' "$dir/run/timeline.jsonl")
check "started again, it goes on" enough_heads
kill -INT $pid
check "SIGINT is exit 130" stopped 130
exec 7>&-
# scenarios without a cluster
check "the steps are listed" status_is 0 "$drill" list --steps
sed '1,/<!-- psmdb-drill list --steps -->/d' "$SOURCE_DIR/docs/scenarios.md" >"$dir/documented"
sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' "$dir/out" >"$dir/listed"
# to mend it: psmdb-drill list --steps in place of what stands behind the marker
check "docs/scenarios.md has every step and argument as they are" diff -uB "$dir/listed" "$dir/documented"
check "case-1 can be explained" status_is 0 "$drill" explain case-1
check "it says what it destroys" says "DESTROYS"
check "a step that asks the locks alone is marked" sh -c "'$drill' explain case-2 | grep -q '^ *13  LOCKED'"
check "whose namespace needs the label is said" sh -c "'$drill' explain case-2-elsewhere | grep -q 'of the other cluster (--to-context); this one needs none'"
check "an unknown parameter is a usage error" status_is 2 "$drill" explain case-1 --set nmaespace=x
check "a scenario that is not there is named" status_is 3 "$drill" explain ./none.yaml
check "run needs a scenario" status_is 2 "$drill" run
check "parameters of a run cannot be changed" status_is 2 "$drill" run --resume "$dir/run" --set a=b
check "a directory without state is no run" status_is 3 "$drill" run --resume "$dir/run"
check "nor one to clean up" status_is 3 "$drill" cleanup "$dir/run"

# a run of steps that ask no API server
cat >"$dir/kubeconfig" <<'END'
{"apiVersion": "v1", "kind": "Config", "current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
 "clusters": [{"name": "x", "cluster": {"server": "http://127.13.1.9:1"}}], "users": [{"name": "x", "user": {"token": "hush-hush"}}]}
END
cat >"$dir/mine.yaml" <<'END'
scenario: mine
parameters: {namespace: ns, long: 1h}
steps:
- note: {text: hello}
- pause: {for: '${long}'}
- note: {text: '${missing}'}
END
run() { "$drill" run --kubeconfig "$dir/kubeconfig" "$@"; }
interrupted() { timeout --preserve-status -s INT 1 "$drill" run --kubeconfig "$dir/kubeconfig" "$@" >"$dir/out" 2>"$dir/err"; [ $? = 130 ]; }
killed() { timeout --preserve-status -s KILL 1 "$drill" run --kubeconfig "$dir/kubeconfig" "$@" >"$dir/out" 2>"$dir/err"; [ $? = 137 ]; }
check "a dry run asks and writes nothing" status_is 0 run "$dir/mine.yaml" --dry-run --run "$dir/dry"
check "not even a directory" test ! -e "$dir/dry"
check "a value of the wrong kind is found before anything runs" status_is 3 run "$dir/mine.yaml" --run "$dir/wrong" --set long=10x
check "its argument is named" says 'argument "for" of step "pause" is not a time'
check "there is no run of it" test ! -e "$dir/wrong"
check "an interrupted run ends with 130" interrupted "$dir/mine.yaml" --run "$dir/mine"
check "it says that nothing was destroyed" says "nothing was destroyed"
check "it says how to go on" says "go on:     psmdb-drill run --resume $dir/mine --kubeconfig $dir/kubeconfig"
check "it says how to clean up" says "clean up:  psmdb-drill cleanup $dir/mine"
check "no escape sequence goes where there is no terminal" sh -c "! grep -q \"\$(printf '\\033')\" '$dir/out' '$dir/err'"
check "no verdict is written" test ! -e "$dir/mine/verdict.json"
check "a killed run leaves its state" killed --resume "$dir/mine"
check "its first step is not done again" test "$(grep -c '"text":"hello"' "$dir/mine/timeline.jsonl")" = 1
sed 's/long: 1h/long: 1s/' "$dir/mine.yaml" >"$dir/short.yaml"
check "a copy of the scenario that was changed is not run" status_is 3 sh -c "cp '$dir/short.yaml' '$dir/mine/scenario.yaml' && '$drill' run --resume '$dir/mine' --kubeconfig '$dir/kubeconfig'"
check "a run that cannot go on ends with 3" status_is 3 run "$dir/short.yaml" --run "$dir/short"
check "it names step and cause" says 'step 3 (note): "${missing}" is not known'
check "its verdict is ERROR" grep -q '"result": *"ERROR"' "$dir/short/verdict.json"
check "the token is nowhere in the run" sh -c "! grep -rq hush-hush '$dir/short' '$dir/mine'"
if [ -x "${BUILD_DIR:-}/verifier/psmdb-verify" ]; then
	check "the report of it says why" sh -c "'$BUILD_DIR/verifier/psmdb-verify' report --run '$dir/short' | grep -q 'could not go on'"
fi

echo "1..$n"
