package decode

import (
	"strings"
)

// How strange it is that markup hides a text.
const (
	splitWord = 0.3 // a tag within a word
	comment   = 0.1
	notShown  = 0.6
	aside     = 0.05 // alternative texts and titles are there to be read by machines
	footless  = 0.3  // comments of markdown, made from links that nobody uses
)

// leastHidden is how many words a hidden text has that is looked at.
const leastHidden = 3

// tags goes over the tags of a text.
type tags struct {
	text  string
	waste int // bytes that may still be read in vain
}

func newTags(text string) tags { return tags{text, 4*len(text) + 4096} }

// maxTag is the length of the longest tag that is read.
const maxTag = 2048

// at returns the name of the tag or comment at text[i], in lower case, and its
// end. The name is "!--" for a comment and begins with a slash for a closing tag.
func (t *tags) at(i int) (name string, end int, ok bool) {
	text := t.text
	if text[i] != '<' || i+2 >= len(text) {
		return "", 0, false
	}
	if strings.HasPrefix(text[i:], "<!--") {
		n := strings.Index(text[i+4:], "-->")
		if n < 0 || t.waste < 0 {
			t.waste -= len(text) - i
			return "", 0, false
		}
		return "!--", i + 4 + n + 3, true
	}
	end = i + 1
	if text[end] == '/' {
		end++
	}
	for end < len(text) && isAlnum(text[end]) {
		end++
	}
	if end-i < 2 || !isAlpha(text[end-1]) && !isDigit(text[end-1]) || end-i > 24 {
		return "", 0, false
	}
	name = strings.ToLower(text[i+1 : end])
	quote := byte(0)
	for ; end < len(text) && end-i < maxTag && t.waste > 0; end++ {
		switch c := text[end]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			if text[end-1] == '=' || text[end-1] == ' ' {
				quote = c
			}
		case c == '>':
			return name, end + 1, true
		case c == '<':
			return "", 0, false
		}
	}
	t.waste -= end - i
	return "", 0, false
}

// blocks are the elements that part words.
const blocks = " br p div li tr td th h1 h2 h3 h4 h5 h6 ul ol dl dt dd table hr option pre section article header footer main nav title blockquote body html head script style sub sup "

// undoTagged takes tags and comments out of words: ig<b></b>nore.
func undoTagged(s *splice) {
	t := newTags(s.text)
	text := s.text
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], '<')
		if n < 0 {
			return
		}
		start := i + n
		i = start + 1
		if start == 0 || !isAlnum(text[start-1]) && text[start-1] < 0x80 {
			continue
		}
		end, odd := start, 0.0
		for end < len(text) && text[end] == '<' {
			name, after, ok := t.at(end)
			if !ok || strings.Contains(blocks, " "+strings.TrimPrefix(name, "/")+" ") {
				odd = 0
				break
			}
			end, odd = after, splitWord
		}
		if odd > 0 && end < len(text) && (isAlnum(text[end]) || text[end] >= 0x80) {
			s.put(start, end, "")
			s.strange(odd)
		}
		i = max(i, end)
	}
}

