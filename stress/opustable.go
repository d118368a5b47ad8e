package main

import (
	"fmt"
	"strings"
	"time"

	"bucketbrigade/codec"
)

// opusTables is what was measured, as Markdown: a summary, then a table for each
// material.
func opusTables(cfg opusConfig, sounds []material, prices [][]price) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Made by `%s`. %s.\n", cfg.command, machine())
	fmt.Fprintf(&b, "\nIn the mean over all %d sounds, and at the worst of them:\n\n", len(sounds))
	b.WriteString("| encoder | encode, µs | worst | decode, µs | kbit/s | SNR, dB | distance, dB | noise to mask, dB | worst |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for i, s := range cfg.settings {
		mean, worst := summarize(prices, i)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f | %.1f | %.2f | %.1f | %.1f |\n", encoderName(s), micros(mean.encode), micros(worst.encode),
			micros(mean.decode), mean.kbits, mean.SNR, mean.Distance, mean.NoiseToMask, worst.NoiseToMask)
	}
	for k, m := range sounds {
		fmt.Fprintf(&b, "\nWith %s:\n\n", m.name)
		b.WriteString("| encoder | encode, µs | decode, µs | kbit/s | SNR, dB | distance, dB | noise to mask, dB |\n")
		b.WriteString("|---|---|---|---|---|---|---|\n")
		for _, p := range prices[k] {
			fmt.Fprintf(&b, "| %s | %s | %s | %.1f | %.1f | %.2f | %.1f |\n", encoderName(p.settings), micros(p.encode), micros(p.decode),
				p.kbits, p.SNR, p.Distance, p.NoiseToMask)
		}
	}
	return b.String()
}

// encoderName tells settings apart; our own are in bold.
func encoderName(s codec.Settings) string {
	name := fmt.Sprintf("%s %d", s.Application, s.Complexity)
	if s.Bitrate != 0 {
		name += fmt.Sprintf(", %d kbit/s", s.Bitrate/1000)
	}
	if s == codec.Default() {
		name = "**" + name + "**"
	}
	return name
}

func micros(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Microsecond)) }

// summarize gives mean and worst of the i-th settings over all materials.
func summarize(prices [][]price, i int) (mean, worst price) {
	for k, all := range prices {
		p := all[i]
		mean.encode += p.encode
		mean.decode += p.decode
		mean.kbits += p.kbits
		mean.SNR += p.SNR
		mean.Distance += p.Distance
		mean.NoiseToMask += p.NoiseToMask
		worst.encode = max(worst.encode, p.encode)
		if k == 0 || p.NoiseToMask > worst.NoiseToMask {
			worst.NoiseToMask = p.NoiseToMask
		}
	}
	n := len(prices)
	mean.encode /= time.Duration(n)
	mean.decode /= time.Duration(n)
	mean.kbits /= float64(n)
	mean.SNR /= float64(n)
	mean.Distance /= float64(n)
	mean.NoiseToMask /= float64(n)
	return mean, worst
}
