// Package matrix tries each API that ringwall speaks in front of each provider
// that it asks, feature by feature, with the official clients. The providers are
// those of package stage. What it sees is docs/compatibility.md.
package matrix

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/ringwall/ringwall/suites/go/house"
)

// h is what all tests share.
var h *house.House

func TestMain(m *testing.M) {
	binary := os.Getenv("RINGWALL")
	if binary == "" {
		binary = "../../../bin/ringwall"
	}
	flag.Parse()
	code := 1
	err := flag.Set("test.parallel", "24") // most of what runs side by side waits
	if err == nil {
		if h, err = house.Start(binary); err == nil {
			code = m.Run()
			err = h.Stop()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
