// Package stack runs a whole Bucket Brigade on one machine, with the real
// programs: one state server, some codec shards and nginx before them. It
// serves `make run` and the tests that need everything at once.
//
//	Start                                  Close, or the end of the context
//	  1  state-server  (memory in Shared)     4
//	  2  shard-01                            3
//	  3  shard-02                            2
//	  4  nginx                               1   SIGTERM, after Grace SIGKILL
//
// Each child process is owned by one goroutine, which starts it, signals it and
// reaps it, and which alone touches its state. That goroutine is locked to its
// thread: the kernel ties "die with your parent" (PR_SET_PDEATHSIG) to the
// thread that forked, not to the process. One more goroutine supervises: it
// waits for the end of the context or for a child that dies unasked, whichever
// comes first, then stops all. Nothing outlives a stack, not even when the
// process around it is killed with SIGKILL.
package stack
