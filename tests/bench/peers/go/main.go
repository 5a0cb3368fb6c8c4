// A tool that answers the same every time, by the official Go SDK: what a server of its own costs
// that does nothing. Usage: peer PORT ANSWER.json [typed]
//
// As it is, the least that the SDK can do: a raw handler, answers as JSON. "typed" is what the SDK's
// README shows and its defaults are: a handler of Go types, whose arguments and answer the SDK checks
// by their schemas, and answers as event streams.
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

func addRaw(server *mcp.Server, a *answer) error {
	tool := &mcp.Tool{Name: "run_report", InputSchema: json.RawMessage(`{"type":"object"}`)}
	server.AddTool(tool, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{
			Content:           []mcp.Content{&mcp.TextContent{Text: a.Text}},
			StructuredContent: a.Structured,
		}, nil
	})
	return nil
}

type dateRange struct {
	StartDate string `json:"start_date" jsonschema:"the first day"`
	EndDate   string `json:"end_date" jsonschema:"the last day"`
}

type input struct {
	DealerID   string      `json:"dealer_id" jsonschema:"the dealer"`
	Dimensions []string    `json:"dimensions" jsonschema:"names of dimensions"`
	Metrics    []string    `json:"metrics" jsonschema:"names of metrics"`
	DateRanges []dateRange `json:"date_ranges" jsonschema:"the periods"`
}

type period struct {
	StartDate       string   `json:"start_date"`
	EndDate         string   `json:"end_date"`
	Days            int      `json:"days"`
	TimeZones       []string `json:"time_zones"`
	CompleteThrough string   `json:"complete_through"`
}

type output struct {
	Headline   string   `json:"headline"`
	Period     period   `json:"period"`
	Caveats    []string `json:"caveats"`
	DealerID   string   `json:"dealer_id"`
	DealerName string   `json:"dealer_name"`
	Property   string   `json:"property"`
	RowCount   int      `json:"row_count"`
	NextOffset int      `json:"next_offset"`
	Columns    []string `json:"columns"`
	Rows       [][]any  `json:"rows"`
}

// The SDK writes both forms from the value.
func addTyped(server *mcp.Server, a *answer) error {
	var fixed output
	if err := json.Unmarshal(a.Structured, &fixed); err != nil {
		return err
	}
	mcp.AddTool(server, &mcp.Tool{Name: "run_report", Description: "A report of a dealer"},
		func(context.Context, *mcp.CallToolRequest, input) (*mcp.CallToolResult, output, error) {
			return nil, fixed, nil
		})
	return nil
}

func main() {
	var a answer
	add, options := addRaw, &mcp.StreamableHTTPOptions{JSONResponse: true}
	if len(os.Args) > 3 && os.Args[3] == "typed" {
		add, options = addTyped, nil
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "echo", Version: "1"}, nil)
	raw, err := os.ReadFile(os.Args[2])
	if err == nil {
		err = json.Unmarshal(raw, &a)
	}
	if err == nil {
		err = add(server, &a)
	}
	if err != nil {
		log.Fatal(err)
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, options)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
