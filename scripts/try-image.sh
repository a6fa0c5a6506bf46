#!/usr/bin/env bash
# Builds the container image and runs it where there is no container engine: `sudo scripts/try-image.sh [FOLDER]`.
# With RUN_ONLY=1 it runs again what it built into FOLDER before.
# `buildah` executes deploy/docker/Dockerfile in a chroot. In place of the base images from Docker Hub stand Debian roots
# made by debootstrap and made as small as those, one of them with this machine's npm and the Node of package.json. The
# result runs in namespaces (image/container.sh): as the image's user, with a read-only root, without capabilities. Needs
# Debian's buildah, debootstrap and util-linux, a network and 15 GB in FOLDER (default: a new one in /tmp, removed at the end).
# Prints a line for each check; ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
work=${1:-$(mktemp -d)}
keeps=${1:-}
mkdir -p "$work"
log=$work/check.log
# shellcheck source=scripts/image/checks.sh
. scripts/image/checks.sh

# --- the image -------------------------------------------------------------------------------------------------------

cat >"$work/storage.conf" <<CONF
[storage]
driver = "${STORAGE_DRIVER:-vfs}"
graphroot = "$work/storage"
runroot = "$work/run"
CONF
export CONTAINERS_STORAGE_CONF=$work/storage.conf BUILDAH_ISOLATION=chroot
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"

# Debian's images for containers leave these out of every package, and keep no lists and no downloaded packages.
SLIM='path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/lintian/overrides/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/man/*'

make_slim() { # make_slim ROOT: a Debian root like debian:bookworm-slim
  local root=$1 path
  [ -e "$root/usr/bin/apt-get" ] || debootstrap --variant=minbase bookworm "$root" "$mirror"
  cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/" && rm -f "$root/etc/apt/sources.list"
  echo "$SLIM" >"$root/etc/dpkg/dpkg.cfg.d/docker"
  echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >"$root/etc/apt/apt.conf.d/docker-clean"
  echo 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' >>"$root/etc/apt/apt.conf.d/docker-clean"
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  for path in info linda lintian/overrides locale groff man; do rm -rf "$root/usr/share/$path"; done
  rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log
}
import() { # import ROOT NAME
  local container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$1" /
  buildah commit --quiet "$container" "localhost/$2"
  buildah rm "$container"
}
make_bases() {
  make_slim "$work/base"
  import "$work/base" debian:bookworm-slim
  install -D "$project/node_modules/node/bin/node" "$work/base/usr/local/bin/node"
  mkdir -p "$work/base/usr/local/lib/node_modules"
  cp -a "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")" "$work/base/usr/local/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$work/base/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$work/base/usr/local/bin/npx"
  import "$work/base" node:24-bookworm-slim
}

build() { # build TAG FFMPEG
  # buildah 1.28 knows no stage whose name comes from an argument.
  sed "s/^FROM with-\${FFMPEG}$/FROM with-$2/" deploy/docker/Dockerfile >"$work/context/deploy/docker/Dockerfile"
  # The authorities that this machine trusts are not part of the image.
  echo "cafile=/etc/ssl/certs/ca-certificates.crt" >"$work/npmrc"
  buildah bud --pull=never --format docker --layers --signature-policy "$work/policy.json" \
    -v "$work/npmrc:/root/.npmrc:ro" -v /etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro \
    -f "$work/context/deploy/docker/Dockerfile" --build-arg "FFMPEG=$2" -t "$1" "$work/context"
}
unpack() { # unpack TAG ROOT
  local container
  container=$(buildah from --pull=never "localhost/$1")
  rm -rf "$2" && cp -a "$(buildah mount "$container")" "$2"
  buildah rm "$container"
}

if [ "${RUN_ONLY:-}" = "" ]; then
  # The Node of the package goes into the base image.
  node scripts/run.mjs install
  buildah images --quiet localhost/node:24-bookworm-slim >/dev/null 2>&1 || {
    say build "the bases: debian:bookworm-slim, node:24-bookworm-slim"
    # Not `make_bases || …`: behind that bash goes on after a command that fails.
    make_bases >"$work/base.log" 2>&1 & wait $! || { tail -30 "$work/base.log"; exit 1; }
  }
  rm -rf "$work/context" && mkdir "$work/context"
  git archive HEAD | tar -x -C "$work/context"
  say build "deploy/docker/Dockerfile of $(git rev-parse --short HEAD)"
  build fanfare own >"$work/build.log" 2>&1 || { tail -30 "$work/build.log"; exit 1; }
  grep -E '^\[[0-9]/[0-9]\] STEP ' "$work/build.log" | cut -c1-120 | sed 's/^/       /'
  unpack fanfare "$work/root" >"$work/unpack.log" 2>&1
  buildah inspect --type image localhost/fanfare >"$work/image.json"
  say build "with FFMPEG=none"
  build fanfare-none none >"$work/build-none.log" 2>&1 || { tail -30 "$work/build-none.log"; exit 1; }
  unpack fanfare-none "$work/root-none" >"$work/unpack-none.log" 2>&1
