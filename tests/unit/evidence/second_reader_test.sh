#!/bin/bash
# The reader of this project against one that was written from docs/formats.md alone: the same files, the same answers. Prints TAP.
# usage: second_reader_test.sh CROSS_CHECK
set -u
cross=$1
here=$(cd "$(dirname "$0")" && pwd)
second=$here/../../support/second_reader.py
formats=$here/../../../docs/formats.md
command -v python3 >/dev/null || { echo "ok 1 - second reader # SKIP no python3"; echo "1..1"; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/psmdb-drill-second.XXXXXX")
trap 'rm -rf "$dir"' EXIT
n=0
check() {
	n=$((n + 1))
	if "${@:2}"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
example() { sed -n "/<!-- example: $1 -->/,/^\`\`\`\$/p" "$formats" | grep '^{' >"$dir/$1"; }
prints() { # text, command...
	local got
	got=$("${@:2}" 2>&1)
	[ "$got" = "$1" ] || { echo "# $got"; echo "# wanted: $1"; return 1; }
}
same() { # both readers on one file: exit status, and what they print
	local a b sa sb
	a=$("$cross" read "$1" 2>"$dir/a"); sa=$?
	b=$(python3 "$second" "$1" 2>"$dir/b"); sb=$?
	[ $sa = 4 ] && b=$(sed 's/unknown=[0-9]* //' <<<"$b")
	[ "$a" = "$b" ] && [ $sa = $sb ] && [ $sa = "$2" ] || { echo "# $sa $a $(cat "$dir/a")"; echo "# $sb $b $(cat "$dir/b")"; return 1; }
}

for e in journal timeline observed; do example $e; done
last() { tail -1 "$dir/$1" | sed 's/.*"chain":"\(.*\)"}/\1/'; }
check "the document's journal" prints "journal whole records=9 issued=5 acked=3 failed=1 unknown=1 chain=$(last journal)" python3 "$second" "$dir/journal"
check "the document's timeline" prints "timeline whole records=4 events=2 heads=1 chain=$(last timeline)" python3 "$second" "$dir/timeline"
check "the document's observation" prints "observed whole records=12 documents=3 intact=2 anomalies=1 foreign=0 chain=$(last observed)" python3 "$second" "$dir/observed"
check "both agree on the document's journal" same "$dir/journal" 0
# the shell line of the document is run as it stands there
line=$(sed -n "s/^\(printf '%s%s' .*\)$/\1/p" "$formats")
check "the document's shell line gives the second record's chain" prints "$(sed -n '2s/.*"chain":"\(.*\)"}/\1/p' "$dir/journal")" sh -c "$line"
sealed=0 open=0
for seed in 1 2 3 4 5 6; do
	"$cross" make "$dir/j$seed" $seed || exit 1
	if tail -1 "$dir/j$seed" | grep -q '"type":"end"'; then want=0; sealed=$((sealed + 1)); else want=4; open=$((open + 1)); fi
	check "both agree on a random life, seed $seed" same "$dir/j$seed" $want
	size=$(stat -c %s "$dir/j$seed")
	head -c $((size / 2)) "$dir/j$seed" >"$dir/cut"
	check "and on half of it" same "$dir/cut" 4
	python3 - "$dir/j$seed" "$dir/flip" $seed <<'PYTHON'
import random, sys
data = bytearray(open(sys.argv[1], "rb").read())
random.seed(int(sys.argv[3]))
data[random.randrange(len(data) - 1)] ^= 1 << random.randrange(7)
open(sys.argv[2], "wb").write(data)
PYTHON
	check "and on one flipped bit" same "$dir/flip" 1
done
check "sealed and open journals were among them" [ $sealed -gt 0 -a $open -gt 0 ]
echo "1..$n"
