# shellcheck shell=bash
# What the fetched parts need of a machine. Each check fails with the reason and a way out; none changes anything.

readonly own_parts='name parts of your own with PSMDB_DRILL_MONGOD, PSMDB_DRILL_WEED, PSMDB_DRILL_PBM and PSMDB_DRILL_PBM_AGENT'

machine_is_linux() {
  local kernel
  kernel=$(uname -s)
  [ "$kernel" = Linux ] || die 3 "this system is not supported: $kernel" \
    "the programs use Linux system calls, and the parts are published as Linux binaries" \
    "run it on Debian 12 or Ubuntu 22.04/24.04 on x86_64, for instance in a virtual machine"
}

machine_runs_parts() {
  local arch glibc
  arch=$(uname -m)
  case $arch in
    x86_64 | amd64) ;;
    *) die 3 "this processor architecture is not supported: $arch" \
      "mongod, the S3 server and Go are only published as x86_64 wheels" \
      "use an x86_64 machine, or $own_parts" ;;
  esac
  # PSMDB_DRILL_CPUINFO: for the test of this check
  if ! grep -qsw avx "${PSMDB_DRILL_CPUINFO:-/proc/cpuinfo}"; then
    die 3 "this processor has no AVX" "mongod 5.0 and later need the AVX instructions" \
      "use another machine or give the virtual machine the host's CPU model, or $own_parts"
  fi
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ print $2 }' || true)
  if [ -z "$glibc" ] || [ "$(printf '2.34\n%s\n' "$glibc" | sort -V | head -n 1)" != 2.34 ]; then
    die 3 "this system's C library is too old or not glibc: ${glibc:-unknown}" \
      "mongod was built for glibc 2.34 or later" \
      "use Debian 12 or Ubuntu 22.04 or later, or $own_parts"
  fi
}

# machine_has_disk FOLDER MB: the folder need not exist yet
machine_has_disk() {
  local dir=$1 need=$2 free
  while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
  free=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$need" ] || die 3 "not enough disk below '$dir': $free MB free, $need MB needed" \
    "the parts are large, and building PBM needs room for its sources while it lasts" \
    "free some, or set PSMDB_DRILL_CACHE to a folder on another disk"
}
