package parameter

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// access is what each operation needs.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html
func (a api) access() access.Table {
	return access.Table{
		"PutParameter":            {Action: "ssm:PutParameter", Resources: a.named, Keys: a.putConditions, Also: a.putToo},
		"GetParameter":            {Action: "ssm:GetParameter", Resources: a.named, Keys: a.conditions, Also: a.decryptOne},
		"GetParameterHistory":     {Action: "ssm:GetParameterHistory", Resources: a.named, Keys: a.conditions, Also: a.decryptHistory},
		"GetParameters":           {Action: "ssm:GetParameters", Resources: a.namedAll, Also: a.decryptAll},
		"GetParametersByPath":     {Action: "ssm:GetParametersByPath", Resources: a.path, Keys: pathConditions, Also: a.decryptPath},
		"DescribeParameters":      {Action: "ssm:DescribeParameters"},
		"DeleteParameter":         {Action: "ssm:DeleteParameter", Resources: a.named, Keys: a.conditions},
		"DeleteParameters":        {Action: "ssm:DeleteParameters", Resources: a.namedAll},
		"LabelParameterVersion":   {Action: "ssm:LabelParameterVersion", Resources: a.named, Keys: a.conditions},
		"UnlabelParameterVersion": {Action: "ssm:UnlabelParameterVersion", Resources: a.named, Keys: a.conditions},
		"AddTagsToResource":       {Action: "ssm:AddTagsToResource", Resources: a.taggedOne, Keys: a.conditions},
		"RemoveTagsFromResource":  {Action: "ssm:RemoveTagsFromResource", Resources: a.taggedOne, Keys: a.conditions},
		"ListTagsForResource":     {Action: "ssm:ListTagsForResource", Resources: a.taggedOne, Keys: a.conditions},
	}
}

// resource is the ARN of the parameter a name means. A name that can't be one is
// asked for as it is; the operation refuses it.
func (a api) resource(text string) string {
	n, err := a.parse(text)
	if err != nil {
		return a.arn(strings.TrimPrefix(clip(text), "/"))
	}
	return a.arn(n.path)
}

func (a api) named(_ context.Context, in any) []string {
	return []string{a.resource(access.Text(in, "Name"))}
}

func (a api) taggedOne(_ context.Context, in any) []string {
	return []string{a.resource(access.Text(in, "ResourceId"))}
}

func (a api) namedAll(_ context.Context, in any) []string {
	list := []string{}
	for _, name := range namesOf(in) {
		list = append(list, a.resource(name))
	}
	if len(list) == 0 {
		return []string{"*"} // the operation refuses it
	}
	return list
}

func namesOf(in any) []string {
	var names []string
	switch in := in.(type) {
	case *ssm.GetParametersInput:
		names = in.Names
	case *ssm.DeleteParametersInput:
		names = in.Names
	}
	return names[:min(len(names), maxNames)]
}

// path is the hierarchy itself: whoever may read one may read all below it.
func (a api) path(_ context.Context, in any) []string {
	return []string{a.arn(strings.TrimPrefix(access.Text(in, "Path"), "/"))}
}

func pathConditions(_ context.Context, in any) access.Keys {
	return access.Keys{"ssm:Recursive": {strconv.FormatBool(aws.ToBool(in.(*ssm.GetParametersByPathInput).Recursive))}}
}

// head reads the parameter a name means, nil where there is none.
func (a api) head(ctx context.Context, text string) *Parameter {
	n, err := a.parse(text)
	if err != nil {
		return nil
	}
	var p *Parameter
	err = a.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err = load[Parameter](r, headKey(n.path), errNotFound)
		return err
	})
	if err != nil {
		return nil
	}
	return p
}

// conditions are those of a parameter's tags, and of those in the request.
func (a api) conditions(ctx context.Context, in any) access.Keys {
	keys := access.Keys{}
	text := access.Text(in, "Name")
	if text == "" {
		text = access.Text(in, "ResourceId")
	}
	if p := a.head(ctx, text); p != nil {
		for name, value := range p.Tags {
			keys["aws:ResourceTag/"+name] = []string{value}
			keys["ssm:resourceTag/"+name] = []string{value}
		}
	}
	switch in := in.(type) {
	case *ssm.AddTagsToResourceInput:
		addTags(keys, in.Tags)
	case *ssm.RemoveTagsFromResourceInput:
		keys["aws:TagKeys"] = in.TagKeys
	}
	return keys
}

