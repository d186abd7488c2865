// Calls Sluice from Go with grpc-go: go run . [HOST:PORT]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	// The generated code; see README.md for the one command that makes it.
	sluicev1 "example.com/sluice-client/gen/sluice/v1"
)

// ask describes a generation: one question, to one model or, with "", to whichever fits.
func ask(text, model string) *sluicev1.GenerationSpec {
	spec := &sluicev1.GenerationSpec{
		Messages: []*sluicev1.Message{{
			Role:  sluicev1.Role_ROLE_USER,
			Parts: []*sluicev1.ContentPart{{Part: &sluicev1.ContentPart_Text{Text: text}}},
		}},
	}
	if model != "" {
		spec.Target = &sluicev1.Target{Kind: &sluicev1.Target_Model{Model: model}}
	}
	return spec
}

// reasonOf reads the reason that docs/errors.md lists; "" when it was not Sluice that answered.
func reasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func generate(ctx context.Context, client sluicev1.RouterServiceClient) error {
	// Always set a deadline: without one the server's own limit of minutes holds.
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	answer, err := client.Generate(ctx, &sluicev1.GenerateRequest{Spec: ask("Say hello", "")})
	if err != nil {
		return err
	}
	fmt.Printf("unary: %s answered %d characters\n", answer.GetModel(), len([]rune(answer.GetText())))
	return nil
}

func stream(ctx context.Context, client sluicev1.RouterServiceClient) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	events, err := client.StreamGenerate(ctx, &sluicev1.StreamGenerateRequest{Spec: ask("Tell me a story", "")})
	if err != nil {
		return err
	}
	text, finished := "", false
	for {
		message, err := events.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch event := message.GetEvent().(type) {
		case *sluicev1.StreamGenerateResponse_TextDelta:
			text += event.TextDelta.GetText()
		case *sluicev1.StreamGenerateResponse_Finished:
			finished = true
		}
		// Kinds of events may be added: what is not known is skipped.
	}
	fmt.Printf("stream: %d characters, finished: %t\n", len([]rune(text)), finished)
	return nil
}

func fail(ctx context.Context, client sluicev1.RouterServiceClient) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	_, err := client.Generate(ctx, &sluicev1.GenerateRequest{Spec: ask("Hi", "no-such-model")})
	fmt.Printf("error: %s %s\n", status.Code(err), reasonOf(err))
	return nil
}

func exceedDeadline(ctx context.Context, client sluicev1.RouterServiceClient) error {
	ctx, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	_, err := client.Generate(ctx, &sluicev1.GenerateRequest{Spec: ask("Tell me a long story", "")})
	fmt.Printf("deadline: %s\n", status.Code(err))
	return nil
}

func cancel(ctx context.Context, client sluicev1.RouterServiceClient) error {
	ctx, cancelCall := context.WithTimeout(ctx, time.Minute)
	defer cancelCall()
	events, err := client.StreamGenerate(ctx, &sluicev1.StreamGenerateRequest{Spec: ask("Tell me a long story", "")})
	for err == nil {
		var message *sluicev1.StreamGenerateResponse
		message, err = events.Recv()
		if message.GetTextDelta() != nil {
			cancelCall() // Sluice hears of it and stops the model.
		}
	}
	if status.Code(err) != codes.Canceled {
		return err
	}
	fmt.Printf("cancel: %s\n", status.Code(err))
	return nil
}

func main() {
	address := os.Getenv("SLUICE_SERVER")
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if address == "" {
		address = "127.0.0.1:50051"
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := sluicev1.NewRouterServiceClient(connection)
	for _, step := range []func(context.Context, sluicev1.RouterServiceClient) error{
		generate, stream, fail, exceedDeadline, cancel,
	} {
		if err := step(context.Background(), client); err != nil {
			log.Fatal(err)
		}
	}
}
