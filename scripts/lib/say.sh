# shellcheck shell=bash
# Talking to the person who runs a script: chatter and errors on stderr, results on stdout, long work with a line when it
# starts, from time to time, and when it ends. The script that sources this sets `me`, and `work` (a private folder) before
# it calls `step`.
# shellcheck disable=SC2154

say() { printf '%s: %s\n' "$me" "$*" >&2; }

# die STATUS WHAT WHY MEND: the one way to fail
die() {
  printf '%s: error: %s\n  why:  %s\n  mend: %s\n' "$me" "$2" "$3" "$4" >&2
  exit "$1"
}

step_pid='' step_patient=0

# step TEXT COMMAND...: false if the command fails; its output is then in $work/log
step() {
  local text=$1 start=$SECONDS next=$((SECONDS + 10)) rc=0
  shift
  say "$text"
  "$@" >"$work/log" 2>&1 </dev/null &
  step_pid=$!
  while kill -0 "$step_pid" 2>/dev/null; do
    sleep 0.1
    if [ "$SECONDS" -ge "$next" ]; then
      say "  still at it after $((SECONDS - start)) s"
      next=$((SECONDS + (SECONDS - start < 30 ? 10 : 30)))
    fi
  done
  wait "$step_pid" || rc=$?
  step_pid=''
  [ "$rc" = 0 ] && [ $((SECONDS - start)) -ge 2 ] && say "  done in $((SECONDS - start)) s"
  return "$rc"
}

# last_words: the line of a failed step's output that most likely says why
last_words() {
  local words network='name resolution|unreachable|connection (refused|reset|timed out)|i/o timeout|no such host|certificate|proxy error|no space left'
  words=$(grep -iE "$network" "$work/log" | tail -n 1 || true)
  [ -n "$words" ] || words=$(grep -iE 'error|failed|refused|unable|cannot|no matching|could not' "$work/log" | tail -n 1 || true)
  [ -n "$words" ] || words=$(tail -n 1 "$work/log")
  printf '%s' "${words:-it gave no reason}" | tr -d '\r' | cut -c 1-300
}

# interrupted: apt is waited for, so that dpkg is not left half-way; everything else is ended
interrupted() {
  trap '' INT TERM HUP
  if [ -n "$step_pid" ]; then
    if [ "$step_patient" = 1 ]; then
      say "interrupted; waiting for apt to finish what it has begun"
    else
      pkill -P "$step_pid" 2>/dev/null || true
      kill "$step_pid" 2>/dev/null || true
    fi
    wait "$step_pid" 2>/dev/null || true
  fi
  say "interrupted; run it again to go on"
  exit 130
}
