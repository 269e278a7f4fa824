// Package policy is AWS's policy language: it reads policies, and decides requests
// by them. It knows nothing of HTTP, of stores or of services.
package policy
