package runtime

import (
	"context"
	"fmt"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// nodeSDK are the packages of the AWS SDK for JavaScript that functions get
// without packaging them: the common ones of Lambda's image, which has all.
var nodeSDK = []string{
	"@aws-sdk/client-apigatewaymanagementapi",
	"@aws-sdk/client-cloudwatch",
	"@aws-sdk/client-cloudwatch-logs",
	"@aws-sdk/client-dynamodb",
	"@aws-sdk/client-dynamodb-streams",
	"@aws-sdk/client-eventbridge",
	"@aws-sdk/client-iam",
	"@aws-sdk/client-kinesis",
	"@aws-sdk/client-kms",
	"@aws-sdk/client-lambda",
	"@aws-sdk/client-s3",
	"@aws-sdk/client-scheduler",
	"@aws-sdk/client-secrets-manager",
	"@aws-sdk/client-sfn",
	"@aws-sdk/client-sns",
	"@aws-sdk/client-sqs",
	"@aws-sdk/client-ssm",
	"@aws-sdk/client-sts",
	"@aws-sdk/credential-providers",
	"@aws-sdk/lib-dynamodb",
	"@aws-sdk/lib-storage",
	"@aws-sdk/s3-request-presigner",
	"@aws-sdk/util-dynamodb",
}

// nodeArch names this machine as Node.js does.
var nodeArch = map[string]string{"amd64": "x64", "arm64": "arm64"}

// npmNode fetches the package that holds nothing but the node program.
func (f fetch) npmNode(ctx context.Context, e entry, target string) error {
	arch, ok := nodeArch[goruntime.GOARCH]
	if !ok {
		return fmt.Errorf("npm has no Node.js for %s", goruntime.GOARCH)
	}
	name := "node-linux-" + arch
	return f.place(target, func(tmp string) (string, error) {
		f.progress(fmt.Sprintf("fetching %s@%s from npm", name, e.version))
		return filepath.Join(tmp, "node_modules", name), f.npm(ctx, tmp, name+"@"+e.version)
	})
}

func (f fetch) npmSDK(ctx context.Context, target string) error {
	return f.place(target, func(tmp string) (string, error) {
		f.progress(fmt.Sprintf("fetching %d packages of @aws-sdk from npm", len(nodeSDK)))
		return tmp, f.npm(ctx, tmp, nodeSDK...)
	})
}

// npm installs packages under dir, running none of their scripts.
func (f fetch) npm(ctx context.Context, dir string, packages ...string) error {
	args := append([]string{"install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund",
		"--no-package-lock", "--omit=dev", "--loglevel=error"}, packages...)
	if _, err := f.run(ctx, dir, "npm", args...); err != nil {
		return fmt.Errorf("fetch %s: %w", strings.Join(packages, " "), err)
	}
	return nil
}
