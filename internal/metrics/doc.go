// Package metrics is the listener for operators: what a program tells of itself
// goes here, on loopback, and never to the public.
//
//	GET /api/telemetry   all that the brigade knows, as JSON; also /telemetry
//	GET /metrics         counts, for Prometheus
//	GET /healthz         200 ok, or 503 and why the program should be restarted
//	GET /readyz          200 ok, or 503 and why it cannot do its work at the moment
//	GET /debug/pprof/    profiles of the program, for go tool pprof
//	any other path       404 and this list
//
// Telemetry is there in a program that has the brigade.
//
// Only this machine can ask, and no page in a browser on it: the Host of a
// request must be a loopback address or localhost, so that a name of somebody
// else that is made to lead here (DNS rebinding) does not help.
package metrics
