package bus

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// refusePrivate refuses connections that AWS makes through VPC Lattice, or under a key.
func refusePrivate(key *string, connectivity ...*types.ConnectivityResourceParameters) error {
	if str(key) != "" {
		return unsupported("KmsKeyIdentifier")
	}
	for _, c := range connectivity {
		if c != nil {
			return unsupported("Private connectivity")
		}
	}
	return nil
}

func (a api) createConnection(ctx context.Context, in *eventbridge.CreateConnectionInput) (*eventbridge.CreateConnectionOutput, error) {
	p := in.AuthParameters
	if p == nil {
		return nil, invalid("AuthParameters must be specified.")
	}
	if err := refusePrivate(in.KmsKeyIdentifier, in.InvocationConnectivityParameters, p.ConnectivityParameters); err != nil {
		return nil, err
	}
	var auth Auth
	if b := p.BasicAuthParameters; b != nil {
		auth.Username, auth.Password = str(b.Username), str(b.Password)
	}
	if k := p.ApiKeyAuthParameters; k != nil {
		auth.KeyName, auth.KeyValue = str(k.ApiKeyName), str(k.ApiKeyValue)
	}
	if o := p.OAuthParameters; o != nil {
		auth.Endpoint, auth.Method = str(o.AuthorizationEndpoint), string(o.HttpMethod)
		if c := o.ClientParameters; c != nil {
			auth.ClientID, auth.ClientSecret = str(c.ClientID), str(c.ClientSecret)
		}
		if o.OAuthHttpParameters != nil {
			auth.OAuth = *parametersOf(o.OAuthHttpParameters)
		}
	}
	auth.HTTP = parametersOf(p.InvocationHttpParameters)
	c, err := a.CreateConnection(ctx, Connection{Name: str(in.Name), Description: str(in.Description), Type: string(in.AuthorizationType)}, auth)
	if err != nil {
		return nil, err
	}
	return &eventbridge.CreateConnectionOutput{
		ConnectionArn: aws.String(a.connectionARN(c)), ConnectionState: types.ConnectionState(c.State), CreationTime: &c.Created, LastModifiedTime: &c.Changed,
	}, nil
}

func parametersOf(p *types.ConnectionHttpParameters) *Parameters {
	if p == nil {
		return nil
	}
	out := &Parameters{}
	for _, h := range p.HeaderParameters {
		out.Header = append(out.Header, Parameter{str(h.Key), str(h.Value), h.IsValueSecret})
	}
	for _, q := range p.QueryStringParameters {
		out.Query = append(out.Query, Parameter{str(q.Key), str(q.Value), q.IsValueSecret})
	}
	for _, b := range p.BodyParameters {
		out.Body = append(out.Body, Parameter{str(b.Key), str(b.Value), b.IsValueSecret})
	}
	return out
}

// out is parameters as they are given back: without secret values.
func (p *Parameters) out() *types.ConnectionHttpParameters {
	if p == nil {
		return nil
	}
	o := &types.ConnectionHttpParameters{}
	for _, h := range p.Header {
		o.HeaderParameters = append(o.HeaderParameters, types.ConnectionHeaderParameter{Key: &h.Key, Value: h.shown(), IsValueSecret: h.Secret})
	}
	for _, q := range p.Query {
		o.QueryStringParameters = append(o.QueryStringParameters, types.ConnectionQueryStringParameter{Key: &q.Key, Value: q.shown(), IsValueSecret: q.Secret})
	}
	for _, b := range p.Body {
		o.BodyParameters = append(o.BodyParameters, types.ConnectionBodyParameter{Key: &b.Key, Value: b.shown(), IsValueSecret: b.Secret})
	}
	return o
}

func (p Parameter) shown() *string {
	if p.Secret {
		return nil
	}
	return &p.Value
}

func (a api) describeConnection(ctx context.Context, in *eventbridge.DescribeConnectionInput) (*eventbridge.DescribeConnectionOutput, error) {
	c, auth, err := a.Connection(ctx, str(in.Name))
	if err != nil {
		return nil, err
	}
	shown := &types.ConnectionAuthResponseParameters{InvocationHttpParameters: auth.HTTP.out()}
	switch {
	case c.Sealed == nil:
	case c.Type == Basic:
		shown.BasicAuthParameters = &types.ConnectionBasicAuthResponseParameters{Username: &auth.Username}
	case c.Type == APIKey:
		shown.ApiKeyAuthParameters = &types.ConnectionApiKeyAuthResponseParameters{ApiKeyName: &auth.KeyName}
	default:
		shown.OAuthParameters = &types.ConnectionOAuthResponseParameters{
			AuthorizationEndpoint: &auth.Endpoint, HttpMethod: types.ConnectionOAuthHttpMethod(auth.Method),
			ClientParameters: &types.ConnectionOAuthClientResponseParameters{ClientID: &auth.ClientID},
		}
		if o := auth.OAuth; len(o.Header)+len(o.Query)+len(o.Body) > 0 {
			shown.OAuthParameters.OAuthHttpParameters = o.out()
		}
	}
	return &eventbridge.DescribeConnectionOutput{
		ConnectionArn: aws.String(a.connectionARN(c)), Name: &c.Name, Description: text(c.Description), AuthorizationType: types.ConnectionAuthorizationType(c.Type),
		ConnectionState: types.ConnectionState(c.State), CreationTime: &c.Created, LastModifiedTime: &c.Changed, LastAuthorizedTime: date(c.Authorized),
		AuthParameters: shown,
	}, nil
}

