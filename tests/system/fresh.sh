#!/bin/bash
# ./dev demo and ./dev check in a Debian 12 that has nothing but git, from a clean clone of HEAD.
# The archive is the one this machine uses for bookworm. FRESH_KEEP=1 leaves the folder behind.
set -eu -o pipefail

verbs=${*:-demo check}
top=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "fresh: needs root" >&2; exit 1; }

mirror=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' 2>/dev/null |
	awk '$1 == "bookworm" { print $2; exit }')
mirror=${mirror:-http://deb.debian.org/debian}
root=$(mktemp -d "${TMPDIR:-/var/tmp}/bsserver-fresh.XXXXXX")
mounted=()

clean_up() {
	local i
	for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
		umount -l "${mounted[i]}" || echo "fresh: ${mounted[i]} stays mounted" >&2
	done
	mounted=()
	if [ "${FRESH_KEEP:-}" = 1 ]; then
		echo "fresh: kept $root"
	elif grep -qs " $root/" /proc/mounts; then
		echo "fresh: something is still mounted in $root, not removed" >&2
	else
		rm -rf --one-file-system "$root"
	fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# mount_in TYPE FOLDER OPTION...: remembered, so that clean_up finds it.
mount_in() {
	local type=$1 dir=$root$2
	shift 2
	mkdir -p "$dir"
	mount -t "$type" "$@" "$type" "$dir"
	mounted+=("$dir")
}

in_root() {
	env -u TMPDIR HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		chroot "$root" "$@"
}

# What apt here was told about proxies and keyrings for this one archive holds in there too.
copy_apt_settings() {
	apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https)::(Proxy|CAInfo)' \
		>"$root/etc/apt/apt.conf.d/80fresh" || true
	cp -n /usr/share/keyrings/debian-archive-*.gpg "$root/usr/share/keyrings/" 2>/dev/null || true
	[ ! -e /etc/ssl/certs/ca-certificates.crt ] || {
		mkdir -p "$root/etc/ssl/certs"
		cp -n /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	}
	cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
	cp /etc/hosts "$root/etc/hosts" 2>/dev/null || true
	printf 'deb %s bookworm main\n' "$mirror" >"$root/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
}

echo "== debootstrap bookworm from $mirror"
debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
	{ tail -20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
chmod 755 "$root"	# mktemp's 0700 would keep every other user of the new system out of its "/"
copy_apt_settings
mount_in proc /proc
mount_in sysfs /sys -o ro
mount_in tmpfs /dev -o mode=755,size=1m
while read -r name major minor; do
	mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done <<'EOF'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
EOF
ln -s /proc/self/fd "$root/dev/fd"
mount_in tmpfs /dev/shm -o mode=1777
mount_in devpts /dev/pts -o newinstance,ptmxmode=0666,mode=620
ln -s pts/ptmx "$root/dev/ptmx"

[ -z "$(git -C "$top" status --porcelain)" ] || echo "fresh: changes that are not committed are left out"
echo "== clone of $(git -C "$top" log -1 --format='%h %s')"
git clone -q --no-hardlinks "$top" "$root/root/bsserver"
in_root dpkg-query -W -f '${Package}\n' | wc -l | sed 's/$/ packages installed before/'
for verb in $verbs; do
	echo "== ./dev $verb"
	in_root sh -c "cd /root/bsserver && ./dev $verb" </dev/null
done
echo "fresh: all of it passed"
