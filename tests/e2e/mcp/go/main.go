// The official Go client against a gateway: connects, lists, calls, reads, prompts, completes, gets
// progress, cancels, and prints what it saw as one JSON object.
//
//	client URL VERSION
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type seen struct {
	Version   string    `json:"version"`
	Name      string    `json:"name"`
	Tools     []string  `json:"tools"`
	Resources []string  `json:"resources"`
	Templates int       `json:"templates"`
	Prompts   []string  `json:"prompts"`
	Call      any       `json:"call"`
	IsError   bool      `json:"isError"`
	Read      string    `json:"read"`
	Prompt    string    `json:"prompt"`
	Values    []string  `json:"values"`
	Progress  []float64 `json:"progress"`
	Cancelled float64   `json:"cancelled"`
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// Structured content of a call that must succeed.
func call(ctx context.Context, s *mcp.ClientSession, name string, arguments map[string]any) map[string]any {
	result := must(s.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: arguments}))
	if result.IsError {
		log.Fatalf("%s: %s", name, result.Content[0].(*mcp.TextContent).Text)
	}
	return result.StructuredContent.(map[string]any)
}

// How many calls were cancelled at the services so far.
func cancels(ctx context.Context, s *mcp.ClientSession) float64 {
	return call(ctx, s, "list_dealers", map[string]any{"query": "cancels"})["total"].(float64)
}

// Gives up a call that hangs, and waits until its end has arrived.
func cancel(ctx context.Context, s *mcp.ClientSession) float64 {
	before := cancels(ctx, s)
	short, done := context.WithTimeout(ctx, time.Second)
	defer done()
	if _, err := s.CallTool(short, &mcp.CallToolParams{Name: "compare_dealer_sessions", Arguments: map[string]any{"region": "hang"}}); err == nil {
		log.Fatal("a call that hangs has ended")
	}
	for cancels(ctx, s) == before && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	return cancels(ctx, s) - before
}

func lists(ctx context.Context, s *mcp.ClientSession, out *seen) {
	for tool, err := range s.Tools(ctx, nil) {
		out.Tools = append(out.Tools, must(tool, err).Name)
	}
	for resource, err := range s.Resources(ctx, nil) {
		out.Resources = append(out.Resources, must(resource, err).URI)
	}
	for template, err := range s.ResourceTemplates(ctx, nil) {
		must(template, err)
		out.Templates++
	}
	for prompt, err := range s.Prompts(ctx, nil) {
		out.Prompts = append(out.Prompts, must(prompt, err).Name)
	}
}

func main() {
	ctx, done := context.WithTimeout(context.Background(), 30*time.Second)
	defer done()
	out := seen{}
	steps := make(chan float64, 100)
	client := mcp.NewClient(&mcp.Implementation{Name: "analytics-mcp-e2e", Version: "1.0.0"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { steps <- r.Params.Progress },
	})
	s := must(client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: os.Args[1]}, &mcp.ClientSessionOptions{ProtocolVersion: os.Args[2]}))
	out.Version = s.InitializeResult().ProtocolVersion
	out.Name = s.InitializeResult().ServerInfo.Name
	lists(ctx, s, &out)
	out.Call = call(ctx, s, "list_dealers", map[string]any{"query": "ford"})
	out.IsError = must(s.CallTool(ctx, &mcp.CallToolParams{Name: "list_dealers", Arguments: map[string]any{"region": "nowhere"}})).IsError
	out.Read = must(s.ReadResource(ctx, &mcp.ReadResourceParams{URI: "analytics://dealers"})).Contents[0].Text
	prompt := must(s.GetPrompt(ctx, &mcp.GetPromptParams{Name: "website_against_region", Arguments: map[string]string{"dealer": "Ford of Reno"}}))
	out.Prompt = prompt.Messages[0].Content.(*mcp.TextContent).Text
	out.Values = must(s.Complete(ctx, &mcp.CompleteParams{
		Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: "monthly_review"},
		Argument: mcp.CompleteParamsArgument{Name: "dealer", Value: "Fo"},
	})).Completion.Values
	params := &mcp.CallToolParams{Name: "compare_dealer_sessions", Arguments: map[string]any{"region": "West"}}
	params.SetProgressToken("steps")
	must(s.CallTool(ctx, params))
	for len(out.Progress) < 3 { // the client hands them on beside the result
		select {
		case step := <-steps:
			out.Progress = append(out.Progress, step)
		case <-ctx.Done():
			log.Fatal("progress has not come")
		}
	}
	out.Cancelled = cancel(ctx, s)
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(must(json.Marshal(out))))
}
