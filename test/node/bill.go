package node

import "net/url"

// Billed counts a function's entries on today's bill by request id.
func (n *Node) Billed(function string) map[string]int {
	n.t.Helper()
	counts := map[string]int{}
	arn := "arn:aws:lambda:" + Region + ":" + n.Account + ":function:" + function
	token := ""
	for {
		var page struct {
			Invocations []struct {
				RequestID string `json:"requestId"`
			} `json:"invocations"`
			Token string `json:"token"`
		}
		n.Page("bill/invocations?function="+url.QueryEscape(arn)+"&token="+url.QueryEscape(token), &page)
		for _, i := range page.Invocations {
			counts[i.RequestID]++
		}
		if token = page.Token; token == "" {
			return counts
		}
	}
}
