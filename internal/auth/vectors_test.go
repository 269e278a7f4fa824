package auth_test

import (
	"strings"
	"testing"
)

// TestPublishedVectors verifies requests of AWS's signing test suite. Those with a
// bare space in the request line are left out: no HTTP server takes them.
func TestPublishedVectors(t *testing.T) {
	for _, tt := range []struct{ name, request, signed, signature string }{
		{"duplicate header", "GET / HTTP/1.1\nMy-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n\n", "host;my-header1;x-amz-date",
			"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{"order of values", "GET / HTTP/1.1\nMy-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n\n", "host;my-header1;x-amz-date",
			"08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
		{"trimmed value", "GET / HTTP/1.1\nMy-Header1: value1\nMy-Header2: \"a   b   c\"\n\n", "host;my-header1;my-header2;x-amz-date",
			"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"relative path normalised", "GET /example1/example2/../.. HTTP/1.1\n\n", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"dot segment normalised", "GET /./example HTTP/1.1\n\n", "host;x-amz-date",
			"ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
		{"slashes normalised", "GET //example// HTTP/1.1\n\n", "host;x-amz-date",
			"9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
		{"slashes as sent", "GET //example// HTTP/1.1\n\n", "host;x-amz-date",
			"87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
		{"unreserved", "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\n\n", "host;x-amz-date",
			"07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{"UTF-8 path", "GET /ሴ HTTP/1.1\n\n", "host;x-amz-date",
			"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{"query ordered as encoded", "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1 HTTP/1.1\n\n", "host;x-amz-date",
			"371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		{"query ordered", "GET /?Param2=value2&Param1=value1 HTTP/1.1\n\n", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"UTF-8 query", "GET /?ሴ=bar HTTP/1.1\n\n", "host;x-amz-date",
			"2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{"session token", "GET / HTTP/1.1\nX-Amz-Security-Token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n\n",
			"host;x-amz-date;x-amz-security-token", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
		{"form", "POST / HTTP/1.1\nContent-Type:application/x-www-form-urlencoded\nContent-Length:13\n" +
			"X-Amz-Content-Sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n\nParam1=value1",
			"content-length;content-type;host;x-amz-content-sha256;x-amz-date",
			"d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
		{"post", "POST / HTTP/1.1\nMy-Header1:value1\n\n", "host;my-header1;x-amz-date",
			"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line, rest, _ := strings.Cut(tt.request, "\n")
			r := receive(t, line+"\r\nHost: example.amazonaws.com\r\nX-Amz-Date: 20150830T123600Z\r\n"+
				"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="+
				tt.signed+", Signature="+tt.signature+"\r\n"+rest)
			if _, err := check(verifier(suiteKey, at(t, "20150830T123600Z")), r, "service"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPathSignedNormalised sees that the operation gets the path that was signed,
// not the one on the wire.
func TestPathSignedNormalised(t *testing.T) {
	r := receive(t, "GET /example1/%62/../../x HTTP/1.1\r\nHost: example.amazonaws.com\r\n\r\n")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	signed := receive(t, "GET /x HTTP/1.1\r\nHost: example.amazonaws.com\r\n\r\n")
	sign(t, signed, suiteKey, "service", nil, at(t, "20150830T123600Z").Now())
	r.Header = signed.Header
	if _, err := check(verifier(suiteKey, at(t, "20150830T123600Z")), r, "service"); err != nil {
		t.Fatal(err)
	}
	if r.URL.Path != "/x" {
		t.Errorf("path is %q, want the one signed", r.URL.Path)
	}
}

// TestDocumentedS3Requests verifies the examples of the S3 API reference.
func TestDocumentedS3Requests(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, tt := range []struct{ name, line, headers, body, signed, signature string }{
		{"get", "GET /test.txt", "Range: bytes=0-9\r\nX-Amz-Content-Sha256: " + empty + "\r\n", "", "host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"put", "PUT /test$file.text", "Date: Fri, 24 May 2013 00:00:00 GMT\r\nX-Amz-Storage-Class: REDUCED_REDUNDANCY\r\nContent-Length: 21\r\n" +
			"X-Amz-Content-Sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\r\n", "Welcome to Amazon S3.",
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
		{"lifecycle", "GET /?lifecycle", "X-Amz-Content-Sha256: " + empty + "\r\n", "", "host;x-amz-content-sha256;x-amz-date",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"list", "GET /?max-keys=2&prefix=J", "X-Amz-Content-Sha256: " + empty + "\r\n", "", "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := receive(t, tt.line+" HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\nX-Amz-Date: 20130524T000000Z\r\n"+tt.headers+
				"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="+
				tt.signed+",Signature="+tt.signature+"\r\n\r\n"+tt.body)
			got, err := checkS3(verifier(docsKey, at(t, "20130524T000000Z")), r)
			if err != nil || string(got) != tt.body {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestDocumentedPresignedURL verifies the example of the S3 API reference.
func TestDocumentedPresignedURL(t *testing.T) {
	const target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
	now := at(t, "20130524T235959Z")
	r := receive(t, "GET "+target+" HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n\r\n")
	if _, err := checkS3(verifier(docsKey, now), r); err != nil {
		t.Error(err)
	}
	now.Advance(2e9)
	if _, err := checkS3(verifier(docsKey, now), r); code(err, 3) != "AccessDenied" {
		t.Errorf("a second after its end: %v", err)
	}
}
