package function

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// permissions are those whose names are not their operation's.
var permissions = map[string]string{
	"Invoke":                   "InvokeFunction",
	"InvokeWithResponseStream": "InvokeFunction",
	"GetLayerVersionByArn":     "GetLayerVersion",
}

// access is what each operation asks of its caller. A function is asked for as the
// caller names it: one with a qualifier is another resource than one without.
// Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html,
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
func (s *Service) access() access.Table {
	t := access.Table{}
	for _, group := range []struct {
		about func(context.Context, any) []string
		keys  func(context.Context, any) access.Keys
		ops   string
	}{
		{s.aboutFunction, s.functionKeys, `GetFunction GetFunctionConfiguration UpdateFunctionCode DeleteFunction PublishVersion ListVersionsByFunction
			CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases PutFunctionConcurrency GetFunctionConcurrency DeleteFunctionConcurrency
			PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig ListProvisionedConcurrencyConfigs
			GetPolicy PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig GetFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig
			ListFunctionEventInvokeConfigs GetFunctionCodeSigningConfig PutRuntimeManagementConfig GetRuntimeManagementConfig
			PutFunctionRecursionConfig GetFunctionRecursionConfig GetFunctionScalingConfig Invoke InvokeAsync InvokeWithResponseStream`},
		{s.aboutFunction, s.settingsKeys, `CreateFunction UpdateFunctionConfiguration`},
		{s.aboutFunction, s.permissionKeys, `AddPermission RemovePermission`},
		{s.aboutFunction, s.urlKeys, `CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig DeleteFunctionUrlConfig ListFunctionUrlConfigs`},
		{s.aboutTagged, s.tagKeys, `TagResource UntagResource ListTags`},
		{s.aboutLayer, nil, `PublishLayerVersion`},
		{s.aboutLayerVersion, nil, `GetLayerVersion GetLayerVersionByArn DeleteLayerVersion AddLayerVersionPermission RemoveLayerVersionPermission
			GetLayerVersionPolicy`},
		{nil, nil, `ListFunctions ListLayers ListLayerVersions GetAccountSettings ListEventSourceMappings`},
	} {
		for op := range strings.FieldsSeq(group.ops) {
			action := op
			if p, ok := permissions[op]; ok {
				action = p
			}
			t[op] = access.Rule{Action: "lambda:" + action, Resources: group.about, Keys: group.keys}
		}
	}
	for op, also := range map[string]func(context.Context, any) []access.Need{
		"CreateFunction": s.createToo, "UpdateFunctionConfiguration": s.settingsToo, "InvokeAsync": s.invokeToo,
	} {
		r := t[op]
		r.Also = also
		t[op] = r
	}
	return t
}

func (s *Service) aboutFunction(_ context.Context, in any) []string {
	return []string{s.functionResource(access.Text(in, "FunctionName"), access.Text(in, "Qualifier"))}
}

// functionResource is the ARN of what a caller names. A name that can't be one is
// asked for as it is; the operation refuses it.
func (s *Service) functionResource(function, qualifier string) string {
	n, err := s.Parse(function, qualifier)
	switch {
	case err == nil:
		return s.arn(n.Function, n.Qualifier)
	case arn.Is(function):
		return function
	}
	return s.arn(clip(function), clip(qualifier))
}

// aboutTagged: of what has tags only functions are here.
func (s *Service) aboutTagged(_ context.Context, in any) []string {
	return []string{s.functionResource(access.Text(in, "Resource"), "")}
}

func (s *Service) aboutLayer(_ context.Context, in any) []string {
	return []string{s.layerResource(access.Text(in, "LayerName"))}
}

func (s *Service) layerResource(layer string) string {
	name, err := s.parseLayer(layer)
	switch {
	case err == nil:
		return arn.New("lambda", s.cfg.Region, s.cfg.Account, "layer:"+name).String()
	case arn.Is(layer):
		return layer
	}
	return arn.New("lambda", s.cfg.Region, s.cfg.Account, "layer:"+clip(layer)).String()
}

func (s *Service) aboutLayerVersion(_ context.Context, in any) []string {
	if in, ok := in.(*lambda.GetLayerVersionByArnInput); ok {
		return []string{s.layerVersionResource(aws.ToString(in.Arn))}
	}
	var n *int64
	switch in := in.(type) {
	case *lambda.GetLayerVersionInput:
		n = in.VersionNumber
	case *lambda.DeleteLayerVersionInput:
		n = in.VersionNumber
	case *lambda.AddLayerVersionPermissionInput:
		n = in.VersionNumber
	case *lambda.RemoveLayerVersionPermissionInput:
		n = in.VersionNumber
	case *lambda.GetLayerVersionPolicyInput:
		n = in.VersionNumber
	}
	return []string{s.layerResource(access.Text(in, "LayerName")) + ":" + strconv.FormatInt(aws.ToInt64(n), 10)}
}

// layerVersionResource is the one spelling of a layer version's ARN: nobody gets around
// a policy by another partition, or zeros before the number.
func (s *Service) layerVersionResource(text string) string {
	name, n, err := s.parseLayerVersion(text)
	if err != nil || n < 1 {
		return text // of others, or none: refused
	}
	return s.layerARN(name, uint64(n))
}

func (s *Service) layerVersionResources(texts []string) []string {
	list := make([]string, 0, maxLayers)
	for _, text := range texts[:min(len(texts), maxLayers)] { // more are refused
		list = append(list, s.layerVersionResource(text))
	}
	return list
}

// functionKeys are the tags of the function that is named; versions and aliases
// have their function's.
func (s *Service) functionKeys(ctx context.Context, in any) access.Keys {
	return s.resourceTags(ctx, access.Text(in, "FunctionName"))
}

