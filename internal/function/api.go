package function

import (
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// API lists Lambda's operations: those served, and those AWS has and this node
// has not, whose callers are told so. Calls are run by the Invoker.
func (s *Service) API(run Invoker) wire.API {
	c := calls{s, run}
	return wire.API{
		Service:   "lambda",
		Protocols: []wire.Protocol{wire.RestJSON},
		Errors:    lambda.TypeRegistry,
		Unions: []wire.Union{wire.Variants[types.InvokeWithResponseStreamResponseEvent](
			&types.InvokeWithResponseStreamResponseEventMemberInvokeComplete{},
			&types.InvokeWithResponseStreamResponseEventMemberPayloadChunk{},
		)},
		Operations: slices.Concat(s.functionOperations(), s.concurrencyOperations(), s.layerOperations(),
			s.settingOperations(), s.toolOperations(), c.operations()),
		Absent: absent,
		Access: s.access(),
	}
}

// functionOperations are about functions, their versions and aliases.
func (s *Service) functionOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.CreateFunction, s.createFunction),
		wire.Op(schemas.GetFunction, s.getFunction),
		wire.Op(schemas.GetFunctionConfiguration, s.getFunctionConfiguration),
		wire.Op(schemas.UpdateFunctionCode, s.updateFunctionCode),
		wire.Op(schemas.UpdateFunctionConfiguration, s.updateFunctionConfiguration),
		wire.Op(schemas.DeleteFunction, s.deleteFunctionOp),
		wire.Op(schemas.ListFunctions, s.listFunctions),
		wire.Op(schemas.PublishVersion, s.publishVersion),
		wire.Op(schemas.ListVersionsByFunction, s.listVersionsByFunction),
		wire.Op(schemas.CreateAlias, s.createAlias),
		wire.Op(schemas.GetAlias, s.getAlias),
		wire.Op(schemas.UpdateAlias, s.updateAlias),
		wire.Op(schemas.DeleteAlias, s.deleteAlias),
		wire.Op(schemas.ListAliases, s.listAliases),
	}
}

// concurrencyOperations are about how much of a function runs, and its URL.
func (s *Service) concurrencyOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.PutFunctionConcurrency, s.putFunctionConcurrency),
		wire.Op(schemas.GetFunctionConcurrency, s.getFunctionConcurrency),
		wire.Op(schemas.DeleteFunctionConcurrency, s.deleteFunctionConcurrency),
		wire.Op(schemas.PutProvisionedConcurrencyConfig, s.putProvisionedConcurrency),
		wire.Op(schemas.GetProvisionedConcurrencyConfig, s.getProvisionedConcurrency),
		wire.Op(schemas.DeleteProvisionedConcurrencyConfig, s.deleteProvisionedConcurrency),
		wire.Op(schemas.ListProvisionedConcurrencyConfigs, s.listProvisionedConcurrency),
		wire.Op(schemas.CreateFunctionUrlConfig, s.createFunctionURL),
		wire.Op(schemas.GetFunctionUrlConfig, s.getFunctionURL),
		wire.Op(schemas.UpdateFunctionUrlConfig, s.updateFunctionURL),
		wire.Op(schemas.DeleteFunctionUrlConfig, s.deleteFunctionURL),
		wire.Op(schemas.ListFunctionUrlConfigs, s.listFunctionURLs),
	}
}

// layerOperations are about layers.
func (s *Service) layerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.PublishLayerVersion, s.publishLayerVersion),
		wire.Op(schemas.GetLayerVersion, s.getLayerVersion),
		wire.Op(schemas.GetLayerVersionByArn, s.getLayerVersionByARN),
		wire.Op(schemas.ListLayers, s.listLayers),
		wire.Op(schemas.ListLayerVersions, s.listLayerVersions),
		wire.Op(schemas.DeleteLayerVersion, s.deleteLayerVersion),
		wire.Op(schemas.AddLayerVersionPermission, s.addLayerVersionPermission),
		wire.Op(schemas.RemoveLayerVersionPermission, s.removeLayerVersionPermission),
		wire.Op(schemas.GetLayerVersionPolicy, s.getLayerVersionPolicy),
	}
}

// settingOperations are about policies, tags and asynchronous calls.
func (s *Service) settingOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.AddPermission, s.addPermission),
		wire.Op(schemas.RemovePermission, s.removePermission),
		wire.Op(schemas.GetPolicy, s.getPolicy),
		wire.Op(schemas.TagResource, s.tagResource),
		wire.Op(schemas.UntagResource, s.untagResource),
		wire.Op(schemas.ListTags, s.listTags),
		wire.Op(schemas.PutFunctionEventInvokeConfig, s.putEventInvokeConfig),
		wire.Op(schemas.UpdateFunctionEventInvokeConfig, s.updateEventInvokeConfig),
		wire.Op(schemas.GetFunctionEventInvokeConfig, s.getEventInvokeConfig),
		wire.Op(schemas.DeleteFunctionEventInvokeConfig, s.deleteEventInvokeConfig),
		wire.Op(schemas.ListFunctionEventInvokeConfigs, s.listEventInvokeConfigs),
	}
}

