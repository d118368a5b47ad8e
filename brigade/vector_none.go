//go:build !(amd64 && goexperiment.simd)

package brigade

// Without vectors nothing is done from the start.

func vectorAddScaled(_, _ []float32, _ float32) int     { return 0 }
func vectorScaleInto(_, _ []float32, _ float32) int     { return 0 }
func vectorMixFlat(_, _, _ []float32, _, _ float32) int { return 0 }
func vectorCount(_ []uint16) int                        { return 0 }
func vectorSameCrowd(_ []uint16) int                    { return 0 }
