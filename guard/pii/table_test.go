package pii_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// likely masks what is at least as sure as policies ask for where they say
// nothing.
func likely(text string, pieces func(n int) int) string {
	c, _ := pii.Scanner{}.Begin(stream.Scope{})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: pii.Control, Cursor: c}},
		Decide: func(f ringwall.Finding) ringwall.Action {
			if f.Score < 0.5 {
				return ringwall.Allow
			}
			return ringwall.Mask
		},
	})
	if pieces == nil {
		return string(r.Text(text))
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		n := min(max(pieces(i), 1), len(text)-i)
		out.Write(r.Write([]byte(text[i : i+n])))
		i += n
	}
	out.Write(r.Close())
	return out.String()
}

// tables are texts whose first lines, keys or heads name what stands below.
var tables = []struct{ name, in, want string }{
	{"commas", "name,ssn,city\nAnn,078051120,Rome\nBob,219099999,Oslo\n", "name,ssn,city\nAnn,{US_SOCIAL_SECURITY_NUMBER},Rome\nBob,{US_SOCIAL_SECURITY_NUMBER},Oslo\n"},
	{"quotes", "\"name\",\"date of birth\"\n\"Graham, Ann\",\"1980-05-03\"\n", "\"name\",\"date of birth\"\n\"Graham, Ann\",\"{DATE_OF_BIRTH}\"\n"},
	{"semicolons", "Nachname;Geburtsdatum;Steuer-ID\nKlein;03.05.1980;86095742719\n", "Nachname;Geburtsdatum;Steuer-ID\nKlein;{DATE_OF_BIRTH};{DE_TAX_ID}\n"},
	{"tabs", "id\tpassport number\tdob\n1\t912345678\t05/03/1980\n", "id\tpassport number\tdob\n1\t{US_PASSPORT_NUMBER}\t{DATE_OF_BIRTH}\n"},
	{"markdown", "| Name | SSN | Amount |\n|---|---|---|\n| Ann | 078051120 | 219099999 |\n", "| Name | SSN | Amount |\n|---|---|---|\n| Ann | {US_SOCIAL_SECURITY_NUMBER} | 219099999 |\n"},
	{"SQL", "INSERT INTO people (name, ssn, dob) VALUES ('Ann', '078051120', '1980-05-03'), ('Bob', '219099999', '1981-06-04');", "INSERT INTO people (name, ssn, dob) VALUES ('Ann', '{US_SOCIAL_SECURITY_NUMBER}', '{DATE_OF_BIRTH}'), ('Bob', '{US_SOCIAL_SECURITY_NUMBER}', '{DATE_OF_BIRTH}');"},
	{"HTML", "<table><tr><th>Name</th><th>SSN</th></tr>\n<tr><td>Ann</td><td>078051120</td></tr></table>", "<table><tr><th>Name</th><th>SSN</th></tr>\n<tr><td>Ann</td><td>{US_SOCIAL_SECURITY_NUMBER}</td></tr></table>"},
	{"users and passwords", "username,password,active\njdoe,hunter2,1\nann,s3cret!,0\n", "username,password,active\n{USERNAME},{PASSWORD},1\n{USERNAME},{PASSWORD},0\n"},
	{"one column", "PIN\n4821\n9377\n", "PIN\n{PIN}\n{PIN}\n"},
	{"JSON", `{"ssn": "078051120", "dob": "1980-05-03", "order": "219099999"}`, `{"ssn": "{US_SOCIAL_SECURITY_NUMBER}", "dob": "{DATE_OF_BIRTH}", "order": "219099999"}`},
	{"YAML", "ssn: 078051120\ndate_of_birth: 1980-05-03\ninvoice: 219099999\n", "ssn: {US_SOCIAL_SECURITY_NUMBER}\ndate_of_birth: {DATE_OF_BIRTH}\ninvoice: 219099999\n"},
	{"camel case", `{"dateOfBirth":"1980-05-03","passportNumber":"912345678"}`, `{"dateOfBirth":"{DATE_OF_BIRTH}","passportNumber":"{US_PASSPORT_NUMBER}"}`},
	{"XML", "<ssn>078051120</ssn><order>219099999</order>", "<ssn>{US_SOCIAL_SECURITY_NUMBER}</ssn><order>219099999</order>"},
	{"a line of its own", "Social security number:\n078051120\n", "Social security number:\n{US_SOCIAL_SECURITY_NUMBER}\n"},
	{"a table ends at a blank line", "name,ssn\nAnn,078051120\n\nBob,219099999\n", "name,ssn\nAnn,{US_SOCIAL_SECURITY_NUMBER}\n\nBob,219099999\n"},
	{"a table ends where its shape breaks", "name,ssn\nAnn,078051120\nthat was all\nBob,219099999\n", "name,ssn\nAnn,{US_SOCIAL_SECURITY_NUMBER}\nthat was all\nBob,219099999\n"},
	{"another column", "ssn,order\n,219099999\n", "ssn,order\n,219099999\n"},
	{"no name of a column", "We lost the passport, the keys and the SSN of Ann yesterday,\n078051120\n", "We lost the passport, the keys and the SSN of Ann yesterday,\n078051120\n"},
	{"words behind a number", "078051120 is my social security number", "{US_SOCIAL_SECURITY_NUMBER} is my social security number"},
	{"words behind it in German", "86095742719 ist meine Steuer-ID", "{DE_TAX_ID} ist meine Steuer-ID"},
	{"words behind it in parentheses", "44051401359 (PESEL)", "{PL_PESEL} (PESEL)"},
	{"words behind it in Japanese", "123456789018が私のマイナンバーです", "{JP_MY_NUMBER}が私のマイナンバーです"},
	{"words behind it about something else", "219099999 is the order number", "219099999 is the order number"},
}

