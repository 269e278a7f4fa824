// Package tools_test drives a real node by the tools that people have already:
// Debian's AWS command line, the SDK for JavaScript and boto3. What Mayfly does is
// seen only through them.
package tools_test
