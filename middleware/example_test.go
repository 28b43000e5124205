package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/middleware"
)

// A program that asks a model hands its client a guarded transport.
func ExampleGuard_Transport() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Println("the model reads:", string(b))
		fmt.Fprint(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"Thanks."},"finish_reason":"stop"}]}`)
	}))
	defer api.Close()

	spec := guardrail.Default()
	g, err := builtin.Guard("mine", "1", &spec)
	if err != nil {
		panic(err)
	}
	defer g.Close()
	m, err := middleware.New(middleware.Config{Guard: g})
	if err != nil {
		panic(err)
	}
	client := &http.Client{Transport: m.Transport(http.DefaultTransport)}

	resp, err := client.Post(api.URL+"/v1/chat/completions", "application/json",
		strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"My card is 4111 1111 1111 1111."}]}`))
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output:
	// the model reads: {"model":"m","messages":[{"role":"user","content":"My card is {CREDIT_DEBIT_CARD_NUMBER}."}]}
	// 200
}