func (s *Service) resourceTags(ctx context.Context, function string) access.Keys {
	keys := access.Keys{}
	n, err := s.Parse(function, "")
	if err != nil {
		return keys // the operation refuses it
	}
	for k, v := range s.knownTags(ctx, n.Function) {
		keys["aws:ResourceTag/"+k] = []string{v}
	}
	return keys
}

func addTags(keys access.Keys, tags map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		keys["aws:RequestTag/"+k] = []string{tags[k]}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], k)
	}
}

func (s *Service) tagKeys(ctx context.Context, in any) access.Keys {
	keys := s.resourceTags(ctx, access.Text(in, "Resource"))
	switch in := in.(type) {
	case *lambda.TagResourceInput:
		addTags(keys, in.Tags)
	case *lambda.UntagResourceInput:
		keys["aws:TagKeys"] = in.TagKeys
	}
	return keys
}

// settingsKeys are those of how a function is to run.
func (s *Service) settingsKeys(ctx context.Context, in any) access.Keys {
	switch in := in.(type) {
	case *lambda.CreateFunctionInput:
		keys := access.Keys{}
		addTags(keys, in.Tags)
		if in.CodeSigningConfigArn != nil {
			keys["lambda:CodeSigningConfigArn"] = []string{*in.CodeSigningConfigArn}
		}
		return withNetwork(keys, s.layerVersionResources(in.Layers), in.VpcConfig)
	case *lambda.UpdateFunctionConfigurationInput:
		return withNetwork(s.functionKeys(ctx, in), s.layerVersionResources(in.Layers), in.VpcConfig)
	}
	return nil
}

func withNetwork(keys access.Keys, layers []string, vpc *types.VpcConfig) access.Keys {
	if len(layers) > 0 {
		keys["lambda:Layer"] = layers
	}
	if vpc != nil {
		keys["lambda:SubnetIds"], keys["lambda:SecurityGroupIds"] = vpc.SubnetIds, vpc.SecurityGroupIds
	}
	return keys
}

// createToo is what a new function asks for besides: that its role may be handed to
// Lambda, that its layers may be read, and that it may be tagged.
func (s *Service) createToo(ctx context.Context, in any) []access.Need {
	c, ok := in.(*lambda.CreateFunctionInput)
	if !ok {
		return nil
	}
	needs := s.runsAs(c.FunctionName, c.Role, c.Layers)
	if len(c.Tags) > 0 {
		needs = append(needs, access.Need{Action: "lambda:TagResource", Resource: s.functionResource(aws.ToString(c.FunctionName), ""), Keys: s.settingsKeys(ctx, in)})
	}
	return needs
}

func (s *Service) settingsToo(_ context.Context, in any) []access.Need {
	u, ok := in.(*lambda.UpdateFunctionConfigurationInput)
	if !ok {
		return nil
	}
	return s.runsAs(u.FunctionName, u.Role, u.Layers)
}

// invokeToo is what the old way to call asks for besides its own action: that of every
// other way, so that who is denied to invoke cannot by it.
func (s *Service) invokeToo(ctx context.Context, in any) []access.Need {
	return []access.Need{{Action: "lambda:InvokeFunction", Resource: s.aboutFunction(ctx, in)[0], Keys: s.functionKeys(ctx, in)}}
}

// runsAs is what a role and layers ask for.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func (s *Service) runsAs(function, role *string, layers []string) (needs []access.Need) {
	if role != nil {
		needs = append(needs, access.Need{Action: "iam:PassRole", Resource: *role, Keys: access.Keys{
			"iam:PassedToService": {principal}, "iam:AssociatedResourceArn": {s.functionResource(aws.ToString(function), "")},
		}})
	}
	for _, l := range s.layerVersionResources(layers) {
		needs = append(needs, access.Need{Action: "lambda:GetLayerVersion", Resource: l})
	}
	return needs
}

// principal is this service as policies name it.
const principal = "lambda.amazonaws.com"

// permissionKeys are about the statement that is added or taken away.
func (s *Service) permissionKeys(ctx context.Context, in any) access.Keys {
	keys := s.functionKeys(ctx, in)
	switch in := in.(type) {
	case *lambda.AddPermissionInput:
		keys["lambda:Principal"] = []string{aws.ToString(in.Principal)}
		if in.FunctionUrlAuthType != "" {
			keys["lambda:FunctionUrlAuthType"] = []string{string(in.FunctionUrlAuthType)}
		}
	case *lambda.RemovePermissionInput:
		p, err := s.Policy(ctx, aws.ToString(in.FunctionName), aws.ToString(in.Qualifier))
		if err != nil {
			return keys // nothing to take away
		}
		at := slices.IndexFunc(p.Statements, func(st Statement) bool { return st.Sid == aws.ToString(in.StatementId) })
		if at < 0 {
			return keys
		}
		st := p.Statements[at]
		keys["lambda:Principal"] = []string{st.Principal.Service + st.Principal.AWS}
		if auth := st.Condition["StringEquals"]["lambda:FunctionUrlAuthType"]; auth != "" {
			keys["lambda:FunctionUrlAuthType"] = []string{auth}
		}
	}
	return keys
}

// urlKeys are about a function's URL: as it is to be, or as it is.
func (s *Service) urlKeys(ctx context.Context, in any) access.Keys {
	keys := s.functionKeys(ctx, in)
	function, qualifier := access.Text(in, "FunctionName"), access.Text(in, "Qualifier")
	keys["lambda:FunctionArn"] = []string{s.functionResource(function, qualifier)}
	auth := access.Text(in, "AuthType")
	if auth == "" {
		if u, err := s.GetURL(ctx, function, qualifier); err == nil {
			auth = u.Auth
		}
	}
	if auth != "" {
		keys["lambda:FunctionUrlAuthType"] = []string{auth}
	}
	return keys
}
