// Package service is how a program lives under systemd: sockets that it is
// given, and what it tells of itself over the socket of its notifications.
//
//	READY=1      at the first beat
//	STATUS=...   what the program does, looked at every five seconds
//	WATCHDOG=1   at a beat, at least each half of WatchdogSec=
//	STOPPING=1   when it is to end; STATUS=stopping: ... from then on
//
// A beat ([Service.Beat]) comes from the loop of which the program's work
// depends, each time that it has proved to work: there is no other way to a
// WATCHDOG=1. A beat costs that loop no system call and no wait: a second
// goroutine carries the messages.
//
// Without systemd nothing is told, and all else is the same.
package service
