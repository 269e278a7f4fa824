package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseGrant(t *testing.T) {
	const here = "us-east-1:123456789012:"
	for _, tt := range []struct{ text, want string }{
		{"s3:GetObject on bucket/prefix/*", "s3:GetObject on arn:aws:s3:::bucket/prefix/*"},
		{"s3:GetObject on table/key", "s3:GetObject on arn:aws:s3:::table/key"},
		{"s3:ListBucket on bucket photos", "s3:ListBucket on arn:aws:s3:::photos"},
		{"dynamodb:GetItem,dynamodb:PutItem on table/orders", "dynamodb:GetItem,dynamodb:PutItem on arn:aws:dynamodb:" + here + "table/orders"},
		{"dynamodb:Query on table orders/index/*", "dynamodb:Query on arn:aws:dynamodb:" + here + "table/orders/index/*"},
		{"dynamodb:Query on orders", "dynamodb:Query on arn:aws:dynamodb:" + here + "table/orders"},
		{"sqs:SendMessage on queue jobs", "sqs:SendMessage on arn:aws:sqs:" + here + "jobs"},
		{"sqs:SendMessage, sqs:SendMessage on jobs", "sqs:SendMessage on arn:aws:sqs:" + here + "jobs"},
		{"sns:Publish on topic news", "sns:Publish on arn:aws:sns:" + here + "news"},
		{"lambda:InvokeFunction on function hello", "lambda:InvokeFunction on arn:aws:lambda:" + here + "function:hello"},
		{"Lambda:InvokeFunction on hello:live", "Lambda:InvokeFunction on arn:aws:lambda:" + here + "function:hello:live"},
		{"ssm:GetParameter on parameter /app/db", "ssm:GetParameter on arn:aws:ssm:" + here + "parameter/app/db"},
		{"secretsmanager:GetSecretValue on secret db", "secretsmanager:GetSecretValue on arn:aws:secretsmanager:" + here + "secret:db-??????"},
		{"secretsmanager:GetSecretValue on secret app/*", "secretsmanager:GetSecretValue on arn:aws:secretsmanager:" + here + "secret:app/*"},
		{"kms:Decrypt on key 1-2", "kms:Decrypt on arn:aws:kms:" + here + "key/1-2"},
		{"kms:UpdateAlias on alias/db", "kms:UpdateAlias on arn:aws:kms:" + here + "alias/db"},
		{"events:PutEvents on bus/orders", "events:PutEvents on arn:aws:events:" + here + "event-bus/orders"},
		{"logs:FilterLogEvents on log-group /aws/lambda/hello", "logs:FilterLogEvents on arn:aws:logs:" + here + "log-group:/aws/lambda/hello:*"},
		{"sts:AssumeRole on role reader", "sts:AssumeRole on arn:aws:iam::123456789012:role/reader"},
		{"iam:GetUser on user ada", "iam:GetUser on arn:aws:iam::123456789012:user/ada"},
		{"s3:GetObject on arn:aws:s3:::other/*", "s3:GetObject on arn:aws:s3:::other/*"},
		{"dynamodb:ListTables on *", "dynamodb:ListTables on *"},
		{"* on *", "* on *"},

		{"s3:GetObject", `"s3:GetObject" doesn't say what is allowed on what`},
		{"s3:GetObject on ", `"s3:GetObject on " doesn't say what is allowed on what`},
		{" on bucket", `" on bucket" doesn't say what is allowed on what`},
		{"GetObject on bucket", `"GetObject" is no action`},
		{"s3: on bucket", `"s3:" is no action`},
		{"s3:GetObject on shelf books", `"shelf" is no kind of resource`},
		{"s3:GetObject on table orders", "a table is no resource of s3"},
		{"dynamodb:GetItem on bucket/x", "a bucket is no resource of dynamodb"},
		{"kms:Decrypt on something", `"something" is no resource of kms`},
		{"kms:UpdateAlias,kms:Decrypt on alias/db", "kms:UpdateAlias,kms:Decrypt is given on a key, not on its alias"},
		{"* on something", `"something" is no resource of *`},
		{"sqs:SendMessage on queue a b", `"queue a b" is no resource of sqs`},
	} {
		s, err := parseGrant(tt.text, "123456789012", "us-east-1")
		got := s.text()
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestReadPolicy(t *testing.T) {
	const statement = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	for _, tt := range []struct{ name, in, want string }{
		{"document", `{"Version":"2008-10-17","Statement":` + statement + "}\n", `{"Version":"2008-10-17","Statement":` + statement + `}`},
		{"statement", "\n" + statement, `{"Statement":` + statement + `,"Version":"2012-10-17"}`},
		{"statements", "[" + statement + "]", `{"Statement":[` + statement + `],"Version":"2012-10-17"}`},
		{"nonsense", "Allow: s3", "is no JSON"},
		{"nothing", "", "is no JSON"},
		{"too much", strings.Repeat(" ", 65<<10), "more than a policy may have"},
	} {
		path := filepath.Join(t.TempDir(), "policy.json")
		if err := os.WriteFile(path, []byte(tt.in), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readPolicy(path)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want && !(err != nil && strings.Contains(got, tt.want)) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if _, err := readPolicy(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestOwnRole(t *testing.T) {
	long := strings.Repeat("f", 63)
	for _, tt := range []struct{ function, want string }{
		{"hello", "mayfly-hello"},
		{strings.Repeat("f", 57), "mayfly-" + strings.Repeat("f", 57)},
	} {
		if got := ownRole(tt.function); got != tt.want {
			t.Errorf("%s: %s", tt.function, got)
		}
	}
	if a, b := ownRole(long+"a"), ownRole(long+"b"); len(a) != 64 || len(b) != 64 || a == b {
		t.Errorf("%s and %s", a, b)
	}
}

// What is printed to be pasted is one word for a shell, whoever chose it.
func TestShellQuoted(t *testing.T) {
	for in, want := range map[string]string{"a b": "'a b'", "a'; rm -rf /; '": `'a'\''; rm -rf /; '\'''`, "$(x)`y`": "'$(x)`y`'"} {
		if d := cmp.Diff(want, shellQuoted(in)); d != "" {
			t.Error(d)
		}
	}
}