fi
size() { du -smc "$@" | tail -1 | cut -f1; }
sizes() {
  local root=$1 libraries
  mapfile -t libraries < <(chroot "$root" dpkg -L libaom3 libdav1d6 libmp3lame0 libnuma1 libopus0 libx264-164 libx265-199 2>/dev/null | grep '\.so' | sed "s|^|$root|")
  say size "$(size "$root") MB: Node $(size "$root/usr/local/bin/node"), server and dashboard $(size "$root"/app/dist*), FFmpeg $(size "$root"/usr/local/lib "$root"/usr/local/bin/ff* 2>/dev/null || true), its codecs $([ "${#libraries[@]}" = 0 ] && echo 0 || size "${libraries[@]}"); the rest is Debian"
}
sizes "$work/root"
sizes "$work/root-none"
megabytes=$(size "$work/root")
check "it is smaller than 300 MB" test "$megabytes" -lt 300

# --- the container ---------------------------------------------------------------------------------------------------

state=$work/image
rm -rf "$state" && mkdir -p "$state"
# shellcheck source=scripts/image/container.sh
. scripts/image/container.sh
leave() {
  remove_all
  [ -n "$keeps" ] || rm -rf "$work"
}
trap leave EXIT
secret=$(new_secret)
bridge 10.0.0.254/24
connect fanfare 10.0.0.1/24
start() {
  container fanfare --read-only --drop-capabilities --no-new-privileges --tmpfs=/tmp --volume="$state/data:/data" \
    --env=FANFARE_ACCESS_KEY=TRYIMAGE --env=FANFARE_SECRET_KEY="$secret" "$@"
}
cli() { inside fanfare env FANFARE_URL=http://127.0.0.1:8080 node dist/cli/main.js "$@"; }
api() { on host node -e "$API" http://10.0.0.1:8080 "$secret" "$@"; }

start
check "the health check of the image succeeds" within 30 healthy fanfare
one=${inner[fanfare]}
check "it runs as user $uid" grep -qE "^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$" "/proc/$one/status"
check "and as group $gid" grep -qE "^Gid:\s+$gid\s+$gid\s+$gid\s+$gid$" "/proc/$one/status"
check "which are those of the manifests" test "$uid:$gid" = 10001:10001
check "it has no capability" grep -qE '^CapEff:\s+0+$' "/proc/$one/status"
check "it cannot get more rights" grep -qE '^NoNewPrivs:\s+1$' "/proc/$one/status"
read_only() {
  local said
  said=$("$@" 2>&1) || true
  echo "$said"
  grep -q "Read-only file system" <<<"$said"
}
check "its root cannot be written" read_only inside fanfare touch /app/written
check "not even by root" read_only nsenter -t "$one" -m -p -n chroot "$work/root" touch /app/written
check "its data are in /data, for nobody else" test "$(stat -c %u:%a "$state/data/fanfare.db")" = "$uid:600"
packages() { ls -x "$work/root/app/node_modules"; }
check "beside the bundle it has the one package with machine code" test "$(packages | tr -s ' ')" = "@koromix koffi"
doctor_says() {
  local said
  said=$(inside fanfare node dist/cli/main.js doctor) || true
  echo "$said"
  grep -q "$1" <<<"$said"
}
check "fanfare doctor finds FFmpeg" doctor_says /usr/local/bin/ffprobe
made=$(api POST /re-stream/channels "$A_CHANNEL")
channel_id=$(field "$made" channelId)
on host ffmpeg "${TEST_PICTURE[@]}" -t 600 "rtmp://10.0.0.1:1935/relay/$(field "$made" streamKey)" >"$state/out/ffmpeg" 2>&1 &
pids+=($!)
on_air() {
  local said
  said=$(cli channels --json) && grep -qE '"isPublishing": *true' <<<"$said"
}
check "FFmpeg publishes, and the channel is on air" within 30 on_air
before=$(date +%s%N)
stop fanfare
check "the image's stop signal ends it with 0" ended fanfare
took=$((($(date +%s%N) - before) / 1000000))
check "within 5 s ($took ms)" test "$took" -lt 5000
check "it stopped in order" grep -q '"stopped"' "$state/out/fanfare"
kill "${pids[-1]}" 2>/dev/null || true
check "the health check fails where the server is not there" refused on fanfare chroot "$work/root" "${health[@]}"
start
check "it starts again on the same data" within 30 healthy fanfare
still_there() {
  local said
  said=$(cli channels --json) && grep -q "$channel_id" <<<"$said"
}
check "the channel is still there" still_there
crash fanfare
check "kill -9 ends it" refused ended fanfare
start
check "it starts on what the kill left" within 30 healthy fanfare
check "the channel is still there" still_there
stop fanfare
check "and it stops again with 0" ended fanfare
check "no secret is in its output" refused grep -q "$secret" "$state/out/fanfare"

image_root=$work/root-none
start
check "with FFMPEG=none it starts on the same data" within 30 healthy fanfare
check "and fanfare doctor says that FFmpeg is missing" doctor_says "ffmpeg and ffprobe are not installed"
stop fanfare
check "it stops with 0" ended fanfare
exit "$failed"
