// Program interop runs gRPC's interop cases with grpc-go. Its arguments are the file of the plan, the
// address and the names of the cases. Prints one line a case.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const timeout = 10 * time.Second

// rawCodec passes bytes on as they are: the plan has the messages ready.
type rawCodec struct{}

func (rawCodec) Name() string                      { return "proto" }
func (rawCodec) Marshal(value any) ([]byte, error) { return *value.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, value any) error {
	*value.(*[]byte) = bytes.Clone(data)
	return nil
}

type interop struct {
	conn *grpc.ClientConn
	plan map[string]any
}

func (i *interop) text(name string) string { return i.plan[name].(string) }

func (i *interop) message(name string) []byte {
	data, err := base64.StdEncoding.DecodeString(i.text(name))
	if err != nil {
		panic(err)
	}
	return data
}

func (i *interop) unary(ctx context.Context, path, name string, options ...grpc.CallOption) ([]byte, error) {
	request := i.message(name)
	var answer []byte
	err := i.conn.Invoke(ctx, path, &request, &answer, options...)
	return answer, err
}

func (i *interop) stream(ctx context.Context, name string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := i.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, i.text("stream"), options...)
	if err != nil {
		return nil, err
	}
	request := i.message(name)
	if err := stream.SendMsg(&request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream, stream.CloseSend()
}

func readAll(stream grpc.ClientStream) ([][]byte, error) {
	var answers [][]byte
	for {
		var answer []byte
		if err := stream.RecvMsg(&answer); errors.Is(err, io.EOF) {
			return answers, nil
		} else if err != nil {
			return answers, err
		}
		answers = append(answers, answer)
	}
}

func wantCode(err error, code codes.Code, text string) error {
	got := status.Convert(err)
	if got.Code() != code || (text != "" && got.Message() != text) {
		return fmt.Errorf("%v %q instead of %v %q", got.Code(), got.Message(), code, text)
	}
	return nil
}

func wantBytes(got, want []byte) error {
	if !bytes.Equal(got, want) {
		return fmt.Errorf("another answer, of %d bytes instead of %d", len(got), len(want))
	}
	return nil
}

func (i *interop) emptyUnary(ctx context.Context) error {
	answer, err := i.unary(ctx, i.text("list"), "empty")
	return errors.Join(err, wantBytes(answer, i.message("emptyAnswer")))
}

func (i *interop) largeUnary(options ...grpc.CallOption) func(context.Context) error {
	return func(ctx context.Context) error {
		answer, err := i.unary(ctx, i.text("get"), "large", options...)
		return errors.Join(err, wantBytes(answer, i.message("largeAnswer")))
	}
}

func (i *interop) serverStreaming(options ...grpc.CallOption) func(context.Context) error {
	return func(ctx context.Context) error {
		stream, err := i.stream(ctx, "streamAll", options...)
		if err != nil {
			return err
		}
		answers, err := readAll(stream)
		sizes := i.plan["streamSizes"].([]any)
		if err != nil || len(answers) != len(sizes) {
			return fmt.Errorf("%d answers instead of %d: %w", len(answers), len(sizes), err)
		}
		for index, size := range sizes {
			// Each answer is its text and a few fields.
			if extra := len(answers[index]) - int(size.(float64)); extra < 0 || extra > 32 {
				return fmt.Errorf("answer %d has %d bytes more than its text", index, extra)
			}
		}
		return nil
	}
}

func (i *interop) reflect(ctx context.Context) (grpc.ClientStream, error) {
	return i.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, i.text("reflect"))
}

