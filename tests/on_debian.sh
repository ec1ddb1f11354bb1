#!/usr/bin/env bash
# Tries the README's two commands on a Debian made from nothing, in a folder: what a stranger's machine would say.
#   tests/on_debian.sh trixie|bookworm [folder]     as root; debootstrap is installed where it is missing
#   tests/on_debian.sh trixie --quick [folder]      the unit tests of a quick build in place of all tests
#
# A clean copy of HEAD goes in; packages come from this machine's own mirror. Every step's wall clock and processor
# seconds are printed, and the status is that of the first step that fails. The system is removed at the end, unless a
# folder was named: then it stays, and the next time it is used as it is.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

suite=${1:-}
case $suite in
  trixie | bookworm) shift ;;
  *)
    echo "on_debian: choose trixie or bookworm, and after it a folder if the system is to stay" >&2
    exit 2
    ;;
esac
quick=
if [ "${1:-}" = --quick ]; then
  quick=yes
  shift
fi
folder=${1:-}
if [ "$(id -u)" -ne 0 ]; then
  echo "on_debian: debootstrap and chroot need root" >&2
  exit 1
fi
command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq debootstrap >/dev/null; }

# The first mirror of Debian's main archive that this machine's apt knows.
mirror=$(apt-get indextargets --format '$(SITE) $(COMPONENT) $(LABEL)' |
  awk '$2 == "main" && $3 == "Debian" && !found {print $1; found = 1}')
if [ -z "$mirror" ]; then
  echo "on_debian: apt lists no mirror of Debian here: run apt-get update" >&2
  exit 1
fi

if [ -n "$folder" ]; then
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  remove=
else
  folder=$(mktemp -d)
  chmod 755 "$folder" # apt fetches as an account of its own
  remove=yes
fi
leave() {
  local place
  for place in dev proc; do
    if mountpoint -q "$folder/$place"; then umount -R "$folder/$place" || umount -R -l "$folder/$place"; fi
  done
  if [ -n "$remove" ]; then rm -rf --one-file-system "$folder"; fi
}
trap leave EXIT

TIMEFORMAT="== $suite: %R s, of processors %U + %S s"
step() {
  echo "== $suite: $*"
  time "$@"
}
inside() {
  chroot "$folder" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 \
    ${certificates:+NODE_EXTRA_CA_CERTS=/etc/certificates.pem} \
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$@"
}

[ -e "$folder/etc/debian_version" ] ||
  step debootstrap --variant=minbase --include=ca-certificates "$suite" "$folder" "$mirror" >/dev/null
mount -t proc proc "$folder/proc"
# Devices of its own: packages and tests run as root there, and this machine's are not theirs to change.
mount -t tmpfs -o mode=755 dev "$folder/dev"
mkdir "$folder/dev/pts" "$folder/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$folder/dev/pts"
mount -t tmpfs -o mode=1777 shm "$folder/dev/shm"
device() { mknod -m 666 "$folder/dev/$1" c "$2" "$3"; }
device null 1 3
device zero 1 5
device full 1 7
device random 1 8
device urandom 1 9
device tty 5 0
ln -s pts/ptmx "$folder/dev/ptmx"
ln -s /proc/self/fd "$folder/dev/fd"
number=0
for stream in stdin stdout stderr; do ln -s fd/$((number++)) "$folder/dev/$stream"; done
# npm packages come from where this machine has them from, with the authorities that it trusts.
certificates=${NODE_EXTRA_CA_CERTS:-}
if [ -n "$certificates" ]; then cp "$certificates" "$folder/etc/certificates.pem"; fi
clone=/srv/a_clone
rm -rf --one-file-system "${folder:?}$clone"
mkdir -p "$folder$clone"
git -C "$root" archive HEAD | tar -x -C "$folder$clone"

step inside sh -c "cd $clone && apps/quickstart.sh"
for picture in landscapes_surface.png landscapes_surface.svg; do
  if [ ! -s "$folder$clone/quickstart/$picture" ]; then
    echo "on_debian: quickstart left no $picture" >&2
    exit 1
  fi
done
if [ -n "$quick" ]; then
  step inside "$clone/apps/install_dependencies.sh" --tests
  step inside sh -c "cd $clone && apps/build.sh quick && ctest --preset quick -L unit -j $(nproc)"
else
  step inside sh -c "cd $clone && tests/run.sh"
fi
echo "$suite: both commands of the README passed"
