# Sourced by the scripts try-*.sh that run the image. It stands in for a container engine: a container is a process in
# namespaces, on the root that try-image.sh has built, as the image's configuration says. Needs checks.sh, $work (the folder
# of try-image.sh) and $state (a folder of the script's own). Seccomp and AppArmor profiles are not there.
image_root=$work/root
[ -d "$image_root/app" ] || { echo "$image_root is not there: run scripts/try-image.sh $work"; exit 1; }
mkdir -p "$state/out"

of_image() {
  node -e '
    const { config } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).Docker;
    for (const value of [eval(process.argv[2])].flat()) console.log(value);' "$work/image.json" "$1"
}
uid=$(chroot "$image_root" id -u "$(of_image config.User)")
gid=$(chroot "$image_root" id -g "$(of_image config.User)")
mapfile -t image_env < <(of_image config.Env)
mapfile -t entrypoint < <(of_image config.Entrypoint)
mapfile -t health < <(of_image 'config.Healthcheck.Test.slice(1)')
folder=$(of_image config.WorkingDir)
stop_signal=$(of_image 'config.StopSignal ?? "SIGTERM"')

# --- networks --------------------------------------------------------------------------------------------------------

net=fanfare-try-$$
pids=()
# Processes of each container by its name: outside its namespaces, and number 1 inside.
declare -A outer inner

remove_all() {
  # Bash would print a line for each process that it kills.
  exec 2>/dev/null
  local pid namespace
  for pid in "${pids[@]}" "${outer[@]}"; do kill -KILL "$pid" || true; done
  for namespace in $(ip netns list | awk -v net="$net-" 'index($1, net) == 1 { print $1 }'); do
    ip netns pids "$namespace" | xargs -r kill -KILL || true
    ip netns delete "$namespace" || true
  done
}
trap remove_all EXIT

bridge() { # bridge ADDRESS/BITS: the host's side of a network, a namespace of its own
  ip netns add "$net-host"
  ip -n "$net-host" link set lo up
  ip -n "$net-host" link add br0 type bridge
  ip -n "$net-host" addr add "$1" dev br0
  ip -n "$net-host" link set br0 up
  echo "127.0.0.1 localhost" >"$state/hosts"
}
connect() { # connect NAME ADDRESS/BITS: a namespace on the bridge; all names are in the file `hosts`
  ip netns add "$net-$1"
  ip -n "$net-host" link add name "to-$1" type veth peer name eth0 netns "$net-$1"
  ip -n "$net-host" link set "to-$1" master br0 up
  ip -n "$net-$1" addr add "$2" dev eth0
  ip -n "$net-$1" link set eth0 up
  ip -n "$net-$1" link set lo up
  echo "${2%/*} $1" >>"$state/hosts"
}
on() { # on NAME COMMAND…: in that network
  local name=$1
  shift
  nsenter --net="/run/netns/$net-$name" "$@"
}
forward() { # forward ADDRESS PORT…: a port "8080:8080" of the host leads to that address
  local address=$1 rules="" port
  shift
  for port in "$@"; do rules+=" tcp dport ${port%:*} dnat to $address:${port#*:};"; done
  on host nft "table ip nat { chain out { type nat hook output priority -100; $rules }; }"
}

# --- containers ------------------------------------------------------------------------------------------------------

# container NAME OPTION…, in the network of that name. Options: --read-only, --drop-capabilities, --no-new-privileges,
# --nofile=NUMBER, --user=UID:GID, --tmpfs=PATH, --volume=FOLDER:PATH[:ro], --env=NAME=VALUE, and --command=WORD for each word
# of a command in place of the image's. Its output goes to $state/out/NAME.
container() {
  local name=$1 as=$uid:$gid read_only="" nofile="" mounts=() rights=() env=("${image_env[@]}") command=() option value from to
  for option in "${@:2}"; do
    value=${option#*=}
    case $option in
      --read-only) read_only=yes ;;
      --drop-capabilities) rights+=(--bounding-set=-all --inh-caps=-all) ;;
      --no-new-privileges) rights+=(--no-new-privs) ;;
      --nofile=*) nofile=$value ;;
      --user=*) as=$value ;;
      --tmpfs=*) mounts+=("tmpfs:$value") ;;
      --volume=*) mounts+=("$value") ;;
      --env=*) env+=("$value") ;;
      --command=*) command+=("$value") ;;
      *) echo "container: unknown option $option" && exit 1 ;;
    esac
  done
  [ "${#command[@]}" -gt 0 ] || command=("${entrypoint[@]}")
  [ -e "$image_root/etc/hosts" ] || : >"$image_root/etc/hosts"
  for option in "${mounts[@]}"; do
    IFS=: read -r from to _ <<<"$option"
    mkdir -p "$image_root$to"
    # A new volume gets the owner and mode of the folder that it covers.
    [ "$from" = tmpfs ] || [ -e "$from" ] || { mkdir -p "$from" && chown --reference="$image_root$to" "$from" && chmod --reference="$image_root$to" "$from"; }
  done
  nsenter --net="/run/netns/$net-$name" unshare --mount --pid --fork --kill-child bash -ec '
    root=$1 hosts=$2 read_only=$3 nofile=$4 count=$5
    shift 5
    mount --bind "$root" "$root"
    while [ "$count" -gt 0 ]; do
      IFS=: read -r from to mode <<<"$1"
      if [ "$from" = tmpfs ]; then mount -t tmpfs tmpfs "$root$to"; else mount --bind "$from" "$root$to"; fi
      [ "$mode" != ro ] || mount -o remount,bind,ro "$root$to"
      shift
      count=$((count - 1))
    done
    mount --bind "$hosts" "$root/etc/hosts"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    [ -z "$read_only" ] || mount -o remount,bind,ro "$root"
    [ -z "$nofile" ] || ulimit -n "$nofile" 2>/dev/null || ulimit -n "$(ulimit -Hn)"
    exec chroot "$root" "$@"' \
    _ "$image_root" "$state/hosts" "$read_only" "$nofile" "${#mounts[@]}" "${mounts[@]}" \
    /usr/bin/setpriv --reuid "${as%:*}" --regid "${as#*:}" --clear-groups "${rights[@]}" \
    /usr/bin/env -i -C "$folder" "${env[@]}" "${command[@]}" >>"$state/out/$name" 2>&1 &
  outer[$name]=$!
  until inner[$name]=$(pgrep -P "${outer[$name]}") && runs "${inner[$name]}" "${command[0]}"; do
    # One that has a short task may be over already.
    kill -0 "${outer[$name]}" 2>/dev/null || return 0
    sleep 0.1
  done
}
runs() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$(basename "$2")" ]; }
inside() { # inside NAME COMMAND…: as the image's user, with the container's environment
  local name=$1 env
  shift
  mapfile -d '' -t env <"/proc/${inner[$name]}/environ"
  nsenter -t "${inner[$name]}" -m -p -n chroot --userspec="$uid:$gid" --groups= "$image_root" \
    /usr/bin/env -i -C "$folder" "${env[@]}" "$@"
}
healthy() { inside "$1" "${health[@]}"; }
# Sends the image's signal to stop.
stop() { kill -s "$stop_signal" "${inner[$1]}"; }
# The exit code of a container that ended.
ended() { wait "${outer[$1]}"; }
# Kills all of a container at once, as a machine that runs out of memory does.
crash() { kill -KILL "$(pgrep -P "${inner[$1]}")" "${inner[$1]}"; }
