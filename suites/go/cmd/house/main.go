// Command house stands up a stub of a model and the gateways before it, prints
// where they are as one line of JSON, and takes them down when its standard
// input ends. The suites that are not in Go use it:
//
//	house path/to/ringwall
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ringwall/ringwall/suites/go/house"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: house path/to/ringwall")
	}
	h, err := house.Start(args[0])
	if err != nil {
		return err
	}
	err = json.NewEncoder(os.Stdout).Encode(h)
	io.Copy(io.Discard, os.Stdin) // until whoever asked is gone
	return errors.Join(err, h.Stop())
}
