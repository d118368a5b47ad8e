#!/bin/sh
# Puts together the root of a box and becomes its systemd. Run by box.go.
#
#   boot.sh boot DIR CGROUP   as PID 1 of new mount, pid, net, ipc and uts namespaces
#   boot.sh sweep CGROUP      afterwards, in a mount namespace: removes the cgroup
#
# CGROUP is the name of a cgroup of our own, below that in which we were started.
set -eu

# in_cgroups DIR COMMAND...: runs COMMAND where DIR is the tree of cgroups (version
# 2) as this process sees it, and the working directory its own place in there.
in_cgroups() {
    mount -t cgroup2 cgroup2 "$1"
    (cd "$1/$(sed -n 's/^0:://p' /proc/self/cgroup)" && shift && "$@")
    umount "$1"
}
join() { mkdir "$1" && echo "$2" >"$1/cgroup.procs"; }
leave() { [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +; }

# What looks after real hardware, the console or the machine's own upkeep.
hardware='systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket
    systemd-udev-trigger.service systemd-modules-load.service systemd-sysctl.service
    systemd-random-seed.service systemd-remount-fs.service systemd-pstore.service
    systemd-binfmt.service systemd-hwdb-update.service kmod-static-nodes.service
    dev-hugepages.mount dev-mqueue.mount tmp.mount sys-kernel-debug.mount
    sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount
    proc-sys-fs-binfmt_misc.automount'
console='getty.target console-getty.service systemd-logind.service
    systemd-ask-password-console.path systemd-ask-password-wall.path'
upkeep='systemd-firstboot.service systemd-machine-id-commit.service
    systemd-update-done.service systemd-update-utmp.service
    systemd-update-utmp-runlevel.service systemd-journal-catalog-update.service
    ldconfig.service apt-daily.timer apt-daily-upgrade.timer man-db.timer
    dpkg-db-backup.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service'

# kernel_views ROOT: /proc and /sys, in which nothing of the whole machine can be changed.
kernel_views() {
    mount -t proc -o nosuid,nodev,noexec proc "$1/proc"
    for part in sys irq bus sysrq-trigger; do
        [ -e "$1/proc/$part" ] || continue
        mount --bind "$1/proc/$part" "$1/proc/$part"
        mount -o remount,bind,ro "$1/proc/$part"
    done
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$1/sys"
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$1/sys/fs/cgroup"
}

# devices ROOT: a /dev of harmless ones; the kernel's own devtmpfs is one for all.
devices() {
    mount -t tmpfs -o mode=755,nosuid tmpfs "$1/dev"
    for node in null:3 zero:5 full:7 random:8 urandom:9; do
        mknod -m 666 "$1/dev/${node%:*}" c 1 "${node#*:}"
    done
    mknod -m 666 "$1/dev/tty" c 5 0
    mkdir "$1/dev/pts" "$1/dev/shm" "$1/dev/mqueue"
    mount -t devpts -o newinstance,nosuid,noexec,ptmxmode=0666,mode=620,gid=5 devpts "$1/dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$1/dev/shm"
    mount -t mqueue mqueue "$1/dev/mqueue"
    ln -s pts/ptmx "$1/dev/ptmx"
    ln -s /proc/self/fd "$1/dev/fd"
    ln -s fd/0 "$1/dev/stdin"
    ln -s fd/1 "$1/dev/stdout"
    ln -s fd/2 "$1/dev/stderr"
}

# another_machine ROOT: nothing that the machine around us starts by itself.
another_machine() {
    etc=$1/etc
    rm -rf "$etc/systemd/system" "$etc/fstab" "$1/var/log/journal" "$1/var/lib/systemd" \
        "$1/.dockerenv" "$1/usr/sbin/policy-rc.d"
    mkdir -p "$1/var/lib/systemd" "$etc/systemd/system" "$etc/systemd/system-generators" \
        "$etc/systemd/journald.conf.d"
    tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
    for unit in $hardware $console $upkeep; do
        ln -s /dev/null "$etc/systemd/system/$unit"
    done
    for generator in "$1"/usr/lib/systemd/system-generators/*; do
        [ ! -e "$generator" ] || ln -sf /dev/null "$etc/systemd/system-generators/${generator##*/}"
    done
    printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n' >"$etc/systemd/journald.conf.d/box.conf"
    hostname box
    echo box >"$etc/hostname"
    printf '127.0.0.1 localhost box\n::1 localhost\n' >"$etc/hosts"
    : >"$etc/resolv.conf"
}

case $1 in
sweep)
    mount --make-rprivate /
    in_cgroups /mnt leave "$2"
    exit
    ;;
boot)
    dir=$2
    mount --make-rprivate /
    mount -t tmpfs -o mode=755 tmpfs /run # mount keeps notes there
    in_cgroups "$dir/root" join "$3" 0
    # Only now: the cgroup that we are in becomes the top of what the box sees.
    exec unshare --cgroup /bin/sh "$0" inside "$dir"
    ;;
inside) dir=$2 ;;
*) exit 2 ;;
esac

mount -t tmpfs -o mode=755 box "$dir/root"
root=$dir/root/root
mkdir "$root" "$dir/root/upper" "$dir/root/work"
mount -t overlay -o "lowerdir=/,upperdir=$dir/root/upper,workdir=$dir/root/work" overlay "$root"
kernel_views "$root"
devices "$root"
: >"$root/dev/console"
mount --bind "$dir/console" "$root/dev/console"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
mkdir -p "$root/mnt/share"
mount --bind "$dir/share" "$root/mnt/share"
another_machine "$root"

mkdir "$root/.outside"
cd "$root"
pivot_root . .outside
cd /
umount -l /.outside
rmdir /.outside
exec env -i container=box LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=0 \
    </dev/null >/dev/null 2>&1
