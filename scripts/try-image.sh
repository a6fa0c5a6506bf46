#!/usr/bin/env bash
# Builds the container image and runs it where there is no container engine: `sudo scripts/try-image.sh [FOLDER]`.
# With RUN_ONLY=1 it runs again what it built into FOLDER before.
# `buildah` executes deploy/docker/Dockerfile in a chroot. In place of the base image from Docker Hub stands a Debian root
# made by debootstrap, with this machine's npm and the Node of package.json. The result runs in namespaces: as the image's
# user, with a read-only root, without capabilities. Needs Debian's buildah, debootstrap and util-linux, a network and
# 4 GB in FOLDER (default: a new one in /tmp, removed at the end). Prints a line for each check; ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
base=node:24-bookworm-slim
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
work=${1:-$(mktemp -d)}
leave() {
  [ -z "${outer:-}" ] || kill -KILL "$outer" 2>/dev/null || true
  [ -z "${encoder:-}" ] || kill -KILL "$encoder" 2>/dev/null || true
  [ -n "$keeps" ] || rm -rf "$work"
}
keeps=${1:-}
trap leave EXIT
mkdir -p "$work"
failed=0

say() { printf '%-6s %s\n' "$1" "$2"; }
check() { # check WHAT COMMAND…
  local what=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then say ok "$what"; else
    failed=1
    say FAILED "$what"
    tail -5 "$work/check.log"
  fi
}
refused() { ! "$@"; }

# --- the image -------------------------------------------------------------------------------------------------------

cat >"$work/storage.conf" <<CONF
[storage]
driver = "vfs"
graphroot = "$work/storage"
runroot = "$work/run"
CONF
export CONTAINERS_STORAGE_CONF=$work/storage.conf BUILDAH_ISOLATION=chroot
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
buildah() { command buildah "$@"; }

