package pattern_test

import (
	"fmt"

	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/stream"
)

func ExampleNew() {
	s, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{{
		Name:     "employee-id",
		Patterns: []pattern.Pattern{{Regex: `\bE\d{5}\b`, Score: 0.3}},
		Context:  []string{"employee", "badge"},
		Allow:    []string{"E00000"},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor, _ := s.Begin(stream.Scope{})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: "inference/pii", Cursor: cursor}},
		Decide:  maskAll,
	})
	fmt.Printf("%s", r.Write([]byte("Employee E12")))
	fmt.Printf("%s\n", r.Text("345, not E00000."))
	// Output: Employee {EMPLOYEE_ID}, not E00000.
}
