// Package nginx holds the nginx configuration of a Bucket Brigade as it ships:
// the site template and the generate-config script beside this file. The
// package itself only starts that very configuration without root, in a
// directory of its own, for tests and for running everything on one machine.
//
//	generate-config ──> brigade-shards.conf ─┐
//	site.conf.template > brigade-site.conf  ─┴─ include ── nginx.conf (standalone)
//
// README.md beside this file is the operator's page.
package nginx
