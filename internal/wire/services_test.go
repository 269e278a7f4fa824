package wire_test

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamoschemas "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqsschemas "github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
	"github.com/aws/smithy-go/transport/http/protocol/restxml"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// sdkService is an SDK client that can be made to speak any protocol, and the API it
// would find.
type sdkService struct {
	name    string
	schema  *smithy.ServiceSchema
	client  func(server aws.HTTPClient, p smithyhttp.ClientProtocol) any
	api     wire.API
	unions  map[reflect.Type][]any
	streams map[string]bool // operations with event streams, tested elsewhere
}

// nowhere is the endpoint of clients that are handed their server.
var nowhere = "http://localhost"

var creds = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")

var services = []sdkService{
	{
		name: "lambda", schema: lambdaschemas.AWSGirApiService,
		api: wire.API{Service: "lambda", Errors: lambda.TypeRegistry},
		client: func(server aws.HTTPClient, p smithyhttp.ClientProtocol) any {
			return lambda.New(lambda.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &nowhere, HTTPClient: server, Retryer: aws.NopRetryer{}}, func(o *lambda.Options) { o.Protocol = or(p, o.Protocol) })
		},
		streams: map[string]bool{"InvokeWithResponseStream": true},
	},
	{
		name: "logs", schema: logschemas.Logs_20140328,
		api: wire.API{Service: "logs", Target: "Logs_20140328", Errors: cloudwatchlogs.TypeRegistry, Unions: []wire.Union{
			wire.Variants[logstypes.IntegrationDetails](&logstypes.IntegrationDetailsMemberOpenSearchIntegrationDetails{}),
			wire.Variants[logstypes.ResourceConfig](&logstypes.ResourceConfigMemberOpenSearchResourceConfig{}),
		}},
		unions: map[reflect.Type][]any{
			reflect.TypeFor[logstypes.IntegrationDetails](): {&logstypes.IntegrationDetailsMemberOpenSearchIntegrationDetails{}},
			reflect.TypeFor[logstypes.ResourceConfig]():     {&logstypes.ResourceConfigMemberOpenSearchResourceConfig{}},
		},
		client: func(server aws.HTTPClient, p smithyhttp.ClientProtocol) any {
			return cloudwatchlogs.New(cloudwatchlogs.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &nowhere, HTTPClient: server, Retryer: aws.NopRetryer{}}, func(o *cloudwatchlogs.Options) { o.Protocol = or(p, o.Protocol) })
		},
		streams: map[string]bool{"StartLiveTail": true, "GetLogObject": true},
	},
	{
		name: "dynamodb", schema: dynamoschemas.DynamoDB_20120810,
		api: wire.API{Service: "dynamodb", Target: "DynamoDB_20120810", Errors: dynamodb.TypeRegistry, Unions: []wire.Union{
			wire.Variants[dynamotypes.AttributeValue](attributeValues...),
		}},
		unions: map[reflect.Type][]any{reflect.TypeFor[dynamotypes.AttributeValue](): anys(attributeValues)},
		client: func(server aws.HTTPClient, p smithyhttp.ClientProtocol) any {
			return dynamodb.New(dynamodb.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &nowhere, HTTPClient: server, Retryer: aws.NopRetryer{}}, func(o *dynamodb.Options) { o.Protocol = or(p, o.Protocol) })
		},
	},
	{
		name: "sqs", schema: sqsschemas.AmazonSQS,
		api: wire.API{Service: "sqs", Target: "AmazonSQS", Errors: sqs.TypeRegistry},
		client: func(server aws.HTTPClient, p smithyhttp.ClientProtocol) any {
			return sqs.New(sqs.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &nowhere, HTTPClient: server, Retryer: aws.NopRetryer{}, DisableMessageChecksumValidation: true}, func(o *sqs.Options) { o.Protocol = or(p, o.Protocol) })
		},
	},
}

var attributeValues = []dynamotypes.AttributeValue{
	&dynamotypes.AttributeValueMemberB{}, &dynamotypes.AttributeValueMemberBOOL{}, &dynamotypes.AttributeValueMemberBS{},
	&dynamotypes.AttributeValueMemberL{}, &dynamotypes.AttributeValueMemberM{}, &dynamotypes.AttributeValueMemberN{},
	&dynamotypes.AttributeValueMemberNS{}, &dynamotypes.AttributeValueMemberNULL{}, &dynamotypes.AttributeValueMemberS{},
	&dynamotypes.AttributeValueMemberSS{},
}

func anys[T any](vs []T) []any {
	var all []any
	for _, v := range vs {
		all = append(all, v)
	}
	return all
}

var protocols = map[wire.Protocol]func(*smithy.ServiceSchema) smithyhttp.ClientProtocol{
	wire.RestJSON: func(s *smithy.ServiceSchema) smithyhttp.ClientProtocol { return restjson1.New(s) },
	wire.RestXML:  func(s *smithy.ServiceSchema) smithyhttp.ClientProtocol { return restxml.New(s) },
	wire.JSON10:   func(s *smithy.ServiceSchema) smithyhttp.ClientProtocol { return awsjson.New10(s) },
	wire.JSON11:   func(s *smithy.ServiceSchema) smithyhttp.ClientProtocol { return awsjson.New11(s) },
	wire.Query:    func(s *smithy.ServiceSchema) smithyhttp.ClientProtocol { return awsquery.New(s) },
	wire.CBOR:     func(s *smithy.ServiceSchema) smithyhttp.ClientProtocol { return rpcv2.NewCBOR(s) },
}

// service finds one by name.
func service(name string) *sdkService {
	for i := range services {
		if services[i].name == name {
			return &services[i]
		}
	}
	panic("no service " + name)
}

// or gives p, or the client's own protocol.
func or(p, own smithyhttp.ClientProtocol) smithyhttp.ClientProtocol {
	if p == nil {
		return own
	}
	return p
}
