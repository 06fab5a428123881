#!/bin/sh
# Installs vram-validator, vram-miner and the other commands for the user who runs it, without root.
#
#     ./install.sh                              from the folder in which this file lies
#     ./install.sh --from WHERE [--version REF] from a git address, a folder or a tarball
#     ./install.sh --help                       everything else
#
# Deno comes by the SHA-256 that nitro/lock.json of the installed version pins, packages by its deno.lock. A version is
# made beside the ones that are there and put in force by renaming one file, last of all: whatever fails leaves the
# former version as it was. Keys and settings (~/.vramhub, data directories) are never touched, but that ~/.vramhub/.env
# is made where there is none.
set -eu
umask 022

COMMANDS='validator miner aggregator explorer trainer audit report cli'
MARK='# Made by install.sh of vramhub; it runs the version that lib/vramhub/current names.'
# What a version consists of: no .env, no key and no data directory of a checkout is copied.
PARTS='deno.json deno.lock install.sh LICENSE README.md SECURITY.md CONTRIBUTING.md enclave attestation host miner
  contracts nitro tests'

usage() {
  cat <<'TEXT'
Usage: install.sh [--from WHERE] [--version REF] [--prefix DIR] [--deno PATH]
       install.sh --list | --rollback | --uninstall [--prefix DIR]

Puts vram-validator, vram-miner, vram-aggregator, vram-explorer, vram-trainer, vram-audit, vram-report and vram-cli
into DIR/bin, for you alone.

  --from WHERE   a git address, a folder or a tarball; without it the folder of this file, or what was named last
  --version REF  a tag, branch or commit of a git source, or the id of a version that --list shows
  --prefix DIR   where to install; ~/.local without it
  --deno PATH    your own Deno of the pinned version, whose hash is not checked; where none is pinned (not Linux x86-64)
  --list         the installed versions
  --rollback     put the former version back in force
  --uninstall    remove the program; ~/.vramhub with your keys and settings stays
  --help         this text

VRAM_DENO_MIRROR is an address from which the pinned Deno is fetched instead of npm's registry; the hash decides.
DENO_DIR is where packages are kept; DIR/lib/vramhub/cache without it.
TEXT
}

fail() {
  echo "error: $*" >&2
  exit 1
}

misuse() {
  echo "error: $*; see $0 --help" >&2
  exit 2
}

has() {
  command -v "$1" >/dev/null 2>&1
}

if has sha256sum; then SHA256=sha256sum; else SHA256='shasum -a 256'; fi

