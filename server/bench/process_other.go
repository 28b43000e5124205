//go:build !linux

package bench

import "time"

// cpuTime cannot be told here.
func cpuTime(int) time.Duration { return -1 }

// peakMemory cannot be told here.
func peakMemory(int) int64 { return -1 }

func pause(d time.Duration) { time.Sleep(d) }
