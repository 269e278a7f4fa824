package function

import (
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// named is a parameter that is not supported, and whether a caller set it.
type named struct {
	parameter string
	set       bool
}

func refuseAny(list []named) error {
	for _, n := range list {
		if n.set {
			return unsupported(n.parameter)
		}
	}
	return nil
}

// refuseCreation refuses what only CreateFunction has.
func refuseCreation(in *lambda.CreateFunctionInput) error {
	return refuseAny([]named{
		{"PackageType Image", in.PackageType == types.PackageTypeImage},
		{"CodeSigningConfigArn", in.CodeSigningConfigArn != nil},
		{"PublishTo", in.PublishTo != ""},
		{"TenancyConfig", in.TenancyConfig != nil},
	})
}

// changeOf turns an input into a change. The empty forms of settings that are not
// supported, which tools send to say "none", pass.
func changeOf(in *lambda.UpdateFunctionConfigurationInput) (Change, error) {
	if err := refuseAny([]named{
		{"CapacityProviderConfig", in.CapacityProviderConfig != nil},
		{"DurableConfig", in.DurableConfig != nil},
		{"FileSystemConfigs", len(in.FileSystemConfigs) > 0},
		{"ImageConfig", in.ImageConfig != nil},
		{"KMSKeyArn", str(in.KMSKeyArn) != ""},
		{"SnapStart", in.SnapStart != nil && in.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions},
		{"VpcConfig", in.VpcConfig != nil && len(in.VpcConfig.SubnetIds)+len(in.VpcConfig.SecurityGroupIds) > 0},
	}); err != nil {
		return Change{}, err
	}
	c := Change{
		Description: in.Description, Runtime: enum(in.Runtime), Handler: in.Handler, Role: in.Role,
		MemoryMiB: whole(in.MemorySize), Timeout: whole(in.Timeout),
	}
	if in.EphemeralStorage != nil {
		c.TmpMiB = whole(in.EphemeralStorage.Size)
	}
	if in.Environment != nil {
		c.Environment = in.Environment.Variables
		if c.Environment == nil {
			c.Environment = map[string]string{} // an empty one takes all variables away
		}
	}
	if in.Layers != nil {
		c.Layers = &in.Layers
	}
	if in.DeadLetterConfig != nil {
		target := str(in.DeadLetterConfig.TargetArn) // an empty one takes it away
		c.DeadLetter = &target
	}
	if in.TracingConfig != nil {
		c.Tracing = enum(in.TracingConfig.Mode)
	}
	if l := in.LoggingConfig; l != nil {
		c.LogFormat, c.LogGroup = enum(l.LogFormat), text(str(l.LogGroup))
		c.LogApplication, c.LogSystem = enum(l.ApplicationLogLevel), enum(l.SystemLogLevel)
	}
	return c, nil
}

// architectureOf reads a list that may name one.
func architectureOf(list []types.Architecture) (*string, error) {
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return enum(list[0]), nil
	}
	return nil, violates(list, "architectures", "Member must have length less than or equal to 1")
}
