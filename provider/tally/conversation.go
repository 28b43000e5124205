package tally

import "github.com/ringwall/ringwall"

// Around texts, in tokens.
const (
	perMessage = 3 // the marks and the role: OpenAI says so, others are alike
	perAnswer  = 3 // the beginning of the answer, which stands in the prompt
	perTool    = 8 // the form into which a tool is brought
	perCall    = 4 // of a call or a result: its mark and its id

	// What Anthropic says that tools add to a prompt of Claude, once.
	claudeTools  = 346
	claudeForced = 313 // where a tool must be used
	otherTools   = 12
)

// Conversation returns about how many tokens a model reads that is asked c: texts,
// tools, images and what stands around them.
func Conversation(model string, c *ringwall.Conversation) int64 {
	n := counter{family: FamilyOf(model), left: mostExact}
	sum := int64(perAnswer)
	if len(c.System) > 0 {
		sum += perMessage + n.parts(c.System)
	}
	for i := range c.Turns {
		sum += perMessage + n.parts(c.Turns[i].Parts)
	}
	for i := range c.Tools {
		t := &c.Tools[i]
		sum += int64(perTool + n.text(t.Name) + n.text(t.Description) + n.text(string(t.Schema)))
	}
	if len(c.Tools) > 0 && c.Choice.Mode != ringwall.ChoiceNone {
		forced := c.Choice.Mode == ringwall.ChoiceRequired || c.Choice.Mode == ringwall.ChoiceNamed
		switch {
		case n.family == Anthropic && forced:
			sum += claudeForced
		case n.family == Anthropic:
			sum += claudeTools
		default:
			sum += otherTools
		}
	}
	if c.Format != nil {
		sum += int64(n.text(c.Format.Name) + n.text(c.Format.Description) + n.text(string(c.Format.Schema)))
	}
	return sum
}

// Texts returns about how many tokens a model reads that is asked with these texts,
// of which nothing else is known.
func Texts(model string, texts []ringwall.Text) int64 {
	n := counter{family: FamilyOf(model), left: mostExact}
	sum := int64(perAnswer)
	for i := range texts {
		sum += int64(perMessage + n.text(texts[i].Value))
	}
	return sum
}

func (c *counter) parts(parts []ringwall.Part) (sum int64) {
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case ringwall.PartMedia:
			if p.Media != nil {
				sum += c.media(p.Media)
			}
		case ringwall.PartCall:
			if p.Call != nil {
				sum += int64(perCall + c.text(p.Call.Name) + c.text(p.Call.Arguments))
			}
		case ringwall.PartResult:
			if p.Result != nil {
				sum += perCall + c.parts(p.Result.Parts)
			}
		case ringwall.PartRedacted:
			sum += int64(len(p.Text)) / 8 // encrypted: some six bytes of it are four of a thought
		default:
			sum += int64(c.text(p.Text))
		}
	}
	return sum
}
