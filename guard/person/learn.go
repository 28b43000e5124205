package person

import (
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Decision is one that the model has to make: what of a text's token.
type Decision struct {
	Start, End int      // of the token, in the text
	Before     Tag      // of the token before it
	Features   []uint32 // valid while it is made
	Word       Class    // classes of the token

	token *token
	again func()
}

// Pretend gives the token classes and takes others from it, as if the gazetteer
// said so. Of what is then no name the word is forgotten, too.
func (d *Decision) Pretend(more, less Class) {
	t := d.token
	t.class = t.class&^less | more
	t.late &^= less
	if less != 0 && t.shape <= caseless {
		t.hash = 2
	}
	d.again()
}

// Walk has tag decide instead of the model about all tokens of text that the
// model would be asked about, in order. It is for who teaches the model.
func (s *Scanner) Walk(text string, tag func(*Decision) Tag) {
	var b normalize.Buffer
	b.Append([]byte(text), true)
	clean, folded, _ := b.Window()
	c := &cursor{model: s.model, home: s}
	c.learn = func(d *Decision) Tag {
		d.Start, d.End = b.Start(d.Start), b.End(d.End)
		return tag(d)
	}
	c.Scan(stream.Window{Clean: clean, Folded: folded, Final: true}, func(stream.Match) {})
}
