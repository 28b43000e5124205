package main

import (
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	now := time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		in   string
		want time.Time
	}{
		{"", time.Time{}},
		{"7d", now.AddDate(0, 0, -7)},
		{"0.5d", now.Add(-12 * time.Hour)},
		{"12h", now.Add(-12 * time.Hour)},
		{"90m", now.Add(-90 * time.Minute)},
		{"2030-01-31", time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC)},
		{"2030-01-31T12:00:00+02:00", time.Date(2030, 1, 31, 10, 0, 0, 0, time.UTC)},
	} {
		if got, err := moment(tt.in, now); err != nil || !got.Equal(tt.want) {
			t.Errorf("%q is %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []string{"yesterday", "7", "-7d", "0d", "NaNd", "1e99d", "-1h", "2030-13-01"} {
		if got, err := moment(bad, now); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}
