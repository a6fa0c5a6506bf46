#!/usr/bin/env bash
# Runs what deploy/docker/compose.cluster.yaml describes, where there is no container engine:
# `sudo scripts/try-compose.sh FOLDER`, after `scripts/try-image.sh FOLDER` has built the image into FOLDER.
# Each service is a process in a network namespace of its own with the address of the file. The nodes run from the image's
# root, read-only, as its user, with exactly the environment of the file. PostgreSQL, NATS and HAProxy are Debian's, with
# the commands and settings of the file. Prints a line for each check; ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: scripts/try-compose.sh FOLDER}
[ -d "$work/root/app" ] || { echo "$work/root is not there: run scripts/try-image.sh $work"; exit 1; }
export POSTGRES_PASSWORD=postgres1 NATS_PASSWORD=nats1
ns=fanfare-try-$$
state=$work/compose
rm -rf "$state" && mkdir -p "$state"/{out,secrets,postgres,data/a,data/b,data/c} && chmod 755 "$state"
failed=0
pids=()
bin=$(pg_config --bindir 2>/dev/null || echo /usr/lib/postgresql/15/bin)

say() { printf '%-6s %s\n' "$1" "$2"; }
check() {
  local what=$1
  shift
  if "$@" >"$state/check.log" 2>&1; then say ok "$what"; else
    failed=1
    say FAILED "$what"
    tail -5 "$state/check.log"
  fi
}
within() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do [ "$SECONDS" -lt "$until" ] && sleep 0.3 || return 1; done
}

# --- what the file says ----------------------------------------------------------------------------------------------

# compose EXPRESSION: of the services, with the operator's variables replaced as Compose does; one value a line.
compose() {
  node -e '
    const { parse } = require("yaml");
    const text = require("fs").readFileSync("deploy/docker/compose.cluster.yaml", "utf8");
    const filled = text.replaceAll(/\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}/g, (_, name, fallback) => process.env[name] ?? fallback);
    const { services } = parse(filled, { merge: true });
    for (const value of eval(process.argv[1])) console.log(value);' "$1"
}
of_image() { node -e 'const {config} = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).Docker; for (const value of eval(process.argv[2])) console.log(value)' "$work/image.json" "$1"; }
address() { case $1 in postgres) echo 10.0.0.20 ;; nats) echo 10.0.0.21 ;; *) compose "[services['$1'].networks.cluster.ipv4_address]" ;; esac; }

# --- the network -----------------------------------------------------------------------------------------------------

stop_all() {
  # Bash would print a line for each process that it kills.
  exec 2>/dev/null
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  for name in a b c haproxy nats postgres bridge; do
    ip netns pids "$ns-$name" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
    ip netns delete "$ns-$name" 2>/dev/null || true
  done
}
trap stop_all EXIT
ip netns add "$ns-bridge"
ip -n "$ns-bridge" link add br0 type bridge
ip -n "$ns-bridge" link set br0 up
echo "127.0.0.1 localhost" >"$state/hosts"
for name in postgres nats haproxy a b c; do
  ip netns add "$ns-$name"
  ip -n "$ns-bridge" link add name "to-$name" type veth peer name eth0 netns "$ns-$name"
  ip -n "$ns-bridge" link set "to-$name" master br0 up
  ip -n "$ns-$name" addr add "$(address "$name")/24" dev eth0
  ip -n "$ns-$name" link set eth0 up
  ip -n "$ns-$name" link set lo up
  echo "$(address "$name") $name" >>"$state/hosts"
done
on() { # on SERVICE COMMAND…: in its network
  local name=$1
  shift
  nsenter --net="/run/netns/$ns-$name" "$@"
}

# --- the services ----------------------------------------------------------------------------------------------------

user=$(of_image '[config.User]')
uid=$(chroot "$work/root" id -u "$user")
gid=$(chroot "$work/root" id -g "$user")
mapfile -t image_env < <(of_image 'config.Env')
mapfile -t entrypoint < <(of_image 'config.Entrypoint')
mapfile -t health < <(of_image 'config.Healthcheck.Test.slice(1)')
folder=$(of_image '[config.WorkingDir]')

mapfile -t command < <(compose 'services.secrets.command')
mkdir -p "$work/root/secrets"
unshare --mount --net bash -ec 'mount --bind "$1" "$2/secrets"; shift; root=$1; shift; exec chroot "$root" /usr/bin/env -i -C "$1" "${@:2}"' \
  _ "$state/secrets" "$work/root" "$folder" "${image_env[@]}" sh -ec "${command[0]}" >"$state/out/secrets" 2>&1
check "secrets: two files, for the image's user alone" test "$(stat -c %u:%a "$state/secrets"/* | sort -u)" = "$uid:600"

chown postgres "$state/postgres"
echo "$POSTGRES_PASSWORD" >"$state/password"
chmod 644 "$state/password"
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups -- "$@"; }
(cd / && as_postgres "$bin/initdb" -D "$state/postgres/data" -U fanfare -A scram-sha-256 --pwfile "$state/password") >"$state/out/initdb" 2>&1
echo "host all all 10.0.0.0/24 scram-sha-256" >>"$state/postgres/data/pg_hba.conf"
(cd / && on postgres setpriv --reuid postgres --regid postgres --clear-groups -- "$bin/postgres" -D "$state/postgres/data" -h '*' -k "$state/postgres") >"$state/out/postgres" 2>&1 &
pids+=($!)
check "postgres: its health check succeeds" within 30 on postgres pg_isready -h "$state/postgres" -U fanfare -d fanfare
PGPASSWORD=$POSTGRES_PASSWORD on postgres psql -q -h 10.0.0.20 -U fanfare -d postgres -c 'create database fanfare'

