// Package systemd holds the units of a Bucket Brigade as they ship, and what belongs
// to them. It has no code, only tests of those files.
//
//	brigade.target ─┬─ state-server.service
//	                ├─ codec-shard@01.service ── codec-shard@01.socket   each that is enabled
//	                ├─ codec-shard@02.service ── codec-shard@02.socket
//	                └─ brigade-nginx.service ── nginx.service
//
// README.md beside this file is the operator's page. What the units do when things
// go wrong is tested by package e2e/box.
package systemd
