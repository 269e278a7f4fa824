package functions_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestVersionsAndWeightedAliases(t *testing.T) {
	n := node.Start(t)
	ctx, c := t.Context(), n.Lambda()
	for i := 1; i <= 2; i++ {
		code := node.Zip(t, map[string]string{"index.js": fmt.Sprintf(`exports.handler = async () => 'version %d'`, i)})
		if i == 1 {
			n.Create("site", types.RuntimeNodejs20x, code, nil)
		} else if _, err := c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("site"), ZipFile: code}); err != nil {
			t.Fatal(err)
		}
		v, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("site")})
		if err != nil || aws.ToString(v.Version) != fmt.Sprint(i) {
			t.Fatalf("published %v, %v", aws.ToString(v.Version), err)
		}
	}
	if _, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("site"), Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.5}}}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 40 {
		out, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("site"), Qualifier: aws.String("live")})
		if err != nil {
			t.Fatal(err)
		}
		if want := `"version ` + aws.ToString(out.ExecutedVersion) + `"`; string(out.Payload) != want {
			t.Errorf("version %s answered %s", aws.ToString(out.ExecutedVersion), out.Payload)
		}
		seen[aws.ToString(out.ExecutedVersion)]++
	}
	if seen["1"] == 0 || seen["2"] == 0 { // a fair coin shows 40 times the same side once in 10^12
		t.Errorf("half and half came to %v", seen)
	}
}

func TestUpdateIsSeenByTheNextCall(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("site", `exports.handler = async () => 0`)
	for i := range 5 {
		n.Invoke("site", `{}`)
		_, err := n.Lambda().UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("site"),
			ZipFile: node.Zip(t, map[string]string{"index.js": fmt.Sprintf(`exports.handler = async () => %d`, i+1)})})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Invoke("site", `{}`); got.Payload != fmt.Sprint(i+1) {
			t.Errorf("after update %d the answer is %s", i+1, got.Payload)
		}
	}
}

func TestLayersAndExtensions(t *testing.T) {
	n := node.Start(t)
	ctx, c := t.Context(), n.Lambda()
	layer, err := c.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: aws.String("tools"), Content: &types.LayerVersionContentInput{
		ZipFile: node.Zip(t, map[string]string{
			"nodejs/node_modules/greet/index.js": `module.exports = (who) => 'hello ' + who`,
			"extensions/watch!": `#!/usr/bin/python3
import json, os, sys, urllib.request
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2020-01-01/extension/'
def call(path, data=None, **headers):
    r = urllib.request.Request(api + path, data=data, headers={k.replace('_', '-'): v for k, v in headers.items()})
    with urllib.request.urlopen(r) as res:
        return res.headers, json.load(res)
headers, _ = call('register', json.dumps({'events': ['INVOKE', 'SHUTDOWN']}).encode(), Lambda_Extension_Name='watch')
me = headers['Lambda-Extension-Identifier']
while True:
    _, event = call('event/next', Lambda_Extension_Identifier=me)
    print('extension saw', event['eventType'], flush=True)
    if event['eventType'] == 'SHUTDOWN':
        sys.exit(0)
`})}})
	if err != nil {
		t.Fatal(err)
	}
	n.Create("layered", types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": `exports.handler = async (e) => require('greet')(e.name)`}),
		func(in *lambda.CreateFunctionInput) {
			in.Layers, in.Timeout = []string{*layer.LayerVersionArn}, aws.Int32(20)
		})
	if got := n.Invoke("layered", `{"name":"Ada"}`); got.Payload != `"hello Ada"` {
		t.Errorf("answer %s\n%s", got.Payload, got.Log)
	}
	node.Eventually(t, 10*time.Second, "the extension has seen the call", func() bool {
		return strings.Contains(n.Must("logs", "layered"), "extension saw INVOKE")
	})
}

func TestProvisionedConcurrencyIsInitialisedAhead(t *testing.T) {
	n := node.Start(t)
	ctx, c := t.Context(), n.Lambda()
	n.CreateJS("ready", `
		const started = Date.now();
		exports.handler = async () => ({ age: Date.now() - started, type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE });`)
	if _, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("ready")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: aws.String("ready"),
		Qualifier: aws.String("1"), ProvisionedConcurrentExecutions: aws.Int32(2)}); err != nil {
		t.Fatal(err)
	}
	node.Eventually(t, 30*time.Second, "two environments are ready", func() bool {
		got, err := c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("ready"), Qualifier: aws.String("1")})
		return err == nil && got.Status == types.ProvisionedConcurrencyStatusEnumReady && aws.ToInt32(got.AvailableProvisionedConcurrentExecutions) == 2
	})
	out, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("ready"), Qualifier: aws.String("1"), LogType: types.LogTypeTail})
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Type string }
	decode(t, string(out.Payload), &got)
	if got.Type != "provisioned-concurrency" {
		t.Errorf("the environment was %q", got.Type)
	}
}
