package quota

import "time"

// periodText is the form of the end of a calendar window's key: its start in seconds.
const periodText = "|0000000000"

// putPeriod writes a start, in seconds, over the end of a key.
func putPeriod(key []byte, starts int64) {
	for i := len(key) - 1; i > len(key)-len(periodText); i-- {
		key[i] = '0' + byte(starts%10)
		starts /= 10
	}
}

// span is a part of the calendar.
type span struct {
	start, end   time.Time
	starts, ends int64
}

// current is the span of t: its start in seconds, its end in milliseconds. The last one
// is remembered, for each request asks for it.
func (l *limit) current(t time.Time) (starts, ends int64) {
	s := l.last.Load()
	if s == nil || t.Before(s.start) || !t.Before(s.end) {
		s = &span{}
		s.start, s.end = l.Window.Span(t)
		s.starts, s.ends = s.start.Unix(), s.end.UnixMilli()
		l.last.Store(s)
	}
	return s.starts, s.ends
}
