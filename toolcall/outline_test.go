package toolcall

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
)

func TestOutline(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string // texts of fields, in order, without names of members
	}{
		{"JSON", `{"a":[{"id":"x","n":3},{"id":"y"}]}`, []string{"x", "3", "y"}},
		{"YAML", "- id: '13'\n  list:\n  - a@b.c\n  - d\n- id: \"a\\u00e9\"\n", []string{"13", "a@b.c", "d", "aé"}},
		{"quotes over lines", "- body: 'Hi,\n\n    - id: 99\n\n    it''s me'\n  id: 4\n", []string{"Hi, - id: 99 it's me", "4"}},
		{"a plain scalar over lines", "title: a\n  id: 99\nid: 4\n", []string{"a\nid: 99", "4"}},
		{"a block", "text: |\n  id: 99\n\n  more\nid: 4\n", []string{"id: 99\n\nmore", "4"}},
		{"lines", "Hotels: Sol\nLuna Mar\nLong words that say a thing\n", []string{"Sol", "Luna Mar", "Long words that say a thing"}},
		{"a member twice is no YAML", "iban: a\niban: b\n", []string{"a", "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, l := range newOutline(tt.in).leaves {
				if !l.member {
					got = append(got, strings.ReplaceAll(l.text, "  ", " "))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatADefinitionSays(t *testing.T) {
	tests := []struct {
		name, about string
		want        Effect
	}{
		{"get_orders", "", Read},
		{"searchMail", "Searches the mailbox.", Read},
		{"trips_list", "List trips.", Read},
		{"send_mail", "", External},
		{"mail_send", "", External},
		{"get_and_forward", "", External},
		{"get_report", "Sends the report to somebody.", External},
		{"delete_order", "", Destructive},
		{"update_order", "", Write},
		{"giftCard", "Sends a gift card.", External},
		{"frobnicate", "", External},
		{"", "", External},
	}
	for _, tt := range tests {
		if got := newProfileOf(tt.name, tt.about).deeds.effect(); got != tt.want {
			t.Errorf("%s, %q: got %s, want %s", tt.name, tt.about, got, tt.want)
		}
	}
}

func FuzzMentions(f *testing.F) {
	f.Add("the ID is X-13, not 130", "x-13")
	f.Add("zzZ", "z")
	f.Fuzz(func(t *testing.T, text, value string) {
		if got, want := indexFold(text, value) >= 0, value != "" && strings.Contains(lowered(text), lowered(value)); got != want {
			t.Errorf("found %v, want %v", got, want)
		}
		mentions(text, value)
		newOutline(text)
		newIntent(text)
	})
}

// lowered is s with its ASCII letters in lower case.
func lowered(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}

func newProfileOf(name, about string) *profile {
	return newProfile(ringwall.ToolSpec{Name: name, Description: about})
}