// toolOperations are those that tools read on their way.
func (s *Service) toolOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.GetAccountSettings, s.getAccountSettings),
		wire.Op(schemas.GetFunctionCodeSigningConfig, s.getCodeSigningConfig),
		wire.Op(schemas.PutRuntimeManagementConfig, s.putRuntimeManagementConfig),
		wire.Op(schemas.GetRuntimeManagementConfig, s.getRuntimeManagementConfig),
		wire.Op(schemas.PutFunctionRecursionConfig, s.putRecursionConfig),
		wire.Op(schemas.GetFunctionRecursionConfig, s.getRecursionConfig),
		wire.Op(schemas.GetFunctionScalingConfig, s.getScalingConfig),
		wire.Op(schemas.ListEventSourceMappings, s.listEventSourceMappings),
	}
}

// operations are those that run functions.
func (c calls) operations() []wire.Operation {
	return []wire.Operation{
		wire.Op(schemas.Invoke, c.invoke).Media("application/json"),
		wire.Op(schemas.InvokeAsync, c.invokeAsync),
		wire.Stream(schemas.InvokeWithResponseStream, c.invokeStream),
	}
}

// absent are the operations that are not here.
var absent = []*smithy.Schema{
	schemas.CheckpointDurableExecution, schemas.CreateCapacityProvider, schemas.CreateCodeSigningConfig,
	schemas.CreateEventSourceMapping, schemas.DeleteCapacityProvider, schemas.DeleteCodeSigningConfig,
	schemas.DeleteEventSourceMapping, schemas.DeleteFunctionCodeSigningConfig, schemas.DeleteResourcePolicy,
	schemas.GetCapacityProvider, schemas.GetCodeSigningConfig, schemas.GetDurableExecution,
	schemas.GetDurableExecutionHistory, schemas.GetDurableExecutionState, schemas.GetEventSourceMapping,
	schemas.GetResourcePolicy, schemas.ListCapacityProviders, schemas.ListCodeSigningConfigs,
	schemas.ListDurableExecutionsByFunction, schemas.ListFunctionVersionsByCapacityProvider,
	schemas.ListFunctionsByCodeSigningConfig, schemas.PutFunctionCodeSigningConfig,
	schemas.PutFunctionScalingConfig, schemas.PutResourcePolicy, schemas.SendDurableExecutionCallbackFailure,
	schemas.SendDurableExecutionCallbackHeartbeat, schemas.SendDurableExecutionCallbackSuccess,
	schemas.StopDurableExecution, schemas.UpdateCapacityProvider, schemas.UpdateCodeSigningConfig,
	schemas.UpdateEventSourceMapping,
}

// as copies a struct of the SDK's into another that has the same members and
// more: the configuration of a function is the output of five operations, each
// with a type of its own.
func as[T any](from any) *T {
	to := new(T)
	src, dst := reflect.ValueOf(from), reflect.ValueOf(to).Elem()
	for i := range src.NumField() {
		f := src.Type().Field(i)
		if d := dst.FieldByName(f.Name); f.IsExported() && d.IsValid() && d.Type() == f.Type {
			d.Set(src.Field(i))
		}
	}
	return to
}

// str reads an optional text of an input.
func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// text makes an optional text of an output: nil for an empty one.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// whole turns an optional number of an input into the domain's.
func whole(p *int32) *int {
	if p == nil {
		return nil
	}
	n := int(*p)
	return &n
}

// int32Of turns a number of the domain into an output's.
func int32Of(n int) *int32 {
	v := int32(n)
	return &v
}

// enum reads an optional enumeration of an input, where empty is nothing.
func enum[E ~string](e E) *string { return text(string(e)) }

func texts[E ~string](list []E) []string {
	var out []string
	for _, e := range list {
		out = append(out, string(e))
	}
	return out
}

func enums[E ~string](list []string) []E {
	var out []E
	for _, s := range list {
		out = append(out, E(s))
	}
	return out
}

// each converts a list.
func each[T, U any](list []T, fn func(*T) U) []U {
	out := make([]U, 0, len(list)) // an empty list is printed as one
	for i := range list {
		out = append(out, fn(&list[i]))
	}
	return out
}

func pageOf(marker *string, limit *int32) (Page, error) {
	p := Page{Marker: str(marker)}
	if limit != nil {
		if err := within(int(*limit), "maxItems", 1, 10000); err != nil {
			return p, err
		}
		p.Max = int(*limit)
	}
	return p, nil
}

// timeForm is how most of Lambda's answers print a time.
const timeForm = "2006-01-02T15:04:05.000-0700"