// encodeTagged puts an empty element between the letters of each word.
func encodeTagged(text string) string {
	var b strings.Builder
	before := ' '
	for _, r := range text {
		if letterLike(before) && letterLike(r) {
			b.WriteString("<b></b>")
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

// bare replaces text[start:end], which stands beside a hidden text, by what
// parts that from its surroundings.
func bare(s *splice, start, end int) {
	if start > 0 && end < len(s.text) && !isSpace(s.text[start-1]) && !isSpace(s.text[end]) {
		s.put(start, end, "\n")
		return
	}
	s.put(start, end, "")
}

// wordy reports whether s has at least least words.
func wordy(s string, least int) bool {
	words, letters := 0, 0
	for _, r := range s {
		if letterLike(r) {
			if letters++; r >= 0x2E80 && letters%2 == 0 {
				words++ // of a script without spaces
			}
			continue
		}
		if letters >= 2 {
			words++
		}
		letters = 0
		if words >= least {
			return true
		}
	}
	if letters >= 2 {
		words++
	}
	return words >= least
}

// undoComment takes the marks off comments of some words.
func undoComment(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		n := strings.Index(text[i:], "<!--")
		if n < 0 {
			return
		}
		start := i + n
		n = strings.Index(text[start+4:], "-->")
		if n < 0 {
			return
		}
		end := start + 4 + n
		if wordy(text[start+4:end], leastHidden) {
			from, to := start+4, end
			if text[from] == ' ' {
				from++
			}
			if text[to-1] == ' ' && to-1 > from {
				to--
			}
			bare(s, start, from)
			bare(s, to, end+3)
		}
		i = end + 3
	}
}

func encodeComment(text string) string { return "<!-- " + text + " -->" }

// undoNotShown takes away the tags around elements that a browser does not show.
func undoNotShown(s *splice) {
	text := s.text
	t := newTags(text)
	closings := 0 // none of the closing tags before here is of use
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], '<')
		if n < 0 {
			return
		}
		start := i + n
		name, end, ok := t.at(start)
		if !ok || name == "!--" || name[0] == '/' {
			i = start + 1
			continue
		}
		i = end
		if !hides(name, text[start:end]) || start < closings {
			continue
		}
		stop, after := len(text), len(text)
		for at := end; at < len(text) && t.waste > 0; {
			n := strings.Index(text[at:], "</")
			if n < 0 {
				t.waste -= len(text) - at
				break
			}
			at += n
			if len(text)-at > len(name)+2 && strings.EqualFold(text[at+2:at+2+len(name)], name) {
				stop = at
				if n := strings.IndexByte(text[at:min(len(text), at+64)], '>'); n >= 0 {
					after = at + n + 1
				}
				break
			}
			t.waste -= n + 2
			at += 2
		}
		if !wordy(text[end:stop], leastHidden) {
			continue
		}
		bare(s, start, end)
		if stop < after {
			bare(s, stop, after)
			i = after
		}
		closings = after
		s.strange(notShown)
	}
}

// hides reports whether a browser does not show the element of a tag.
func hides(name, tag string) bool {
	if name == "template" || name == "noscript" {
		return true
	}
	tag = strings.ToLower(tag)
	if !strings.ContainsAny(tag, " \n\t") {
		return false
	}
	tag = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, tag)
	if strings.Contains(tag, " hidden") && !strings.Contains(tag, "hidden=\"false\"") || strings.Contains(tag, "aria-hidden=\"true\"") {
		return true
	}
	_, style, ok := strings.Cut(tag, "style=")
	if !ok {
		return false
	}
	style = strings.ReplaceAll(style, " ", "")
	for _, x := range [...]string{
		"display:none", "visibility:hidden", "font-size:0", "font-size:1px", "opacity:0;", "opacity:0\"", "opacity:0'", "opacity:0.0",
		"left:-9", "top:-9", "text-indent:-9", "color:transparent", "width:0", "height:0", "clip:rect(0", "color:rgba(0,0,0,0)", "max-height:0",
	} {
		if _, after, ok0 := strings.Cut(style, x); ok0 {
			after := after
			if last := x[len(x)-1]; last != '0' || after == "" || !isDigit(after[0]) && after[0] != '.' && after[0] != '%' {
				return true
			}
		}
	}
	return sameColour(style)
}

// sameColour reports whether letters have the colour of what is behind them, or
// white, which pages are.
func sameColour(style string) bool {
	ink, paper := "", ""
	for rule := range strings.SplitSeq(strings.Trim(style, `"'> /`), ";") {
		name, value, _ := strings.Cut(strings.Trim(rule, `"'>`), ":")
		switch name {
		case "color":
			ink = value
		case "background", "background-color":
			paper = value
		}
	}
	white := func(c string) bool {
		return c == "white" || c == "#fff" || c == "#ffffff" || strings.HasPrefix(c, "rgb(255,255,255")
	}
	return ink != "" && (ink == paper || white(ink) && (paper == "" || white(paper)))
}

func encodeNotShown(text string) string { return `<div style="display:none">` + text + "</div>" }

// spoken are the attributes whose value is text.
var spoken = [...]string{"alt", "title", "content", "aria-label", "placeholder", "summary", "data-prompt", "data-instructions", "value"}

