// Prints what replicas of Sluice tell over NATS. Usage: go run . nats://host:port [lines]
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	sluicev1 "example.com/sluice-subscriber/gen/sluice/v1"
)

// read returns the message, by the headers that say what it is and how it is written; nil for what is not known here.
func read(message *nats.Msg) (proto.Message, error) {
	var event proto.Message
	switch message.Header.Get("Sluice-Message") {
	case "sluice.v1.PerformanceEvent":
		event = &sluicev1.PerformanceEvent{}
	case "sluice.v1.BreakerTransition":
		event = &sluicev1.BreakerTransition{}
	case "sluice.v1.Alert":
		event = &sluicev1.Alert{}
	default:
		return nil, nil
	}
	if message.Header.Get("Content-Type") == "application/json" {
		return event, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(message.Data, event)
	}
	return event, proto.Unmarshal(message.Data, event)
}

func describe(event proto.Message) string {
	switch event := event.(type) {
	case *sluicev1.PerformanceEvent:
		return fmt.Sprintf("attempt %s %s %s", event.ReplicaId, event.Deployment, event.Outcome)
	case *sluicev1.BreakerTransition:
		return fmt.Sprintf("breaker %s %s %s", event.ReplicaId, event.Deployment, event.ToState)
	case *sluicev1.Alert:
		word := "raised"
		if event.Resolved {
			word = "resolved"
		}
		return fmt.Sprintf("alert %s %s %g %s", event.ReplicaId, event.Kind, event.Value, word)
	}
	return "unknown"
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: go run . nats://host:port [lines]")
	}
	left := -1
	if len(os.Args) > 2 {
		count, err := strconv.Atoi(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		left = count
	}
	connection, err := nats.Connect(os.Args[1], nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	messages := make(chan *nats.Msg, 1024)
	for _, subject := range []string{"sluice.v1.perf.>", "sluice.v1.breaker.>", "sluice.v1.alert.*"} {
		if _, err := connection.ChanSubscribe(subject, messages); err != nil {
			log.Fatal(err)
		}
	}
	if err := connection.Flush(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening")
	for left != 0 {
		event, err := read(<-messages)
		if err != nil {
			log.Print(err)
			continue
		}
		if event == nil {
			continue
		}
		fmt.Println(describe(event))
		left--
	}
}
