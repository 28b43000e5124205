package word

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/ringwall/ringwall"
)

//go:embed profanity.txt
var profanityFile embed.FS

// Profanity returns the managed lists of profanity, strong and mild, of some
// thirty languages. They have the reasons ReasonProfanity and
// ReasonMildProfanity, so that a policy can act on each, and are looked for under
// disguises.
func Profanity() []List {
	lists := profanity()
	return []List{lists[0], lists[1]}
}

var profanity = sync.OnceValue(func() [2]List {
	file, err := profanityFile.ReadFile("profanity.txt")
	lists, bad := parseProfanity(string(file))
	if err != nil || bad != nil {
		// bug: the file is part of the program.
		panic("word: the managed list is damaged")
	}
	return lists
})

// parseProfanity reads the managed list.
func parseProfanity(file string) (lists [2]List, err error) {
	lists[0] = List{Name: ReasonProfanity, Severity: ringwall.Medium, Disguise: true}
	lists[1] = List{Name: ReasonMildProfanity, Severity: ringwall.Low, Disguise: true}
	n := 0
	for line := range strings.Lines(file) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		head, words, ok := strings.Cut(line, ":")
		lang, severity, both := strings.Cut(head, " ")
		if !ok || !both || len(lang) != 2 || severity != "strong" && severity != "mild" {
			return lists, fmt.Errorf("line %d: want \"language strong: words\" or \"language mild: words\"", n)
		}
		list := &lists[0]
		if severity == "mild" {
			list = &lists[1]
		}
		for w := range strings.SplitSeq(words, ",") {
			list.Words = append(list.Words, strings.TrimSpace(w))
		}
	}
	return lists, nil
}