// undoAttributes takes away the tag around the text of an attribute.
func undoAttributes(s *splice) {
	text := s.text
	t := newTags(text)
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], '<')
		if n < 0 {
			return
		}
		start := i + n
		name, end, ok := t.at(start)
		i = start + 1
		if !ok || name == "!--" || name[0] == '/' {
			continue
		}
		i = end
		tag := text[start:end]
		from := start
		for at := 0; at < len(tag); {
			n := strings.IndexByte(tag[at:], '=')
			if n < 0 {
				break
			}
			at += n + 1
			if at >= len(tag) || tag[at] != '"' && tag[at] != '\'' {
				continue
			}
			to := strings.IndexByte(tag[at+1:], tag[at])
			if to < 0 {
				break
			}
			value := tag[at+1 : at+1+to]
			key := strings.TrimSpace(tag[:at-1])
			key = key[strings.LastIndexAny(key, " \n\t")+1:]
			for _, a := range spoken {
				if strings.EqualFold(key, a) && wordy(value, leastHidden+1) {
					bare(s, from, start+at+1)
					from = start + at + 1 + to
				}
			}
			at += to + 2
		}
		if from > start {
			bare(s, from, end)
			s.strange(aside)
		}
	}
}

func encodeAttribute(text string) string {
	return `<img src="a.png" alt="` + strings.ReplaceAll(text, `"`, "&quot;") + `">`
}

// undoMarkdown takes away what is around texts that markdown does not show:
// comments made of link definitions, alternative texts of images, titles.
func undoMarkdown(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], ']')
		if n < 0 {
			return
		}
		i += n + 1
		if i < s.done {
			continue
		}
		if strings.HasPrefix(text[i:], ":") {
			markdownComment(s, i)
		} else if strings.HasPrefix(text[i:], "(") {
			markdownTitle(s, i)
		}
	}
}

// markdownComment looks at the link definition [//]: # (text), whose colon is
// text[i].
func markdownComment(s *splice, i int) {
	text := s.text
	start := strings.LastIndexByte(text[max(s.done, i-64):i], '[') + max(s.done, i-64)
	if start < s.done || start > 0 && strings.IndexByte(" \t>\n", text[start-1]) < 0 {
		return
	}
	at := i + 1
	for at < len(text) && text[at] == ' ' {
		at++
	}
	switch {
	case strings.HasPrefix(text[min(at, len(text)):], "<>"):
		at += 2
	case strings.HasPrefix(text[min(at, len(text)):], "#"):
		at++
	default:
		return
	}
	for at < len(text) && text[at] == ' ' {
		at++
	}
	if at >= len(text) || strings.IndexByte("(\"'", text[at]) < 0 {
		return
	}
	line := strings.IndexByte(text[at:], '\n')
	if line < 0 {
		line = len(text) - at
	}
	closing := text[at]
	if closing == '(' {
		closing = ')'
	}
	end := strings.LastIndexByte(text[at+1:at+line], closing)
	if end < 0 || !wordy(text[at+1:at+1+end], leastHidden) {
		return
	}
	bare(s, start, at+1)
	bare(s, at+1+end, at+1+end+1)
	s.strange(footless)
}

// markdownTitle looks at the link or image whose opening parenthesis is text[i].
func markdownTitle(s *splice, i int) {
	text := s.text
	low := max(s.done, i-512)
	start := strings.LastIndexByte(text[low:i-1], '[') + low
	if start < low {
		return
	}
	end := i + 1
	for end < len(text) && text[end] != ')' && text[end] != '\n' && end-i < 1024 {
		end++
	}
	if end == len(text) || text[end] != ')' {
		return
	}
	if start > s.done && text[start-1] == '!' && wordy(text[start+1:i-1], leastHidden+1) {
		bare(s, start-1, start+1)
		bare(s, i-1, end+1)
		s.strange(aside)
		return
	}
	q := strings.IndexByte(text[i:end], '"')
	if q >= 0 && text[end-1] == '"' && i+q < end-1 && wordy(text[i+q+1:end-1], leastHidden+1) {
		bare(s, i, i+q+1)
		bare(s, end-1, end+1)
		s.strange(aside)
	}
}

func encodeMarkdown(text string) string { return "[//]: # (" + text + ")" }
