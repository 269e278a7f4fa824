package key

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/schemas"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into
// its outputs.
type api struct{ *Service }

// API lists KMS's operations: those served, and those AWS has and this node has
// not, whose callers are told so.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "kms",
		Protocols: []wire.Protocol{wire.JSON11},
		Target:    "TrentService",
		Errors:    kms.TypeRegistry,
		Access:    a.access(),
		Absent:    absent,
		Operations: []wire.Operation{
			wire.Op(schemas.CreateKey, a.createKey),
			wire.Op(schemas.DescribeKey, a.describeKey),
			wire.Op(schemas.ListKeys, a.listKeys),
			wire.Op(schemas.EnableKey, a.enableKey),
			wire.Op(schemas.DisableKey, a.disableKey),
			wire.Op(schemas.UpdateKeyDescription, a.updateKeyDescription),
			wire.Op(schemas.ScheduleKeyDeletion, a.scheduleKeyDeletion),
			wire.Op(schemas.CancelKeyDeletion, a.cancelKeyDeletion),

			wire.Op(schemas.CreateAlias, a.createAlias),
			wire.Op(schemas.UpdateAlias, a.updateAlias),
			wire.Op(schemas.DeleteAlias, a.deleteAlias),
			wire.Op(schemas.ListAliases, a.listAliases),

			wire.Op(schemas.Encrypt, a.encrypt),
			wire.Op(schemas.Decrypt, a.decrypt),
			wire.Op(schemas.ReEncrypt, a.reEncrypt),
			wire.Op(schemas.GenerateDataKey, a.generateDataKey),
			wire.Op(schemas.GenerateDataKeyWithoutPlaintext, a.generateDataKeyWithoutPlaintext),
			wire.Op(schemas.GenerateRandom, a.generateRandom),

			wire.Op(schemas.GetKeyPolicy, a.getKeyPolicy),
			wire.Op(schemas.PutKeyPolicy, a.putKeyPolicy),
			wire.Op(schemas.ListKeyPolicies, a.listKeyPolicies),
			wire.Op(schemas.TagResource, a.tagResource),
			wire.Op(schemas.UntagResource, a.untagResource),
			wire.Op(schemas.ListResourceTags, a.listResourceTags),

			wire.Op(schemas.EnableKeyRotation, a.enableKeyRotation),
			wire.Op(schemas.DisableKeyRotation, a.disableKeyRotation),
			wire.Op(schemas.GetKeyRotationStatus, a.getKeyRotationStatus),
			wire.Op(schemas.RotateKeyOnDemand, a.rotateKeyOnDemand),
			wire.Op(schemas.ListKeyRotations, a.listKeyRotations),
		},
	}
}

// absent are the operations that are not here.
var absent = []*smithy.Schema{
	schemas.ConnectCustomKeyStore, schemas.CreateCustomKeyStore, schemas.CreateGrant, schemas.Decapsulate,
	schemas.DeleteCustomKeyStore, schemas.DeleteImportedKeyMaterial, schemas.DeriveSharedSecret,
	schemas.DescribeCustomKeyStores, schemas.DisconnectCustomKeyStore, schemas.Encapsulate,
	schemas.GenerateDataKeyPair, schemas.GenerateDataKeyPairWithoutPlaintext, schemas.GenerateMac,
	schemas.GetKeyLastUsage, schemas.GetParametersForImport, schemas.GetPublicKey, schemas.ImportKeyMaterial,
	schemas.ListGrants, schemas.ListRetirableGrants, schemas.ReplicateKey, schemas.RetireGrant,
	schemas.RevokeGrant, schemas.Sign, schemas.UpdateCustomKeyStore, schemas.UpdatePrimaryRegion,
	schemas.Verify, schemas.VerifyMac,
}

// pageOf reads the two members every listing has.
func pageOf(listing string, limit *int32, marker *string) (n int, after string, err error) {
	bounds := limits[listing]
	n = bounds.usual
	if limit != nil {
		if n = int(*limit); n < 1 || n > bounds.most {
			return 0, "", violates(n, "limit", "Member must have value between 1 and "+strconv.Itoa(bounds.most))
		}
	}
	if marker != nil {
		if after, err = page.After(listing, *marker); err != nil {
			return 0, "", errMarker
		}
	}
	return n, after, nil
}

// limits are how many items the listings give, unless asked, and at most.
var limits = map[string]struct{ usual, most int }{
	"ListKeys":         {100, 1000},
	"ListAliases":      {50, 100},
	"ListKeyPolicies":  {100, 1000},
	"ListResourceTags": {50, 50},
	"ListKeyRotations": {100, 1000},
}

// next is the marker after a page's last item; nil where there is no more.
func next(listing, last string, more bool) *string {
	if !more {
		return nil
	}
	token := page.Token(listing, last)
	return &token
}