make_base() {
  [ -e "$work/base/usr/bin/apt-get" ] || debootstrap --variant=minbase bookworm "$work/base" "$mirror"
  cp /etc/apt/sources.list.d/debian.sources "$work/base/etc/apt/sources.list.d/" && rm -f "$work/base/etc/apt/sources.list"
  install -D "$project/node_modules/node/bin/node" "$work/base/usr/local/bin/node"
  mkdir -p "$work/base/usr/local/lib/node_modules"
  cp -a "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")" "$work/base/usr/local/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$work/base/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$work/base/usr/local/bin/npx"
  # Debian's images for containers keep no downloaded packages.
  echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >"$work/base/etc/apt/apt.conf.d/docker-clean"
  rm -f "$work/base"/var/cache/apt/archives/*.deb
  local container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$work/base" /
  buildah commit --quiet "$container" "localhost/$base"
  buildah rm "$container"
}

build() {
  rm -rf "$work/context" && mkdir "$work/context"
  git archive HEAD | tar -x -C "$work/context"
  local volumes=()
  # The authorities that this machine trusts are not part of the image.
  echo "cafile=/etc/ssl/certs/ca-certificates.crt" >"$work/npmrc"
  volumes+=(-v "$work/npmrc:/usr/local/etc/npmrc:ro")
  volumes+=(-v /etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro)
  buildah bud --pull=never --format docker --layers=false --signature-policy "$work/policy.json" "${volumes[@]}" \
    -f "$work/context/deploy/docker/Dockerfile" -t fanfare "$work/context"
}

unpack() {
  local container
  container=$(buildah from --pull=never localhost/fanfare)
  rm -rf "$work/root" && cp -a "$(buildah mount "$container")" "$work/root"
  buildah rm "$container"
  buildah inspect --type image localhost/fanfare >"$work/image.json"
}

if [ "${RUN_ONLY:-}" = "" ]; then
  buildah images --quiet "localhost/$base" >/dev/null 2>&1 || {
    say build "the base: $base"
    (set -e; make_base) >"$work/base.log" 2>&1 || { tail -30 "$work/base.log"; exit 1; }
  }
  say build "deploy/docker/Dockerfile of $(git rev-parse --short HEAD)"
  build >"$work/build.log" 2>&1 || { tail -30 "$work/build.log"; exit 1; }
  grep -E '^STEP |^\[[0-9]/[0-9]\] STEP ' "$work/build.log" | sed 's/^/       /'
  unpack >"$work/unpack.log" 2>&1
fi
say built "$(du -sm "$work/root" | cut -f1) MB, of these $(du -sm "$work/root/app/node_modules" | cut -f1) MB packages"

# --- the container ---------------------------------------------------------------------------------------------------

of_image() { node -e 'const {config} = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).Docker; console.log(eval(process.argv[2]))' "$work/image.json" "$1"; }
user=$(of_image 'config.User')
uid=$(chroot "$work/root" id -u "$user")
gid=$(chroot "$work/root" id -g "$user")
mapfile -t entrypoint < <(of_image 'config.Entrypoint.join("\n")')
mapfile -t image_env < <(of_image 'config.Env.join("\n")')
mapfile -t health < <(of_image 'config.Healthcheck.Test.slice(1).join("\n")')
folder=$(of_image 'config.WorkingDir')
secret=$(head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n')
env=("${image_env[@]}" FANFARE_ACCESS_KEY=TRYIMAGE FANFARE_SECRET_KEY="$secret")
# A volume gets the owner of the folder that it covers.
rm -rf "$work/data" && mkdir "$work/data" && chown "$uid:$gid" "$work/data" && chmod 0700 "$work/data"

start() {
  ROOT=$work/root DATA=$work/data unshare --mount --pid --net --fork --kill-child bash -ec '
    ip link set lo up
    mount --bind "$ROOT" "$ROOT"
    mount --bind "$DATA" "$ROOT/data"
    mount -t tmpfs tmpfs "$ROOT/tmp"
    mount -t proc proc "$ROOT/proc"
    mount --rbind /dev "$ROOT/dev"
    mount -o remount,bind,ro "$ROOT"
    exec chroot "$ROOT" /usr/bin/setpriv --reuid "$1" --regid "$2" --clear-groups --no-new-privs --bounding-set=-all \
      /usr/bin/env -i -C "'"$folder"'" "${@:3}"' \
    _ "$uid" "$gid" "${env[@]}" "${entrypoint[@]}" >>"$work/out.log" 2>&1 &
  outer=$!
  until inner=$(pgrep -P "$outer") && [ "$(cat "/proc/$inner/comm")" = tini ]; do
    kill -0 "$outer" 2>/dev/null || { tail -5 "$work/out.log"; exit 1; }
    sleep 0.1
  done
}
inside() { nsenter -t "$inner" -m -p -n chroot --userspec="$uid:$gid" --groups= "$work/root" /usr/bin/env -i -C "$folder" "${env[@]}" "$@"; }
healthy() { inside "${health[@]}"; }
within() { # within SECONDS COMMAND…
  local until=$((SECONDS + $1))
  shift
  until "$@"; do [ "$SECONDS" -lt "$until" ] && sleep 0.2 || return 1; done
}
cli() { inside FANFARE_URL=http://127.0.0.1:8080 node dist/cli/main.js "$@"; }
ended() { wait "$outer"; }

: >"$work/out.log"
start
check "the health check of the image succeeds" within 30 healthy
check "it runs as user $uid" grep -qE "^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$" "/proc/$inner/status"
check "it has no capability" grep -qE '^CapEff:\s+0+$' "/proc/$inner/status"
check "it cannot get more rights" grep -qE '^NoNewPrivs:\s+1$' "/proc/$inner/status"
read_only() {
  local said
  said=$("$@" 2>&1) || true
  echo "$said"
  grep -q "Read-only file system" <<<"$said"
}
check "its root cannot be written" read_only inside touch /app/written
check "not even by root" read_only nsenter -t "$inner" -m -p -n chroot "$work/root" touch /app/written
check "its data are in /data, for nobody else" test "$(stat -c %u:%a "$work/data/fanfare.db")" = "$uid:600"
check "it has no development package" test ! -e "$work/root/app/node_modules/vitest"
channel=$(inside node -e '
  const headers = { authorization: `Bearer ${process.env.FANFARE_SECRET_KEY}`, "content-type": "application/json" };
  const platform = { targetName: "CUSTOM", rtmpUrl: "rtmp://10.0.0.99/app", streamKey: "a" };
  const body = JSON.stringify({ channelName: "tried", planType: "STANDARD", envType: "REAL", restream: [platform] });
  const answer = await (await fetch("http://127.0.0.1:8080/api/v2/re-stream/channels", { method: "POST", headers, body })).json();
  console.log(`${answer.content.channelId} ${answer.content.streamKey}`);' --input-type=module)
read -r channel_id key <<<"$channel"
inside ffmpeg -v error -re -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine=sample_rate=48000 -t 600 \
  -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac -f flv "rtmp://127.0.0.1:1935/relay/$key" >"$work/ffmpeg.log" 2>&1 &
encoder=$!
on_air() { [ "$(cli channels --json | node -e 'let t="";process.stdin.on("data",(d)=>t+=d).on("end",()=>console.log(JSON.stringify(JSON.parse(t)).includes("\"isPublishing\":true")))')" = true ]; }
check "FFmpeg of the image publishes, and the channel is on air" within 30 on_air
before=$(date +%s%N)
kill -"$(of_image 'config.StopSignal ?? "SIGTERM"' | sed 's/^SIG//')" "$inner"
check "the image's stop signal ends it with 0" ended
took=$((($(date +%s%N) - before) / 1000000))
check "within 5 s ($took ms)" test "$took" -lt 5000
check "it stopped in order" grep -q '"stopped"' "$work/out.log"
kill "$encoder" 2>/dev/null || true
start
check "it starts again on the same data" within 30 healthy
still_there() {
  local said
  said=$(cli channels --json) && grep -q "$channel_id" <<<"$said"
}
check "the channel is still there" still_there
kill -TERM "$inner"
check "and it stops again with 0" ended
check "no secret is in its output" refused grep -q "$secret" "$work/out.log"
exit "$failed"