func (a api) updateConnection(ctx context.Context, in *eventbridge.UpdateConnectionInput) (*eventbridge.UpdateConnectionOutput, error) {
	p := in.AuthParameters
	if p == nil {
		p = &types.UpdateConnectionAuthRequestParameters{}
	}
	if err := refusePrivate(in.KmsKeyIdentifier, in.InvocationConnectivityParameters, p.ConnectivityParameters); err != nil {
		return nil, err
	}
	c, err := a.UpdateConnection(ctx, str(in.Name), in.Description, string(in.AuthorizationType), func(auth *Auth) { merge(auth, p) })
	if err != nil {
		return nil, err
	}
	return &eventbridge.UpdateConnectionOutput{
		ConnectionArn: aws.String(a.connectionARN(c)), ConnectionState: types.ConnectionState(c.State), CreationTime: &c.Created,
		LastModifiedTime: &c.Changed, LastAuthorizedTime: date(c.Authorized),
	}, nil
}

// merge changes what is given.
func merge(auth *Auth, p *types.UpdateConnectionAuthRequestParameters) {
	if b := p.BasicAuthParameters; b != nil {
		set(&auth.Username, b.Username)
		set(&auth.Password, b.Password)
	}
	if k := p.ApiKeyAuthParameters; k != nil {
		set(&auth.KeyName, k.ApiKeyName)
		set(&auth.KeyValue, k.ApiKeyValue)
	}
	if o := p.OAuthParameters; o != nil {
		set(&auth.Endpoint, o.AuthorizationEndpoint)
		if o.HttpMethod != "" {
			auth.Method = string(o.HttpMethod)
		}
		if c := o.ClientParameters; c != nil {
			set(&auth.ClientID, c.ClientID)
			set(&auth.ClientSecret, c.ClientSecret)
		}
		set(&auth.OAuth, parametersOf(o.OAuthHttpParameters))
	}
	if h := parametersOf(p.InvocationHttpParameters); h != nil {
		auth.HTTP = h
	}
}

func (a api) deauthorizeConnection(ctx context.Context, in *eventbridge.DeauthorizeConnectionInput) (*eventbridge.DeauthorizeConnectionOutput, error) {
	c, err := a.Deauthorize(ctx, str(in.Name))
	if err != nil {
		return nil, err
	}
	return &eventbridge.DeauthorizeConnectionOutput{
		ConnectionArn: aws.String(a.connectionARN(c)), ConnectionState: types.ConnectionState(c.State), CreationTime: &c.Created,
		LastModifiedTime: &c.Changed, LastAuthorizedTime: date(c.Authorized),
	}, nil
}

func (a api) deleteConnection(ctx context.Context, in *eventbridge.DeleteConnectionInput) (*eventbridge.DeleteConnectionOutput, error) {
	c, err := a.DeleteConnection(ctx, str(in.Name))
	if err != nil {
		return nil, err
	}
	return &eventbridge.DeleteConnectionOutput{
		ConnectionArn: aws.String(a.connectionARN(c)), ConnectionState: types.ConnectionState(c.State), CreationTime: &c.Created,
		LastModifiedTime: &c.Changed, LastAuthorizedTime: date(c.Authorized),
	}, nil
}

func (a api) listConnections(ctx context.Context, in *eventbridge.ListConnectionsInput) (*eventbridge.ListConnectionsOutput, error) {
	q, err := listing(in.NamePrefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, token, err := a.Connections(ctx, string(in.ConnectionState), q)
	out := &eventbridge.ListConnectionsOutput{Connections: []types.Connection{}, NextToken: text(token)}
	for _, c := range list {
		out.Connections = append(out.Connections, types.Connection{
			ConnectionArn: aws.String(a.connectionARN(c)), Name: &c.Name, AuthorizationType: types.ConnectionAuthorizationType(c.Type),
			ConnectionState: types.ConnectionState(c.State), CreationTime: &c.Created, LastModifiedTime: &c.Changed, LastAuthorizedTime: date(c.Authorized),
		})
	}
	return out, err
}
