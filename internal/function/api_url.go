package function

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (s *Service) createFunctionURL(ctx context.Context, in *lambda.CreateFunctionUrlConfigInput) (*lambda.CreateFunctionUrlConfigOutput, error) {
	u, err := s.CreateURL(ctx, str(in.FunctionName), str(in.Qualifier), URLChange{enum(in.AuthType), enum(in.InvokeMode), corsOf(in.Cors)})
	if err != nil {
		return nil, err
	}
	return as[lambda.CreateFunctionUrlConfigOutput](s.urlConfiguration(u)), nil
}

func (s *Service) getFunctionURL(ctx context.Context, in *lambda.GetFunctionUrlConfigInput) (*lambda.GetFunctionUrlConfigOutput, error) {
	u, err := s.GetURL(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	return as[lambda.GetFunctionUrlConfigOutput](s.urlConfiguration(u)), nil
}

func (s *Service) updateFunctionURL(ctx context.Context, in *lambda.UpdateFunctionUrlConfigInput) (*lambda.UpdateFunctionUrlConfigOutput, error) {
	u, err := s.UpdateURL(ctx, str(in.FunctionName), str(in.Qualifier), URLChange{enum(in.AuthType), enum(in.InvokeMode), corsOf(in.Cors)})
	if err != nil {
		return nil, err
	}
	return as[lambda.UpdateFunctionUrlConfigOutput](s.urlConfiguration(u)), nil
}

func (s *Service) deleteFunctionURL(ctx context.Context, in *lambda.DeleteFunctionUrlConfigInput) (*lambda.DeleteFunctionUrlConfigOutput, error) {
	return nil, s.DeleteURL(ctx, str(in.FunctionName), str(in.Qualifier))
}

func (s *Service) listFunctionURLs(ctx context.Context, in *lambda.ListFunctionUrlConfigsInput) (*lambda.ListFunctionUrlConfigsOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	list, next, err := s.ListURLs(ctx, str(in.FunctionName), p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: each(list, s.urlConfiguration), NextMarker: text(next)}, nil
}

func corsOf(c *types.Cors) *CORS {
	if c == nil {
		return nil
	}
	return &CORS{
		Credentials: c.AllowCredentials != nil && *c.AllowCredentials,
		Headers:     c.AllowHeaders, Methods: c.AllowMethods, Origins: c.AllowOrigins, Expose: c.ExposeHeaders,
		MaxAge: whole(c.MaxAge),
	}
}

func (s *Service) urlConfiguration(u *URL) types.FunctionUrlConfig {
	c := types.FunctionUrlConfig{
		FunctionArn: text(s.arn(u.Function, u.Qualifier)), FunctionUrl: text(s.Address(u)),
		AuthType: types.FunctionUrlAuthType(u.Auth), InvokeMode: types.InvokeMode(u.Mode),
		CreationTime: text(u.Created.Format(time.RFC3339Nano)), LastModifiedTime: text(u.Modified.Format(time.RFC3339Nano)),
	}
	if u.CORS != nil {
		c.Cors = &types.Cors{
			AllowHeaders: u.CORS.Headers, AllowMethods: u.CORS.Methods, AllowOrigins: u.CORS.Origins, ExposeHeaders: u.CORS.Expose,
			AllowCredentials: &u.CORS.Credentials,
		}
		if u.CORS.MaxAge != nil {
			c.Cors.MaxAge = int32Of(*u.CORS.MaxAge)
		}
	}
	return c
}