func addTags(keys access.Keys, tags []types.Tag) {
	for _, t := range tags {
		keys["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], aws.ToString(t.Key))
	}
}

func (a api) putConditions(ctx context.Context, in any) access.Keys {
	put := in.(*ssm.PutParameterInput)
	keys := a.conditions(ctx, in)
	keys["ssm:Overwrite"] = []string{strconv.FormatBool(aws.ToBool(put.Overwrite))}
	if p := aws.ToString(put.Policies); p != "" {
		keys["ssm:Policies"] = []string{p}
	}
	addTags(keys, put.Tags)
	return keys
}

// putToo is what a new value asks for besides: tagging, and a use of its key. Larger
// values ask for what AWS encrypts them with, a data key.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func (a api) putToo(ctx context.Context, in any) []access.Need {
	put := in.(*ssm.PutParameterInput)
	var needs []access.Need
	if len(put.Tags) > 0 {
		needs = append(needs, access.Need{Action: "ssm:AddTagsToResource", Resource: a.resource(aws.ToString(put.Name)), Keys: a.putConditions(ctx, in)})
	}
	n, err := a.parse(aws.ToString(put.Name))
	if err != nil {
		return needs
	}
	p := a.head(ctx, aws.ToString(put.Name))
	kind, before := Kind(put.Type), Tier("")
	if p != nil {
		before = p.Newest.Tier
	}
	if kind == "" && p != nil {
		kind = p.Kind
	}
	if kind != SecureString {
		return needs
	}
	action := "kms:Encrypt"
	if tier, _ := tierOf(Draft{Value: aws.ToString(put.Value), Tier: Tier(put.Tier)}, before); tier == Advanced {
		action = "kms:GenerateDataKey"
	}
	return append(needs, a.cfg.Keys.Need(ctx, action, aws.ToString(put.KeyId), a.bound(n.path)))
}

// decrypt is the need for the value of a SecureString: the key it was encrypted with.
func (a api) decrypt(ctx context.Context, p *Parameter, f Facts) access.Need {
	return a.cfg.Keys.Need(ctx, "kms:Decrypt", f.KeyARN, a.bound(p.Path))
}

// undecided is the need where it can't be told which key is asked for: none if the
// operation will refuse the request too, every key if it was a fault of ours.
func undecided(err error) []access.Need {
	if fault.As(err).Status < http.StatusInternalServerError {
		return nil
	}
	return []access.Need{{Action: "kms:Decrypt", Resource: "*"}}
}

func (a api) decryptOne(ctx context.Context, in any) []access.Need {
	get := in.(*ssm.GetParameterInput)
	if !aws.ToBool(get.WithDecryption) {
		return nil
	}
	return a.decryptNamed(ctx, aws.ToString(get.Name))
}

func (a api) decryptAll(ctx context.Context, in any) (needs []access.Need) {
	if !aws.ToBool(in.(*ssm.GetParametersInput).WithDecryption) {
		return nil
	}
	for _, name := range namesOf(in) {
		needs = append(needs, a.decryptNamed(ctx, name)...)
	}
	return needs
}

func (a api) decryptNamed(ctx context.Context, text string) []access.Need {
	v, err := a.Get(ctx, text, false)
	if err != nil {
		return undecided(err)
	}
	if v.Kind != SecureString {
		return nil
	}
	return []access.Need{a.decrypt(ctx, v.Parameter, v.Facts)}
}

func (a api) decryptHistory(ctx context.Context, in any) (needs []access.Need) {
	get := in.(*ssm.GetParameterHistoryInput)
	n, after, err := historyQuery(get)
	if err != nil || !aws.ToBool(get.WithDecryption) {
		return nil
	}
	list, _, err := a.History(ctx, aws.ToString(get.Name), after, n, false)
	if err != nil {
		return undecided(err)
	}
	asked := map[string]bool{}
	for _, v := range list {
		if v.Kind == SecureString && !asked[v.Facts.KeyARN] {
			asked[v.Facts.KeyARN] = true
			needs = append(needs, a.decrypt(ctx, v.Parameter, v.Facts))
		}
	}
	return needs
}

func (a api) decryptPath(ctx context.Context, in any) (needs []access.Need) {
	get := in.(*ssm.GetParametersByPathInput)
	q, err := pathQuery(get)
	if err != nil || !aws.ToBool(get.WithDecryption) {
		return nil
	}
	list, _, err := a.findByPath(ctx, aws.ToString(get.Path), aws.ToBool(get.Recursive), q)
	if err != nil {
		return undecided(err)
	}
	for _, f := range list {
		if f.Kind == SecureString {
			needs = append(needs, a.decrypt(ctx, f.Parameter, f.Version.Facts))
		}
	}
	return needs
}