# The value of "NAME" in the block "deno" of nitro/lock.json; of an array its first.
pinned() {
  awk -v name="\"$1\":" '
    $1 == "\"deno\":" { inside = 1 }
    inside && $1 == name { if ($2 == "[") getline; else $1 = ""; gsub(/[", \t]/, ""); print; exit }
  ' "$2/nitro/lock.json"
}

# Everything in this run's own folder goes, however the run ends.
clean_up() {
  [ -z "$new" ] || rm -rf "$new"
  [ -z "$locked" ] || rm -rf "$lib/lock"
  # A first installation that failed leaves no empty folders.
  [ -z "$locked" ] || [ -e "$lib/current" ] || rmdir "$lib/versions" "$lib/deno" "$lib" 2>/dev/null || true
}

lock() {
  mkdir -p "$lib/versions" "$lib/deno" || fail "cannot write to $prefix: choose another folder by --prefix"
  if ! mkdir "$lib/lock" 2>/dev/null; then
    holder=$(cat "$lib/lock/pid" 2>/dev/null || true)
    if [ -z "$holder" ] || kill -0 "$holder" 2>/dev/null; then
      fail "another install.sh is at work (process ${holder:-unknown}); where there is none, remove $lib/lock"
    fi
  fi
  locked=1
  mkdir -p "$lib/lock"
  echo $$ >"$lib/lock/pid"
}

is_ours() {
  [ "$(sed -n 2p "$1" 2>/dev/null)" = "$MARK" ]
}

# Where the program comes from, as $kind (git, folder, tarball) and $from.
find_source() {
  if [ -z "$from" ]; then
    own=$(cd "$(dirname "$0")" 2>/dev/null && pwd || true)
    case $own in
    "$lib"/*) ;;
    *) [ -f "$own/install.sh" ] && [ -f "$own/nitro/lock.json" ] && from=$own ;;
    esac
    [ -n "$from" ] || from=$(cat "$lib/source" 2>/dev/null) ||
      fail "name what to install: --from GIT-ADDRESS, FOLDER or TARBALL"
  fi
  case $from in -*) misuse "--from cannot begin with a hyphen: $from" ;; esac
  if [ -d "$from" ]; then
    from=$(cd "$from" && pwd)
    kind=folder
    [ -z "$ref" ] || kind=git
  elif [ -f "$from" ]; then
    from=$(cd "$(dirname "$from")" && pwd)/$(basename "$from")
    kind=tarball
    [ -z "$ref" ] || misuse "--version is for a git source: a tarball has one version"
  else
    case $from in
    *://* | *@*:*) kind=git ;;
    *) fail "there is no $from: --from takes a git address, a folder or a tarball" ;;
    esac
  fi
}

# The program's own files from $1 into $new/version/source.
take() {
  for part in nitro/lock.json deno.json host/cli/vramhub.ts; do
    [ -f "$1/$part" ] || fail "$from is not this project: it has no $part"
  done
  mkdir -p "$new/version/source"
  for part in $PARTS; do
    [ -e "$1/$part" ] || continue
    cp -R "$1/$part" "$new/version/source/" || fail "cannot copy $part"
  done
}

# Fetch the source; sets $id and $name.
fetch_source() {
  case $kind in
  git)
    has git || fail "git is needed for $from; a folder or a tarball needs none"
    GIT_TERMINAL_PROMPT=0 git clone --quiet -- "$from" "$new/clone" || fail "cannot clone $from"
    commit=
    for candidate in "${ref:-HEAD}" "origin/${ref:-HEAD}"; do
      commit=$(git -C "$new/clone" rev-parse --verify --quiet "$candidate^{commit}") && break
    done
    [ -n "$commit" ] || fail "there is no $ref in $from"
    git -C "$new/clone" checkout --quiet --detach "$commit" || fail "cannot check out $commit"
    take "$new/clone"
    id=g$(printf %.12s "$commit")
    name="$id ${ref:-HEAD} of $from"
    ;;
  folder)
    take "$from"
    ;;
  tarball)
    mkdir "$new/unpacked"
    tar -xof "$from" -C "$new/unpacked" 2>/dev/null || gzip -dc "$from" 2>/dev/null | tar -xof - -C "$new/unpacked" ||
      fail "cannot unpack $from"
    root=$new/unpacked
    [ -f "$root/deno.json" ] || root=$(dirname "$(ls "$new"/unpacked/*/deno.json 2>/dev/null | head -n 1)")
    take "$root"
    ;;
  esac
  if [ "$kind" != git ]; then
    # shellcheck disable=SC2086 # a command with its option
    digest=$(cd "$new/version/source" && find . -type f -exec $SHA256 {} + | LC_ALL=C sort | $SHA256)
    id=c$(printf %.12s "$digest")
    name="$id $from"
  fi
}

download() {
  if has curl; then
    curl -fsSL --retry 2 --connect-timeout 20 --max-filesize "$3" -o "$2" "$1"
  elif has wget; then
    wget -q -T 60 -O "$2" "$1"
  else
    fail "curl or wget is needed"
  fi
}

# The Deno that the version pins, as $deno.
fetch_deno() {
  source=$new/version/source
  wanted=$(pinned version "$source")
  if [ -n "$own_deno" ]; then
    found=$("$own_deno" --version 2>/dev/null | awk 'NR == 1 { print $2 }')
    [ "$found" = "$wanted" ] || fail "$own_deno is ${found:-no Deno}: this version runs on Deno $wanted"
    deno=$(command -v "$own_deno")
    case $deno in /*) ;; *) deno=$(pwd)/$deno ;; esac
    return
  fi
  [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] ||
    fail "Deno $wanted is pinned for Linux x86-64 alone: elsewhere name yours by --deno PATH (npm install -g deno@$wanted)"
  hash=$(pinned sha256 "$source")
  size=$(pinned size "$source")
  url=$(pinned urls "$source")
  [ ${#hash} -eq 64 ] && [ -n "$url" ] || fail "nitro/lock.json of $from pins no Deno"
  deno=$lib/deno/$hash/deno
  [ ! -x "$deno" ] || return 0
  [ -z "${VRAM_DENO_MIRROR:-}" ] || url=${VRAM_DENO_MIRROR%/}/$(basename "$url")
  echo "fetching Deno $wanted, $((size / 1000000)) MB"
  mkdir "$new/deno"
  download "$url" "$new/deno.tgz" "$size" || fail "cannot fetch Deno from $url; VRAM_DENO_MIRROR names another place"
  [ "$($SHA256 "$new/deno.tgz" | cut -c1-64)" = "$hash" ] ||
    fail "what $url serves is not the pinned Deno: another SHA-256 than $hash"
  gzip -dc "$new/deno.tgz" | tar -xof - -C "$new/deno" package/deno || fail "cannot unpack Deno"
  chmod 755 "$new/deno/package/deno"
  "$new/deno/package/deno" --version >/dev/null 2>&1 ||
    fail "the pinned Deno does not run here: it needs glibc 2.27 or later; name yours by --deno PATH"
  mv "$new/deno/package" "$lib/deno/$hash"
}

# Packages of the commands by deno.lock, and a first call, before anything is in force.
prepare() {
  ln -s "$deno" "$new/version/deno"
  printf '%s\n' "$DENO_DIR" >"$new/version/deno-dir"
  printf '%s\n' "$name" >"$new/version/name"
  entries=
  for command in $COMMANDS; do entries="$entries host/cli/$(module_of "$command").ts"; done
  echo "fetching packages by deno.lock"
  # shellcheck disable=SC2086 # paths of ours, without blanks
  (cd "$new/version/source" && "$deno" install --quiet --frozen --entrypoint $entries) >"$new/log" 2>&1 || {
    tail -n 5 "$new/log" >&2
    fail "cannot fetch the packages"
  }
  # The explorer bundles its page when it starts; Deno fetches what it bundles with, once.
  page=host/explorer/page/main.ts
  if [ -f "$new/version/source/$page" ] && ! (cd "$new/version/source" &&
    "$deno" bundle --quiet --platform browser --config deno.json --output "$new/page.js" "$page") >"$new/log" 2>&1; then
    echo "warning: vram-explorer will fetch its bundler from npm at its first start" >&2
  fi
  for command in $COMMANDS; do
    call "$new/version" "$(module_of "$command")" --help >/dev/null
  done
  template "$new/version"
}

# Call command $2 of the version in $1: nothing of this user's is read for it.
call() {
  (
    version=$1 module=$2
    shift 2
    cd "$new" && env -i PATH="$PATH" HOME="$new" DENO_DIR="$(cat "$version/deno-dir")" NO_COLOR=1 \
      "$version/deno" run -A --quiet --cached-only "$version/source/host/cli/$module.ts" "$@" 2>"$new/log"
  ) || {
    tail -n 5 "$new/log" >&2
    fail "version $id does not start"
  }
}

# What the version in $1 says that settings are.
template() {
  (umask 077 && call "$1" vramhub config --template >"$new/env") || exit 1
}

module_of() {
  if [ "$1" = cli ]; then echo vramhub; else echo "$1"; fi
}

check_bin() {
  mkdir -p "$bin" && [ -w "$bin" ] || fail "cannot write to $bin: choose another folder by --prefix"
  for command in $COMMANDS install; do
    [ ! -e "$bin/vram-$command" ] || is_ours "$bin/vram-$command" ||
      fail "$bin/vram-$command is somebody else's: move it away, or choose another folder by --prefix"
  done
}

# One wrapper a command. It names no version, so a switch is one rename and reaches all of them at once.
write_wrapper() {
  cat >"$new/wrapper" <<TEXT
#!/bin/sh
$MARK
lib='$lib'
id=\$(cat "\$lib/current" 2>/dev/null) || {
  echo "error: no version is in force: run install.sh" >&2
  exit 1
}
here=\$lib/versions/\$id
TEXT
  if [ "$1" = install ]; then
    echo "exec sh \"\$here/source/install.sh\" --prefix '$prefix' \"\$@\"" >>"$new/wrapper"
  else
    cat >>"$new/wrapper" <<TEXT
if [ "\${1-}" = --version ]; then
  exec cat "\$here/name"
fi
DENO_DIR=\$(cat "\$here/deno-dir")
DENO_NO_UPDATE_CHECK=1
VRAM_INSTALLED=1
export DENO_DIR DENO_NO_UPDATE_CHECK VRAM_INSTALLED
exec "\$here/deno" run -A --quiet "\$here/source/host/cli/$(module_of "$1").ts" "\$@"
TEXT
  fi
  chmod 755 "$new/wrapper"
  mv -f "$new/wrapper" "$bin/vram-$1"
}

# Put $1 in force; what was in force becomes the former version.
activate() {
  current=$(cat "$lib/current" 2>/dev/null || true)
  if [ "$current" != "$1" ]; then
    [ -z "$current" ] || { printf '%s\n' "$current" >"$new/previous" && mv -f "$new/previous" "$lib/previous"; }
    printf '%s\n' "$1" >"$new/current"
    mv -f "$new/current" "$lib/current"
  fi
  echo "in force: $(cat "$lib/versions/$1/name")"
}

# The settings file, made once: a link never replaces what is there.
write_settings() {
  [ ! -e "$HOME/.vramhub/.env" ] || return 0
  [ -f "$new/env" ] || template "$lib/versions/$id"
  [ -d "$HOME/.vramhub" ] || mkdir -m 700 "$HOME/.vramhub" || fail "cannot make $HOME/.vramhub"
  cp "$new/env" "$HOME/.vramhub/.env.$$"
  chmod 600 "$HOME/.vramhub/.env.$$"
  if ln "$HOME/.vramhub/.env.$$" "$HOME/.vramhub/.env" 2>/dev/null; then
    echo "settings: $HOME/.vramhub/.env"
  fi
  rm -f "$HOME/.vramhub/.env.$$"
}

install() {
  check_bin
  if [ -n "$ref" ] && [ -z "$from" ] && [ -f "$lib/versions/$ref/name" ]; then
    id=$ref
  else
    find_source
    fetch_source
    if [ ! -d "$lib/versions/$id" ]; then
      fetch_deno
      prepare
      mv "$new/version" "$lib/versions/$id"
    fi
    printf '%s\n' "$from" >"$new/from" && mv -f "$new/from" "$lib/source"
  fi
  write_settings
  for command in $COMMANDS install; do write_wrapper "$command"; done
  activate "$id"
  case :$PATH: in
  *":$bin:"*) ;;
  *) echo "add this line to your shell's profile: export PATH=\"$bin:\$PATH\"" ;;
  esac
  echo "try it: vram-validator --test-mode --model tiny --windows 3"
}

rollback() {
  former=$(cat "$lib/previous" 2>/dev/null) || fail "there is no former version"
  [ -f "$lib/versions/$former/name" ] || fail "the former version, $former, is no longer there"
  activate "$former"
}

list() {
  current=$(cat "$lib/current" 2>/dev/null) || fail "nothing is installed in $prefix"
  for version in "$lib"/versions/*/name; do
    found=$(basename "$(dirname "$version")")
    if [ "$found" = "$current" ]; then echo "* $(cat "$version")"; else echo "  $(cat "$version")"; fi
  done
}

uninstall() {
  [ -f "$lib/current" ] || fail "nothing is installed in $prefix"
  for command in $COMMANDS install; do
    ! is_ours "$bin/vram-$command" || rm -f "$bin/vram-$command"
  done
  rm -rf "$lib"
  locked=
  echo "removed $lib and its commands; $HOME/.vramhub with your keys and settings stays"
}

main() {
  from= ref= prefix= own_deno= action=install new= locked=
  while [ $# -gt 0 ]; do
    case $1 in
    --from | --version | --prefix | --deno)
      [ $# -gt 1 ] && [ -n "$2" ] || misuse "$1 needs a value"
      case $1 in
      --from) from=$2 ;;
      --version) ref=$2 ;;
      --prefix) prefix=$2 ;;
      --deno) own_deno=$2 ;;
      esac
      shift
      ;;
    --list | --rollback | --uninstall) action=${1#--} ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) misuse "unknown: $1" ;;
    esac
    shift
  done
  case $ref in -*) misuse "--version cannot begin with a hyphen: $ref" ;; */../* | ../* | .) misuse "no version: $ref" ;; esac
  [ -n "${HOME:-}" ] && [ -d "$HOME" ] || fail "HOME names no folder"
  prefix=${prefix:-$HOME/.local}
  case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
  case $prefix in *[\'\"\\\$\`]*) misuse "--prefix cannot have quotes in it: $prefix" ;; esac
  lib=$prefix/lib/vramhub
  bin=$prefix/bin
  if [ "$action" = list ]; then
    list
    return
  fi
  DENO_DIR=${DENO_DIR:-$lib/cache}
  DENO_NO_UPDATE_CHECK=1
  export DENO_DIR DENO_NO_UPDATE_CHECK
  if [ "$action" != install ] && [ ! -f "$lib/current" ]; then fail "nothing is installed in $prefix"; fi
  trap clean_up EXIT
  trap 'exit 130' HUP INT TERM
  lock
  new=$(mktemp -d "$lib/new.XXXXXX") || fail "cannot write to $lib"
  "$action"
}

# Nothing runs before all of this file has been read: a download that was cut does nothing.
main "$@"
