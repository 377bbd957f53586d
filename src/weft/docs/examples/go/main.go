// Reads the threads of a Weft server.
//
//	weft-example [-roots FILE] HOST:PORT thread MESSAGE-ID
//	weft-example [-roots FILE] HOST:PORT search WORD...
//	weft-example [-roots FILE] HOST:PORT watch [POSITION]
//
// FILE has the certificates of the authorities that are trusted (PEM), instead of those of the system.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"weft.example/weftv1"
)

const (
	maxMessage = 8 << 20 // a page of a thread has more than 1 MiB at times
	timeout    = 30 * time.Second
)

func connect(address, roots string) (*grpc.ClientConn, error) {
	config := &tls.Config{}
	if roots != "" {
		pem, err := os.ReadFile(roots)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificates", roots)
		}
	}
	return grpc.Dial(address,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
}

func dateOf(date *weftv1.StatedTime) string {
	if date == nil {
		return "          "
	}
	return date.Time.AsTime().Format("2006-01-02")
}

func printThread(client weftv1.ThreadServiceClient, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request := &weftv1.GetThreadRequest{MessageId: []byte(id)}
	for {
		page, err := client.GetThread(ctx, request)
		if err != nil {
			return err
		}
		for _, message := range page.Messages {
			text := fmt.Sprintf("%s: %s", message.Author, message.Subject)
			if message.Ghost {
				text = fmt.Sprintf("[missing %s]", message.MessageId)
			}
			fmt.Printf("%s %s%s\n", dateOf(message.Date), strings.Repeat("  ", int(message.Depth)), text)
		}
		if request.PageToken = page.NextPageToken; request.PageToken == "" {
			return nil
		}
	}
}

func printFound(client weftv1.ThreadServiceClient, query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request := &weftv1.SearchMessagesRequest{Query: query}
	for {
		page, err := client.SearchMessages(ctx, request)
		if err != nil {
			return err
		}
		for _, found := range page.Results {
			fmt.Printf("%s %s %s %s\n", dateOf(found.Date), found.List, found.MessageId, found.Subject)
		}
		if request.PageToken = page.NextPageToken; request.PageToken == "" {
			return nil
		}
	}
}

// printChanges prints each change as it comes, until the server ends it.
func printChanges(client weftv1.ThreadServiceClient, position []string) error {
	request := &weftv1.WatchChangesRequest{}
	if len(position) > 0 {
		after, err := strconv.ParseUint(position[0], 10, 64)
		if err != nil {
			return err
		}
		request.AfterPosition = &after
	}
	stream, err := client.WatchChanges(context.Background(), request)
	for err == nil {
		var response *weftv1.WatchChangesResponse
		if response, err = stream.Recv(); err == nil {
			for _, change := range response.Changes {
				causes := []string{}
				for _, cause := range change.Causes {
					causes = append(causes, cause.String())
				}
				fmt.Printf("%d %s %s %s\n", change.LogPosition, strings.Join(causes, " "), change.List, change.MessageId)
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func run(roots string, arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("an address and a command are needed")
	}
	connection, err := connect(arguments[0], roots)
	if err != nil {
		return err
	}
	defer connection.Close()
	client, rest := weftv1.NewThreadServiceClient(connection), arguments[2:]
	switch {
	case arguments[1] == "thread" && len(rest) == 1:
		return printThread(client, rest[0])
	case arguments[1] == "search":
		return printFound(client, strings.Join(rest, " "))
	case arguments[1] == "watch":
		return printChanges(client, rest)
	}
	return fmt.Errorf("unknown command: %s", arguments[1])
}

func main() {
	roots := flag.String("roots", "", "certificates of the authorities that are trusted (PEM)")
	flag.Parse()
	if err := run(*roots, flag.Args()); err != nil {
		// Of gRPC: a code and a message; the details have what more is known, such as google.rpc.ErrorInfo.
		told := status.Convert(err)
		fmt.Fprintf(os.Stderr, "%s: %s\n", told.Code(), told.Message())
		os.Exit(1)
	}
}