mapfile -t command < <(compose 'services.nats.command')
on nats /usr/sbin/nats-server "${command[@]}" >"$state/out/nats" 2>&1 &
pids+=($!)
check "nats: its health check succeeds" within 30 on nats node -e 'fetch("http://127.0.0.1:8222/healthz").then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))'

declare -A outer inner
start() {
  local name=$1 env
  mapfile -t env < <(compose "Object.entries(services['$name'].environment).map(([name, value]) => name + '=' + value)")
  chown "$uid:$gid" "$state/data/$name" && chmod 700 "$state/data/$name"
  nsenter --net="/run/netns/$ns-$name" unshare --mount --pid --fork --kill-child bash -ec '
    root=$1 data=$2 secrets=$3 hosts=$4 who=$5 folder=$6
    mount --bind "$root" "$root"
    mount --bind "$data" "$root/data"
    mount --bind "$secrets" "$root/secrets" && mount -o remount,bind,ro "$root/secrets"
    mount --bind "$hosts" "$root/etc/hosts"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -o remount,bind,ro "$root"
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
    exec chroot "$root" /usr/bin/setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups --no-new-privs \
      --bounding-set=-all /usr/bin/env -i -C "$folder" "${@:7}"' \
    _ "$work/root" "$state/data/$name" "$state/secrets" "$state/hosts" "$uid:$gid" "$folder" \
    "${image_env[@]}" "${env[@]}" "${entrypoint[@]}" >>"$state/out/$name" 2>&1 &
  outer[$name]=$!
  pids+=($!)
  until inner[$name]=$(pgrep -P "${outer[$name]}") && [ "$(cat "/proc/${inner[$name]}/comm")" = tini ]; do
    kill -0 "${outer[$name]}" 2>/dev/null || { tail -5 "$state/out/$name"; exit 1; }
    sleep 0.1
  done
}
inside() { # inside NODE COMMAND…
  local name=$1
  shift
  nsenter -t "${inner[$name]}" -m -p -n chroot --userspec="$uid:$gid" --groups= "$work/root" /usr/bin/env -i -C "$folder" "${image_env[@]}" "$@"
}
for name in a b c; do start "$name"; done
for name in a b c; do check "$name: the image's health check succeeds" within 60 inside "$name" "${health[@]}"; done

on haproxy /usr/sbin/haproxy -db -f deploy/haproxy/haproxy.cfg >"$state/out/haproxy" 2>&1 &
pids+=($!)

# --- what the cluster does -------------------------------------------------------------------------------------------

secret=$(sed -n 's/^  Secret key: //p' "$state"/out/{a,b,c} | head -1)
api() { # api METHOD PATH [BODY]: through HAProxy, as a client outside
  on haproxy node -e '
    const [secret, method, path, body] = process.argv.slice(1);
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    fetch(`http://10.0.0.10:8080/api/v2${path}`, { method, headers, body }).then(async (answer) => {
      console.log(await answer.text());
      process.exitCode = answer.ok ? 0 : 1;
    }, (error) => { console.error(error); process.exitCode = 1; });' "$secret" "$@"
}
check "the API answers through HAProxy" within 30 api GET /nodes
nodes_serving() { [ "$(api GET /nodes | grep -o '"nodeState":"SERVING"' | wc -l)" = "$1" ]; }
check "three nodes serve" within 30 nodes_serving 3
made=$(api POST /re-stream/channels '{"channelName":"tried","planType":"STANDARD","envType":"REAL","restream":[{"targetName":"CUSTOM","rtmpUrl":"rtmp://10.0.0.99/app","streamKey":"a"}]}')
key=$(node -p 'JSON.parse(process.argv[1]).content.streamKey' "$made")
publish() { while :; do on haproxy ffmpeg -v error -re -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine=sample_rate=48000 -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac -f flv "rtmp://10.0.0.10:1935/live/$key" || true; sleep 1; done; }
publish >"$state/out/ffmpeg" 2>&1 &
pids+=($!)
on_air() {
  local said
  said=$(api GET "/re-stream/channels?pageNo=1&pageSizeNo=20") && grep -q '"isPublishing":true' <<<"$said"
}
check "FFmpeg publishes through HAProxy, and the channel is on air" within 60 on_air
owner() { api GET /nodes | node -e 'let t="";process.stdin.on("data",(d)=>t+=d).on("end",()=>console.log(JSON.parse(t).content.find((one)=>one.channelCount>0&&one.nodeState==="SERVING")?.nodeId??""))'; }
owned() { [ -n "$(owner)" ]; }
within 30 owned
first=$(owner)
say "" "node $first carries it"
kill -KILL "$(pgrep -P "${inner[$first]}")" "${inner[$first]}"
elsewhere() { local now; now=$(owner) && [ -n "$now" ] && [ "$now" != "$first" ] && on_air; }
check "killed, another node carries it" within 60 elsewhere
say "" "node $(owner) carries it now"
start "$first"
check "the killed node serves again" within 60 nodes_serving 3
carrier=$(owner)
for name in a b c; do [ "$name" = "$carrier" ] || idle=$name; done
kill -TERM "${inner[$idle]}"
ended() { wait "${outer[$idle]}"; }
check "SIGTERM ends node $idle, which carries nothing, with 0" ended
check "the others go on" within 30 on_air
check "no password and no secret is in their output" bash -c "! grep -lE '$POSTGRES_PASSWORD|$NATS_PASSWORD' '$state'/out/{a,b,c}"
exit "$failed"
