// Package box boots a real systemd inside a test, on a machine whose own first
// process may be anything, and leaves nothing behind. Its tests install the
// package that we ship into such a machine and treat it badly.
//
//	test process ── clone: mount, pid, net, ipc, uts ──> boot.sh ── exec ──> systemd (PID 1)
//	      │                                              builds the root        ├─ journald, dbus
//	      │                                                                     ├─ nginx
//	      └── nsenter ──> apt, systemctl, brigade-stress, …                     └─ the brigade
//
// The root of a box is this machine's own, seen through an overlay: what is
// written inside lies in memory and is gone with the box. It has a network of its
// own with nothing but the loopback, and a cgroup of its own. /run, /tmp and /dev
// are new. Nothing that this machine starts at boot is started in it.
//
//	DIR/root    where the root is put together
//	DIR/share   seen inside as /mnt/share
//	DIR/console what the boot has to say
//
// Needed are root and the packages systemd, dbus, iproute2 and util-linux; to
// install and load a brigade inside, also nginx and libopus. While a box is
// there nothing may be installed on the machine itself.
//
// One goroutine owns the first process of a box: it is locked to the thread that
// forked, since the kernel ends a child with the thread, not the process, that
// made it. The end of the test process, even by SIGKILL, is the end of the box.
package box
