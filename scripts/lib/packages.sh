# shellcheck shell=bash
# Debian and Ubuntu packages: which are missing, how much they are, installing them. Uses `work` and `sudo_flag` of the script
# that sources it.
# shellcheck disable=SC2034,SC2154

packages_build=(gcc libc6-dev cmake ninja-build pkg-config git ca-certificates procps openssl
  libmongoc-dev libbson-dev libcurl4-openssl-dev libcjson-dev libxxhash-dev libssl-dev libxml2-dev
  libyaml-dev libmicrohttpd-dev libgnutls28-dev libnss-wrapper
  libcriterion-dev libxml2-utils python3 python3-venv)
packages_dev=(clang clang-format shellcheck ccache libfaketime)

# the run-time library of clang's sanitizers and of libFuzzer goes by another name in each release
packages_clang_rt() {
  case $(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}") in
    bookworm) echo libclang-rt-14-dev ;;
    jammy) echo libclang-common-14-dev ;;
    noble) echo libclang-rt-18-dev ;;
    *) echo libclang-rt-dev ;;
  esac
}

# packages_missing NAME...: prints those not installed, one a line
packages_missing() {
  command -v dpkg-query >/dev/null || die 3 "this system has no dpkg" \
    "build tools and libraries are installed as Debian packages" \
    "use Debian 12 or Ubuntu 22.04/24.04; elsewhere, install by hand what README.md lists"
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | awk -v want="$*" '
    $1 == "installed" { have[$2] = 1 }
    END { n = split(want, w, " "); for (i = 1; i <= n; i++) if (!(w[i] in have)) print w[i] }'
}

# packages_bytes NAME...: prints what apt would download for them in bytes; fails if its lists do not know them
packages_bytes() {
  local uris
  uris=$(apt-get install --print-uris -qq -y --no-install-recommends "$@" 2>/dev/null) || return 1
  awk '{ n += $3 } END { printf "%d\n", n }' <<<"$uris"
}

packages_mb() {
  local bytes
  bytes=$(packages_bytes "$@") || return 1
  echo $(((bytes + 999999) / 1000000))
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env "$@"
  else
    sudo ${sudo_flag:+"$sudo_flag"} env "$@"
  fi
}

apt_get() {
  local keep=(DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8) name
  for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || keep+=("$name=${!name}")
  done
  as_root "${keep[@]}" apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=2 "$@"
}

packages_count() { if [ "$1" = 1 ]; then echo "1 package"; else echo "$1 packages"; fi; }

packages_refresh() {
  # apt-get update may exit 0 although a list could not be had: packages_install finds out
  step "reading the lists of packages" apt_get update -q ||
    die 3 "cannot read the lists of packages" "$(last_words)" "check the network and proxy, and /etc/apt"
}

packages_install() {
  local mb
  mb=$(packages_mb "$@") || {
    apt-get install --print-uris -qq -y --no-install-recommends "$@" >"$work/log" 2>&1 || true
    die 3 "apt cannot install: $*" "$(last_words)" \
      "check the network; on Ubuntu enable the component 'universe'; then 'apt-get update'"
  }
  step "installing $(packages_count $#) and what is needed with it ($mb MB to download)" \
    apt_get install -q -y --no-install-recommends "$@" ||
    die 3 "cannot install packages: $*" "$(last_words)" "check network and disk; 'dpkg --configure -a' heals a half installation"
}
