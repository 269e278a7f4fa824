package audit

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// recordVersion is the version of CloudTrail's format that records follow.
const recordVersion = "1.11"

// eventRecord is CloudTrail's record of an event.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type eventRecord struct {
	EventVersion      string           `json:"eventVersion"`
	UserIdentity      userIdentity     `json:"userIdentity"`
	EventTime         string           `json:"eventTime"`
	EventSource       string           `json:"eventSource"`
	EventName         string           `json:"eventName"`
	AWSRegion         string           `json:"awsRegion"`
	SourceIP          string           `json:"sourceIPAddress"`
	UserAgent         string           `json:"userAgent"`
	ErrorCode         string           `json:"errorCode,omitempty"`
	ErrorMessage      string           `json:"errorMessage,omitempty"`
	RequestParameters *struct{}        `json:"requestParameters"` // null: nothing of bodies is kept
	ResponseElements  *struct{}        `json:"responseElements"`  // null
	Additional        *additional      `json:"additionalEventData,omitempty"`
	RequestID         string           `json:"requestID,omitempty"`
	EventID           string           `json:"eventID"`
	ReadOnly          bool             `json:"readOnly"`
	Resources         []recordResource `json:"resources,omitempty"`
	EventType         string           `json:"eventType"`
	ManagementEvent   bool             `json:"managementEvent"`
	RecipientAccount  string           `json:"recipientAccountId"`
	EventCategory     string           `json:"eventCategory"`
}

// additional is where services tell what the format has no place for.
type additional struct {
	Refusal *Refusal `json:"refusal"`
}

type recordResource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type,omitempty"`
}

// userIdentity is who asked.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type userIdentity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *sessionContext `json:"sessionContext,omitempty"`
	InScopeOf      *inScopeOf      `json:"inScopeOf,omitempty"`
	InvokedBy      string          `json:"invokedBy,omitempty"`
}

type sessionContext struct {
	Issuer     sessionIssuer     `json:"sessionIssuer"`
	Attributes map[string]string `json:"attributes"`
}

type sessionIssuer struct {
	Type        string `json:"type,omitempty"`
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

// inScopeOf is the function that the credentials were made for.
type inScopeOf struct {
	IssuerType string `json:"issuerType"`
	IssuedTo   string `json:"credentialsIssuedTo"`
}

// record is the entry as CloudTrail writes it.
func (t *Trail) record(e *Entry) (string, error) {
	r := eventRecord{
		EventVersion: recordVersion, UserIdentity: identity(&e.Who), EventTime: e.Time.UTC().Format(time.RFC3339),
		EventSource: sourceOf(e.Service), EventName: e.eventName(), AWSRegion: e.Region, SourceIP: e.SourceIP, UserAgent: e.UserAgent,
		ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorReason, RequestID: e.RequestID, EventID: e.ID, ReadOnly: e.ReadOnly,
		EventType: "AwsApiCall", ManagementEvent: !e.Data, EventCategory: "Management", RecipientAccount: t.cfg.Account,
	}
	if e.Data {
		r.EventCategory = "Data"
	}
	if e.RequestID == "" {
		r.EventType = "AwsServiceEvent"
	}
	if e.Refusal != nil {
		r.Additional = &additional{e.Refusal}
	}
	for _, one := range e.Resources {
		out := recordResource{ARN: one.ARN, Type: one.Type}
		if a, err := arn.Parse(one.ARN); err == nil {
			out.AccountID = a.Account
		}
		r.Resources = append(r.Resources, out)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write record of event: %w", err)
	}
	return string(b), nil
}

func identity(p *Principal) userIdentity {
	u := userIdentity{Type: p.Type, PrincipalID: p.ID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: p.AccessKeyID}
	switch p.Type {
	case "IAMUser":
		u.UserName = p.Name
	case "AWSService":
		u.ARN, u.AccountID, u.InvokedBy = "", "", p.ARN
	}
	if i := p.Issuer; i != nil {
		u.SessionContext = &sessionContext{
			Issuer:     sessionIssuer{i.Type, i.ID, i.ARN, i.Account, i.Name},
			Attributes: map[string]string{"mfaAuthenticated": "false"},
		}
		if !p.Since.IsZero() {
			u.SessionContext.Attributes["creationDate"] = p.Since.UTC().Format(time.RFC3339)
		}
	}
	if p.Function != "" {
		u.InScopeOf = &inScopeOf{"AWS::Lambda::Function", p.Function}
	}
	return u
}
