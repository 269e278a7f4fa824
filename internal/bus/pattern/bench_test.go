package pattern_test

import (
	"fmt"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
)

// sample is an event of which one rule of each kind below matches.
const sample = `{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3","account":"111122223333",` +
	`"time":"2021-11-12T00:00:00Z","region":"ca-central-1","resources":["arn:aws:s3:::amzn-s3-demo-bucket1"],` +
	`"detail":{"version":"0","bucket":{"name":"bucket7"},"object":{"key":"in/7/example.png","size":7,"etag":"b1946ac92492d2347c6235b4d2611184"},` +
	`"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","source-ip-address":"10.0.7.4","reason":"PutObject"}}`

// kinds of rules: each has a number in the place that tells it from the others.
var kinds = map[string]string{
	"exact":    `{"source":["aws.s3"],"detail-type":["Object Created"],"detail":{"bucket":{"name":["bucket%d"]}}}`,
	"prefix":   `{"source":["aws.s3"],"detail":{"object":{"key":[{"prefix":"in/%d/"}]}}}`,
	"wildcard": `{"source":["aws.s3"],"detail":{"object":{"key":[{"wildcard":"*/%d/*.png"}]}}}`,
	"numeric":  `{"source":["aws.s3"],"detail":{"object":{"size":[{"numeric":["=",%d]}]}}}`,
	"range":    `{"source":["aws.s3"],"detail":{"object":{"size":[{"numeric":[">=",%[1]d,"<",%[1]d.5]}]}}}`,
	"path":     `{"source":["aws.s3"],"detail":{"field%d":[{"exists":true}],"reason":["PutObject"]}}`,
}

// BenchmarkIndex shows that what an event costs does not depend on how many rules
// there are.
func BenchmarkIndex(b *testing.B) {
	for _, kind := range []string{"exact", "prefix", "wildcard", "numeric", "range", "path"} {
		for _, rules := range []int{10, 1000, 100000} {
			b.Run(fmt.Sprintf("%s/%d", kind, rules), func(b *testing.B) {
				var x pattern.Index[int]
				for i := range rules {
					x.Add(i, parse(b, fmt.Sprintf(kinds[kind], i)))
				}
				e := event(b, sample)
				want := 1
				if kind == "path" {
					want = 0
				}
				b.ReportAllocs()
				for b.Loop() {
					if n := len(x.Match(e)); n != want {
						b.Fatalf("%d match", n)
					}
				}
			})
		}
	}
}

func BenchmarkPattern(b *testing.B) {
	p, e := parse(b, `{"source":["aws.s3"],"detail-type":["Object Created"],"detail":{"bucket":{"name":["bucket7"]}}}`), event(b, sample)
	b.ReportAllocs()
	for b.Loop() {
		if !p.Match(e) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	var x pattern.Index[int]
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		x.Add(i, parse(b, fmt.Sprintf(kinds["exact"], i)))
	}
}
