package judge_test

import (
	"encoding/pem"
	"io"
	"log"
	"os"
	"path/filepath"
	"testing"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// pemFile writes a certificate to a file.
func pemFile(t *testing.T, der []byte) string {
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
