// Command hello is a function in Go for a provided.al2023 runtime: the binary is
// called bootstrap in its package and speaks the Lambda Runtime API through
// aws-lambda-go, as it would on AWS.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// What stands outside the handler runs once per execution environment.
var (
	started = time.Now().UTC()
	calls   int
)

type event struct {
	Name  string            `json:"name"`
	Query map[string]string `json:"queryStringParameters"`
}

type answer struct {
	Message string    `json:"message"`
	Started time.Time `json:"started"`
	Calls   int       `json:"calls"`
}

func handle(_ context.Context, e event) (answer, error) {
	name := e.Query["name"]
	if name == "" {
		name = e.Name
	}
	if name == "" {
		name = "world"
	}
	calls++ // one call at a time in an environment: no lock needed
	fmt.Println("greeting", name)
	return answer{Message: "Hello, " + name + "!", Started: started, Calls: calls}, nil
}

func main() { lambda.Start(handle) }
