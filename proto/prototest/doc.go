// Package prototest holds requests that every shard must refuse, for the tests
// of whatever stands between a socket and the ring: package proto checks what it
// can judge itself, an end-to-end test posts the whole table beside a healthy
// singer who must not notice.
package prototest
