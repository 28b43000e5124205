package topic_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// passage is ordinary writing.
const passage = `Thank you for your message about the garden chairs. Our warehouse in Rotterdam had to stop for two days last week, because the new
conveyor belt would not run at full speed, so about 340 parcels left later than we had promised. Yours is among them. It was handed to the carrier
on Thursday morning and should reach you before the end of the month; the link in the confirmation shows where it is. If one of the legs is damaged,
take a picture of it and of the box, and send both to us. We will then either replace the part or refund 15 % of the price, whichever you prefer.
You also asked whether the cushions can be washed. They can, at 30 degrees, but please do not put them into the dryer. The covers of the older
model, which we sold until 2023, are made of another fabric and must be cleaned by hand. I have added a note to your account so that my colleagues
know what we agreed on. Is there anything else that I can do for you? Kind regards from the whole team, and enjoy the rest of the summer.
`

func BenchmarkTopics(b *testing.B) {
	s := denied(b)
	for _, n := range []int{1 << 10, 64 << 10} {
		text := strings.Repeat(passage, n/len(passage)+1)[:n]
		b.Run(map[int]string{1 << 10: "1KB", 64 << 10: "64KB"}[n], func(b *testing.B) {
			var buf normalize.Buffer
			buf.AppendString(text, true)
			clean, folded, _ := buf.Window()
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				c, _ := s.Begin(stream.Scope{})
				c.Scan(stream.Window{Clean: clean, Folded: folded, Final: true}, func(stream.Match) {})
				c.(stream.Freer).Free()
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		denied(b)
	}
}