func (i *interop) pingPong(ctx context.Context) error {
	stream, err := i.reflect(ctx)
	if err != nil {
		return err
	}
	ping := i.message("ping")
	for range 4 {
		var pong []byte
		if err := errors.Join(stream.SendMsg(&ping), stream.RecvMsg(&pong)); err != nil {
			return err
		}
		if !bytes.Contains(pong, ping) {
			return errors.New("the answer does not repeat its request")
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = readAll(stream)
	return err
}

func (i *interop) emptyStream(ctx context.Context) error {
	stream, err := i.stream(ctx, "streamEmpty")
	if err != nil {
		return err
	}
	answers, err := readAll(stream)
	if err != nil || len(answers) > 0 {
		return fmt.Errorf("%d answers instead of none: %w", len(answers), err)
	}
	both, err := i.reflect(ctx)
	if err != nil {
		return err
	}
	if err := both.CloseSend(); err != nil {
		return err
	}
	_, err = readAll(both)
	return err
}

func (i *interop) customMetadata(ctx context.Context) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", "interop-1", "x-some-bin", "\xab\x00\xff")
	var header metadata.MD
	if _, err := i.unary(ctx, i.text("list"), "empty", grpc.Header(&header)); err != nil {
		return err
	}
	stream, err := i.stream(ctx, "streamAll")
	if err != nil {
		return err
	}
	streamed, err := stream.Header()
	if err != nil {
		return err
	}
	if got := append(header.Get("x-request-id"), streamed.Get("x-request-id")...); strings.Join(got, ",") != "interop-1,interop-1" {
		return fmt.Errorf("the request ids are %v", got)
	}
	_, err = readAll(stream)
	return err
}

func (i *interop) statusCodeAndMessage(ctx context.Context) error {
	_, err := i.unary(ctx, i.text("get"), "getStatus")
	stream, streamErr := i.stream(ctx, "streamStatus")
	if streamErr != nil {
		return streamErr
	}
	_, streamErr = readAll(stream)
	text := i.text("statusMessage")
	return errors.Join(wantCode(err, codes.NotFound, text), wantCode(streamErr, codes.NotFound, text))
}

func (i *interop) specialStatusMessage(ctx context.Context) error {
	_, err := i.unary(ctx, i.text("get"), "getSpecial")
	return wantCode(err, codes.NotFound, i.text("specialMessage"))
}

func (i *interop) unimplemented(path string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := i.unary(ctx, i.text(path), "empty")
		return wantCode(err, codes.Unimplemented, "")
	}
}

func (i *interop) cancelAfterBegin(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := i.unary(ctx, i.text("get"), "getSleep")
	return wantCode(err, codes.Canceled, "")
}

func (i *interop) cancelAfterFirstResponse(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := i.stream(ctx, "streamSleepAfterOne")
	if err != nil {
		return err
	}
	var answer []byte
	if err := stream.RecvMsg(&answer); err != nil {
		return err
	}
	cancel()
	return wantCode(stream.RecvMsg(&answer), codes.Canceled, "")
}

func (i *interop) timeoutOnSleepingServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := i.unary(ctx, i.text("get"), "getSleep")
	return wantCode(err, codes.DeadlineExceeded, "")
}

func (i *interop) rpcSoak(ctx context.Context) error {
	for range 500 {
		if err := i.emptyUnary(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (i *interop) manyAtOnce(ctx context.Context) error {
	const count = 1000
	failures := make([]error, count)
	var group sync.WaitGroup
	for index := range count {
		group.Go(func() { failures[index] = i.emptyUnary(ctx) })
	}
	group.Wait()
	return errors.Join(failures...)
}

func (i *interop) largeMetadata(ctx context.Context) error {
	if _, err := i.unary(metadata.AppendToOutgoingContext(ctx, "x-large", strings.Repeat("y", 12_000)), i.text("list"), "empty"); err != nil {
		return err
	}
	// Beyond the server's limit the call fails and the connection lives on.
	tooLarge := metadata.AppendToOutgoingContext(ctx, "x-too-large", strings.Repeat("y", 63*1024))
	if _, err := i.unary(tooLarge, i.text("list"), "empty"); err == nil {
		return errors.New("the call succeeded")
	}
	return i.emptyUnary(ctx)
}

func main() {
	file, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	i := &interop{}
	if err := json.Unmarshal(file, &i.plan); err != nil {
		panic(err)
	}
	i.conn, err = grpc.NewClient(os.Args[2],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	if err != nil {
		panic(err)
	}
	defer i.conn.Close()
	gzipped := grpc.UseCompressor(gzip.Name)
	cases := []func(context.Context) error{
		i.emptyUnary,
		i.largeUnary(),
		i.largeUnary(gzipped),
		i.largeUnary(),
		i.serverStreaming(),
		i.serverStreaming(gzipped),
		i.pingPong,
		i.emptyStream,
		i.customMetadata,
		i.statusCodeAndMessage,
		i.specialStatusMessage,
		i.unimplemented("unimplementedMethod"),
		i.unimplemented("unimplementedService"),
		i.cancelAfterBegin,
		i.cancelAfterFirstResponse,
		i.timeoutOnSleepingServer,
		i.rpcSoak,
		i.manyAtOnce,
		i.largeMetadata,
	}
	for index, name := range strings.Split(os.Args[3], ",") {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		if err := cases[index](ctx); err != nil {
			fmt.Printf("FAILED %s: %.500v\n", name, err)
		} else {
			fmt.Printf("ok %s\n", name)
		}
		cancel()
	}
}