func TestTables(t *testing.T) {
	for _, tt := range tables {
		t.Run(tt.name, func(t *testing.T) {
			if got := likely(tt.in, nil); got != tt.want {
				t.Errorf("%q became\n%q, want\n%q", tt.in, got, tt.want)
			}
			for _, size := range []int{1, 2, 3, 5, 7, 16, 64} {
				if got := likely(tt.in, func(int) int { return size }); got != tt.want {
					t.Errorf("%q in pieces of %d became\n%q, want\n%q", tt.in, size, got, tt.want)
				}
			}
		})
	}
}

// Wherever a text is cut, what comes out is the same: texts made of specimens and
// of what begins them.
func TestCutsMakeNoDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{
		" ", " ", "\n", ", ", ",", "\t", "|", ": ", "; ", "\"", "'", "(", ")", ". ", "is ", "my ", "the ", "born ", "né le ", "生年月日", "3 ", "May ", "mai ", "1980", "年", "5月", "3日", "de ", "52.52001, ", "13.40495", "° ", "N ",
		"username: ", "password for ", "password ", "user ", "ssh ", "@", "a.b", "https://", "ann:pw@", "<th>", "</th>", "<td>", "<tr>", "insert into t (", ") values (", "ssn", "dob", "PIN", "MRN-", "order ", "B-KR ", "b-kr ", "wallet ", "0x", "EMP-", "id ",
	}
	for _, s := range specimens {
		parts = append(parts, s.right...)
	}
	for range 4000 {
		var b strings.Builder
		for range 2 + r.IntN(10) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		text := b.String()
		want := likely(text, nil)
		if got := likely(text, func(int) int { return 1 + r.IntN(6) }); got != want {
			t.Fatalf("%q became\n%q, whole\n%q", text, got, want)
		}
	}
}

func FuzzCuts(f *testing.F) {
	for _, tt := range tables {
		f.Add(tt.in, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := likely(text, nil)
		if got := likely(text, func(int) int { return 1 + r.IntN(9) }); got != want {
			t.Errorf("%q became\n%q, whole\n%q", text, got, want)
		}
	})
}
