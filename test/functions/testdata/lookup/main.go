// Command lookup is a function in Go that asks the cloud it runs in about itself,
// with the SDK, and answers with the cloud's refusal: its role may do nothing.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
)

func main() {
	client := api.New(api.Options{Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))})
	lambda.Start(func(ctx context.Context) (string, error) {
		_, err := client.GetFunction(ctx, &api.GetFunctionInput{FunctionName: aws.String(os.Getenv("AWS_LAMBDA_FUNCTION_NAME"))})
		var refusal smithy.APIError
		if errors.As(err, &refusal) {
			return refusal.ErrorCode(), nil
		}
		return "", err
	})
}
