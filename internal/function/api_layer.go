package function

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (s *Service) publishLayerVersion(ctx context.Context, in *lambda.PublishLayerVersionInput) (*lambda.PublishLayerVersionOutput, error) {
	c := LayerCreation{
		Name: str(in.LayerName), Description: str(in.Description), License: str(in.LicenseInfo),
		Runtimes: texts(in.CompatibleRuntimes), Architectures: texts(in.CompatibleArchitectures),
	}
	if in.Content != nil {
		if in.Content.S3ObjectStorageMode == types.S3ObjectStorageModeReference {
			return nil, unsupported("Content.S3ObjectStorageMode")
		}
		c.Source = Source{in.Content.ZipFile, str(in.Content.S3Bucket), str(in.Content.S3Key), str(in.Content.S3ObjectVersion)}
	}
	v, err := s.PublishLayer(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := s.layerOutput(ctx, v)
	if err != nil {
		return nil, err
	}
	return as[lambda.PublishLayerVersionOutput](*out), nil
}

func (s *Service) getLayerVersion(ctx context.Context, in *lambda.GetLayerVersionInput) (*lambda.GetLayerVersionOutput, error) {
	v, err := s.LayerVersion(ctx, str(in.LayerName), long(in.VersionNumber))
	if err != nil {
		return nil, err
	}
	return s.layerOutput(ctx, v)
}

func (s *Service) getLayerVersionByARN(ctx context.Context, in *lambda.GetLayerVersionByArnInput) (*lambda.GetLayerVersionByArnOutput, error) {
	v, err := s.LayerVersionByARN(ctx, str(in.Arn))
	if err != nil {
		return nil, err
	}
	out, err := s.layerOutput(ctx, v)
	if err != nil {
		return nil, err
	}
	return as[lambda.GetLayerVersionByArnOutput](*out), nil
}

func (s *Service) layerOutput(ctx context.Context, v *LayerVersion) (*lambda.GetLayerVersionOutput, error) {
	link, err := s.Link(ctx, v.Package.Digest)
	if err != nil {
		return nil, err
	}
	out := as[lambda.GetLayerVersionOutput](s.layerItem(v))
	out.LayerArn = text(s.layerARN(v.Layer, 0))
	out.Content = &types.LayerVersionContentOutput{
		CodeSha256: text(v.Package.Digest.Base64()), CodeSize: v.Package.Bytes, Location: &link,
	}
	return out, nil
}

func (s *Service) layerItem(v *LayerVersion) types.LayerVersionsListItem {
	return types.LayerVersionsListItem{
		LayerVersionArn: text(s.layerARN(v.Layer, v.Number)), Version: int64(v.Number),
		Description: &v.Description, LicenseInfo: text(v.License), CreatedDate: text(v.Created.Format(timeForm)),
		CompatibleRuntimes:      enums[types.Runtime](v.Runtimes),
		CompatibleArchitectures: enums[types.Architecture](v.Architectures),
	}
}

func (s *Service) listLayers(ctx context.Context, in *lambda.ListLayersInput) (*lambda.ListLayersOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Layers(ctx, LayerFilter{string(in.CompatibleRuntime), string(in.CompatibleArchitecture)}, p)
	if err != nil {
		return nil, err
	}
	layers := each(list, func(v *LayerVersion) types.LayersListItem {
		item := s.layerItem(v)
		return types.LayersListItem{LayerName: &v.Layer, LayerArn: text(s.layerARN(v.Layer, 0)), LatestMatchingVersion: &item}
	})
	return &lambda.ListLayersOutput{Layers: layers, NextMarker: text(next)}, nil
}

func (s *Service) listLayerVersions(ctx context.Context, in *lambda.ListLayerVersionsInput) (*lambda.ListLayerVersionsOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	filter := LayerFilter{string(in.CompatibleRuntime), string(in.CompatibleArchitecture)}
	list, next, err := s.LayerVersions(ctx, str(in.LayerName), filter, p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListLayerVersionsOutput{LayerVersions: each(list, s.layerItem), NextMarker: text(next)}, nil
}

func (s *Service) deleteLayerVersion(ctx context.Context, in *lambda.DeleteLayerVersionInput) (*lambda.DeleteLayerVersionOutput, error) {
	return nil, s.DeleteLayerVersion(ctx, str(in.LayerName), long(in.VersionNumber))
}

func (s *Service) addLayerVersionPermission(ctx context.Context, in *lambda.AddLayerVersionPermissionInput) (*lambda.AddLayerVersionPermissionOutput, error) {
	st, revision, err := s.AddLayerPermission(ctx, str(in.LayerName), long(in.VersionNumber), Permission{
		Sid: str(in.StatementId), Action: str(in.Action), Principal: str(in.Principal),
		OrgID: str(in.OrganizationId), Revision: str(in.RevisionId),
	})
	if err != nil {
		return nil, err
	}
	statement, err := st.Text()
	return &lambda.AddLayerVersionPermissionOutput{Statement: &statement, RevisionId: &revision}, err
}

func (s *Service) removeLayerVersionPermission(ctx context.Context, in *lambda.RemoveLayerVersionPermissionInput) (*lambda.RemoveLayerVersionPermissionOutput, error) {
	return nil, s.RemoveLayerPermission(ctx, str(in.LayerName), long(in.VersionNumber), str(in.StatementId), str(in.RevisionId))
}

func (s *Service) getLayerVersionPolicy(ctx context.Context, in *lambda.GetLayerVersionPolicyInput) (*lambda.GetLayerVersionPolicyOutput, error) {
	p, err := s.LayerPolicy(ctx, str(in.LayerName), long(in.VersionNumber))
	if err != nil {
		return nil, err
	}
	doc, err := p.Document()
	return &lambda.GetLayerVersionPolicyOutput{Policy: &doc, RevisionId: &p.Revision}, err
}

func long(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}
