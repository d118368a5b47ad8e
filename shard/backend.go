package shard

import (
	"context"

	"bucketbrigade/proto"
)

// Backend is the way to what the singers share: a message in, a message out.
// The contract, which package backendtest holds implementations against:
//
//  1. Call carries req out once and fills ans, using the memory of ans.PCM,
//     ans.Summary and, if there is one, ans.Scratch again. Nothing in ans is shared with the backend afterwards.
//  2. What the shared state refuses is a nil error and an ans with a refusal.
//  3. An error is a *proto.Refusal: nobody answered (503, within 3 s), req is
//     too large (413), the answer made no sense (502). ans is undefined then.
//     Or it is ctx's error, if ctx ended before req was sent.
//  4. req.PCM may be changed.
//  5. Call may be used by many goroutines at once; no two calls ever get each
//     other's answers.
//  6. proto.KindClock is answered with the clock, proto.KindUploaded with how
//     far an upload is.
//  7. What is wanted, held and kept (proto.Held) crosses as it is.
type Backend interface {
	Call(ctx context.Context, req *proto.Request, ans *proto.Answer) error
}
