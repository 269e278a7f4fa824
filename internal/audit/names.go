package audit

import (
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// dataEvents are the operations on what is in things, by service: they come with
// every call of a function, and CloudTrail keeps none of them by default.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
var dataEvents = table(map[string]string{
	"lambda": "Invoke InvokeAsync InvokeWithResponseStream InvokeFunction InvokeFunctionUrl",
	"logs":   "PutLogEvents GetLogEvents FilterLogEvents StartLiveTail",
	"dynamodb": `BatchExecuteStatement BatchGetItem BatchWriteItem DeleteItem ExecuteStatement ExecuteTransaction GetItem
		PutItem Query Scan TransactGetItems TransactWriteItems UpdateItem GetRecords GetShardIterator`,
	"s3": `AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject DeleteObjects
		DeleteObjectTagging GetObject GetObjectAcl GetObjectAttributes GetObjectTagging HeadObject ListMultipartUploads
		ListObjects ListObjectsV2 ListObjectVersions ListParts PutObject PutObjectAcl PutObjectTagging RestoreObject
		SelectObjectContent UploadPart UploadPartCopy`,
	"sqs": `ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch ReceiveMessage
		SendMessage SendMessageBatch`,
	"sns":        "Publish PublishBatch",
	"events":     "PutEvents",
	"kinesis":    "GetRecords GetShardIterator PutRecord PutRecords SubscribeToShard",
	"xray":       "PutTraceSegments PutTelemetryRecords GetTraceSummaries BatchGetTraces",
	"monitoring": "PutMetricData GetMetricData GetMetricStatistics ListMetrics",
	"mayfly":     auditAction,
})

// auditAction is what a caller must be allowed to do to read the trail's page.
const auditAction = "GetAuditTrail"

// handedOut are the reads that hand out secrets or credentials, by service: who learned
// them is not to be lost.
var handedOut = table(map[string]string{
	"secretsmanager": "GetSecretValue BatchGetSecretValue",
	"ssm":            "GetParameter GetParameters GetParametersByPath GetParameterHistory",
	"kms":            "Decrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext",
	"sts":            "AssumeRole AssumeRoleWithWebIdentity GetSessionToken GetFederationToken",
})

func table(names map[string]string) map[string]map[string]bool {
	t := make(map[string]map[string]bool, len(names))
	for service, list := range names {
		t[service] = map[string]bool{}
		for _, operation := range strings.Fields(list) {
			t[service][operation] = true
		}
	}
	return t
}

func isData(service, operation string) bool { return dataEvents[service][operation] }

// lambdaNames are the dates that CloudTrail adds to the names of Lambda's operations.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
var lambdaNames = map[string]string{
	"AddPermission": "20150331v2", "CreateAlias": "20150331", "CreateEventSourceMapping": "20150331", "CreateFunction": "20150331",
	"DeleteAlias": "20150331", "DeleteEventSourceMapping": "20150331", "DeleteFunction": "20150331", "GetAlias": "20150331",
	"GetEventSourceMapping": "20150331", "GetFunction": "20150331v2", "GetFunctionConfiguration": "20150331v2", "GetPolicy": "20150331v2",
	"ListAliases": "20150331", "ListEventSourceMappings": "20150331", "ListFunctions": "20150331", "ListTags": "20170331",
	"ListVersionsByFunction": "20150331", "PublishVersion": "20150331", "RemovePermission": "20150331v2", "TagResource": "20170331v2",
	"UntagResource": "20170331v2", "UpdateAlias": "20150331", "UpdateEventSourceMapping": "20150331",
	"UpdateFunctionCode": "20150331v2", "UpdateFunctionConfiguration": "20150331v2",
	"PublishLayerVersion": "20181031", "DeleteLayerVersion": "20181031", "AddLayerVersionPermission": "20181031",
	"RemoveLayerVersionPermission": "20181031", "PutFunctionConcurrency": "20171031", "DeleteFunctionConcurrency": "20171031",
}

// sourceOf is the eventSource of a service.
func sourceOf(service string) string {
	if service == "mayfly" {
		return service
	}
	return service + ".amazonaws.com"
}

// resourceTypes are CloudFormation's types of resources, by the service in an ARN and
// the first word of the resource. One without a word is of resources that have none.
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
var resourceTypes = map[string]string{
	"lambda/function": "AWS::Lambda::Function", "lambda/layer": "AWS::Lambda::LayerVersion",
	"lambda/event-source-mapping": "AWS::Lambda::EventSourceMapping", "lambda/code-signing-config": "AWS::Lambda::CodeSigningConfig",
	"logs/log-group": "AWS::Logs::LogGroup",
	"iam/user":       "AWS::IAM::User", "iam/group": "AWS::IAM::Group", "iam/role": "AWS::IAM::Role", "iam/policy": "AWS::IAM::Policy",
	"iam/instance-profile": "AWS::IAM::InstanceProfile", "iam/oidc-provider": "AWS::IAM::OIDCProvider",
	"sts/assumed-role": "AWS::STS::AssumedRole", "sts/federated-user": "AWS::STS::FederatedUser",
	"dynamodb/table": "AWS::DynamoDB::Table", "kms/key": "AWS::KMS::Key", "kms/alias": "AWS::KMS::Alias",
	"secretsmanager/secret": "AWS::SecretsManager::Secret", "ssm/parameter": "AWS::SSM::Parameter",
	"events/rule": "AWS::Events::Rule", "events/event-bus": "AWS::Events::EventBus",
	"sqs": "AWS::SQS::Queue", "sns": "AWS::SNS::Topic",
}

// resourceOf gives the type of the resource that an ARN names and its name for people:
// that of the function without its version, of the object with its bucket. ok is false
// for what names none.
func resourceOf(text string) (r Resource, ok bool) {
	a, err := arn.Parse(text)
	if err != nil {
		return r, false
	}
	r.ARN = text
	if a.Service == "s3" {
		r.Type, r.Name = "AWS::S3::Bucket", a.Resource
		if strings.Contains(a.Resource, "/") {
			r.Type = "AWS::S3::Object"
		}
		return r, true
	}
	at := strings.IndexAny(a.Resource, ":/")
	if at < 0 {
		r.Type, r.Name = resourceTypes[a.Service], a.Resource
		return r, true
	}
	r.Type = resourceTypes[a.Service+"/"+a.Resource[:at]]
	r.Name = a.Resource[at+1:]
	switch a.Service {
	case "lambda": // NAME:VERSION
		r.Name, _, _ = strings.Cut(r.Name, ":")
	case "logs": // NAME:* or NAME:log-stream:STREAM
		r.Name, _, _ = strings.Cut(r.Name, ":")
	case "iam": // PATH/NAME
		r.Name = r.Name[strings.LastIndexByte(r.Name, '/')+1:]
	case "dynamodb": // NAME/index/INDEX
		r.Name, _, _ = strings.Cut(r.Name, "/")
	}
	if r.Name == "" { // all of a kind
		r.Name = a.Resource
	}
	return r, true
}
