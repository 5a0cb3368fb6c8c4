// A tool that answers the same every time, by the official Go SDK: what a server of its own costs
// that does nothing. Usage: peer PORT ANSWER.json
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The answer's two forms.
type answer struct {
	Text       string          `json:"text"`
	Structured json.RawMessage `json:"structured"`
}

func main() {
	var a answer
	raw, err := os.ReadFile(os.Args[2])
	if err == nil {
		err = json.Unmarshal(raw, &a)
	}
	if err != nil {
		log.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "echo", Version: "1"}, nil)
	tool := &mcp.Tool{Name: "run_report", InputSchema: json.RawMessage(`{"type":"object"}`)}
	server.AddTool(tool, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{
			Content:           []mcp.Content{&mcp.TextContent{Text: a.Text}},
			StructuredContent: a.Structured,
		}, nil
	})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{JSONResponse: true})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
