package manual

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main is a command's main: it gives run the arguments and a context that ends
// with SIGINT or SIGTERM, prints why it failed, and exits. Further signals
// change nothing: an impatient second Ctrl-C must not leave anything behind, so
// run has to end soon by itself.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if Status(err) == 1 {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(Status(err))
}
