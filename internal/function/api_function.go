package function

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/mayfly-cloud/mayfly/internal/record"
)

func (s *Service) createFunction(ctx context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	if err := refuseCreation(in); err != nil {
		return nil, err
	}
	change, err := changeOf(as[lambda.UpdateFunctionConfigurationInput](*in))
	if err != nil {
		return nil, err
	}
	if change.Architecture, err = architectureOf(in.Architectures); err != nil {
		return nil, err
	}
	if in.Role == nil { // the SDKs check this too; others may not
		change.Role = new(string)
	}
	c := Creation{Name: str(in.FunctionName), Change: change, Tags: in.Tags, Publish: in.Publish}
	if in.Code != nil {
		if err := refuseAny([]named{
			{"Code.ImageUri", in.Code.ImageUri != nil},
			{"Code.SourceKMSKeyArn", in.Code.SourceKMSKeyArn != nil},
			{"Code.S3ObjectStorageMode", in.Code.S3ObjectStorageMode == types.S3ObjectStorageModeReference},
		}); err != nil {
			return nil, err
		}
		c.Source = Source{in.Code.ZipFile, str(in.Code.S3Bucket), str(in.Code.S3Key), str(in.Code.S3ObjectVersion)}
	}
	v, err := s.Create(ctx, c)
	if err != nil {
		return nil, err
	}
	return as[lambda.CreateFunctionOutput](s.configuration(v, "")), nil
}

func (s *Service) getFunction(ctx context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	d, err := s.Get(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	link, err := s.Link(ctx, d.Version.Package.Digest)
	if err != nil {
		return nil, err
	}
	config := s.configuration(d.Version, d.Name.Qualifier)
	out := &lambda.GetFunctionOutput{
		Configuration: &config,
		Code:          &types.FunctionCodeLocation{RepositoryType: text("S3"), Location: &link},
		Tags:          d.Tags,
	}
	if d.Reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: int32Of(*d.Reserved)}
	}
	return out, nil
}

func (s *Service) getFunctionConfiguration(ctx context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	d, err := s.Get(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	return as[lambda.GetFunctionConfigurationOutput](s.configuration(d.Version, d.Name.Qualifier)), nil
}

func (s *Service) updateFunctionCode(ctx context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	if err := refuseAny([]named{
		{"ImageUri", in.ImageUri != nil},
		{"PublishTo", in.PublishTo != ""},
		{"S3ObjectStorageMode", in.S3ObjectStorageMode == types.S3ObjectStorageModeReference},
		{"SourceKMSKeyArn", in.SourceKMSKeyArn != nil},
	}); err != nil {
		return nil, err
	}
	arch, err := architectureOf(in.Architectures)
	if err != nil {
		return nil, err
	}
	v, err := s.UpdateCode(ctx, str(in.FunctionName), CodeUpdate{
		Source:       Source{in.ZipFile, str(in.S3Bucket), str(in.S3Key), str(in.S3ObjectVersion)},
		Architecture: arch, Publish: in.Publish, DryRun: in.DryRun, Revision: str(in.RevisionId),
	})
	if err != nil {
		return nil, err
	}
	return as[lambda.UpdateFunctionCodeOutput](s.configuration(v, "")), nil
}

func (s *Service) updateFunctionConfiguration(ctx context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	change, err := changeOf(in)
	if err != nil {
		return nil, err
	}
	v, err := s.UpdateSettings(ctx, str(in.FunctionName), change, str(in.RevisionId))
	if err != nil {
		return nil, err
	}
	return as[lambda.UpdateFunctionConfigurationOutput](s.configuration(v, "")), nil
}

func (s *Service) deleteFunctionOp(ctx context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	if err := s.Delete(ctx, str(in.FunctionName), str(in.Qualifier)); err != nil {
		return nil, err
	}
	return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
}

func (s *Service) listFunctions(ctx context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if in.FunctionVersion != "" && in.FunctionVersion != types.FunctionVersionAll {
		return nil, violates(in.FunctionVersion, "functionVersion", "Member must satisfy enum value set: [ALL]")
	}
	list, next, err := s.List(ctx, in.FunctionVersion == types.FunctionVersionAll, p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListFunctionsOutput{
		Functions: each(list, func(v *Version) types.FunctionConfiguration {
			if in.FunctionVersion == "" {
				return s.configuration(v, "")
			}
			return s.configuration(v, number(v.Number))
		}),
		NextMarker: text(next),
	}, nil
}

func (s *Service) publishVersion(ctx context.Context, in *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error) {
	if in.PublishTo != "" {
		return nil, unsupported("PublishTo")
	}
	v, err := s.Publish(ctx, str(in.FunctionName), Publication{
		Description: in.Description, CodeSha256: str(in.CodeSha256), Revision: str(in.RevisionId),
	})
	if err != nil {
		return nil, err
	}
	return as[lambda.PublishVersionOutput](s.configuration(v, number(v.Number))), nil
}

func (s *Service) listVersionsByFunction(ctx context.Context, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Versions(ctx, str(in.FunctionName), p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListVersionsByFunctionOutput{
		Versions:   each(list, func(v *Version) types.FunctionConfiguration { return s.configuration(v, number(v.Number)) }),
		NextMarker: text(next),
	}, nil
}

// configuration shows a version. Its ARN has the qualifier it was asked for by;
// a published version's always has one.
//
// A package is checked, unpacked once and kept before its function is written,
// so a function is Active as soon as it is there.
func (s *Service) configuration(v *Version, qualifier string) types.FunctionConfiguration {
	set := &v.Settings
	if qualifier == "" && v.Number > 0 {
		qualifier = number(v.Number)
	}
	c := types.FunctionConfiguration{
		FunctionName: &v.Function, FunctionArn: text(s.arn(v.Function, qualifier)), Version: text(number(v.Number)),
		Runtime: types.Runtime(set.Runtime), Handler: &set.Handler, Role: &set.Role, Description: &set.Description,
		CodeSha256: text(v.Package.Digest.Base64()), CodeSize: v.Package.Bytes, ConfigSha256: configSha256(set),
		MemorySize: int32Of(set.MemoryMiB), Timeout: int32Of(set.Timeout),
		EphemeralStorage: &types.EphemeralStorage{Size: int32Of(set.TmpMiB)},
		Architectures:    []types.Architecture{types.Architecture(set.Architecture)},
		LastModified:     text(v.Modified.Format(timeForm)), RevisionId: &v.Revision,
		PackageType: types.PackageTypeZip, State: types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful,
		TracingConfig: &types.TracingConfigResponse{Mode: types.TracingMode(set.Tracing)},
		SnapStart: &types.SnapStartResponse{
			ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff,
		},
		LoggingConfig: &types.LoggingConfig{
			LogFormat: types.LogFormat(set.Logging.Format), LogGroup: &set.Logging.Group,
			ApplicationLogLevel: types.ApplicationLogLevel(set.Logging.Application),
			SystemLogLevel:      types.SystemLogLevel(set.Logging.System),
		},
	}
	if len(set.Environment) > 0 {
		c.Environment = &types.EnvironmentResponse{Variables: set.Environment}
	}
	if set.DeadLetter != "" {
		c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: &set.DeadLetter}
	}
	for i := range set.Layers {
		c.Layers = append(c.Layers, types.Layer{Arn: &set.Layers[i].ARN, CodeSize: set.Layers[i].Bytes})
	}
	return c
}

// configSha256 is a digest of all settings: it is the same for equal ones.
func configSha256(set *Settings) *string {
	b, err := record.Marshal(set)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(b)
	return text(base64.StdEncoding.EncodeToString(sum[:]))
}
