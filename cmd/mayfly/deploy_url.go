package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// url gives the function a URL, or returns the one it has, open to whom was asked for.
func (d *deployment) url(ctx context.Context, c *client, say *steps) (string, error) {
	got, err := c.lambda.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &d.name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return d.makeURL(ctx, c)
	case err != nil:
		return "", err
	case d.private && got.AuthType != types.FunctionUrlAuthTypeAwsIam:
		err = d.closeURL(ctx, c, say)
	case d.public && got.AuthType != types.FunctionUrlAuthTypeNone:
		err = d.reopenURL(ctx, c, say)
	}
	return aws.ToString(got.FunctionUrl), err
}

func (d *deployment) makeURL(ctx context.Context, c *client) (string, error) {
	auth := types.FunctionUrlAuthTypeNone
	if d.private {
		auth = types.FunctionUrlAuthTypeAwsIam
	} else if err := d.openURL(ctx, c); err != nil {
		return "", err
	}
	made, err := c.lambda.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &d.name, AuthType: auth})
	if err != nil {
		return "", err
	}
	return aws.ToString(made.FunctionUrl), nil
}

// What opens a URL to everybody, by statement id.
const (
	publicURL         = "public-url"
	publicURLFunction = "public-url-function"
)

// openURL lets everybody call the function by way of its URL, and by no other way.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (d *deployment) openURL(ctx context.Context, c *client) error {
	for _, in := range []*lambda.AddPermissionInput{
		{StatementId: aws.String(publicURL), Action: aws.String("lambda:InvokeFunctionUrl"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone},
		{StatementId: aws.String(publicURLFunction), Action: aws.String("lambda:InvokeFunction"), InvokedViaFunctionUrl: aws.Bool(true)},
	} {
		in.FunctionName, in.Principal = &d.name, aws.String("*")
		_, err := c.lambda.AddPermission(ctx, in)
		var there *types.ResourceConflictException // from a deployment that stopped here
		if err != nil && !errors.As(err, &there) {
			return err
		}
	}
	return nil
}

// reopenURL opens a URL that asked for signatures.
func (d *deployment) reopenURL(ctx context.Context, c *client, say *steps) error {
	if err := d.openURL(ctx, c); err != nil {
		return err
	}
	if err := d.setAuth(ctx, c, types.FunctionUrlAuthTypeNone); err != nil {
		return err
	}
	say.say("opened the URL to everybody")
	return nil
}

// closeURL lets only signed requests through a URL that was open, and takes back what
// opened it.
func (d *deployment) closeURL(ctx context.Context, c *client, say *steps) error {
	if err := d.setAuth(ctx, c, types.FunctionUrlAuthTypeAwsIam); err != nil {
		return err
	}
	for _, id := range []string{publicURL, publicURLFunction} {
		_, err := c.lambda.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &d.name, StatementId: &id})
		var gone *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &gone) {
			return err
		}
	}
	say.say("closed the URL to all but signed requests")
	return nil
}

func (d *deployment) setAuth(ctx context.Context, c *client, auth types.FunctionUrlAuthType) error {
	_, err := c.lambda.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: &d.name, AuthType: auth})
	return err
}
