package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// emptyOps read what nobody has here: passwords, MFA devices, certificates, keys for
// other protocols. Tools ask before they delete a user, and are told there is none.
func (a api) emptyOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("GetLoginProfile"), a.getLoginProfile),
		wire.Op(wire.Named("DeleteLoginProfile"), a.deleteLoginProfile),
		wire.Op(wire.Named("ListMFADevices"), a.listMFADevices),
		wire.Op(wire.Named("ListVirtualMFADevices"), a.listVirtualMFADevices),
		wire.Op(wire.Named("ListSSHPublicKeys"), a.listSSHPublicKeys),
		wire.Op(wire.Named("ListSigningCertificates"), a.listSigningCertificates),
		wire.Op(wire.Named("ListServiceSpecificCredentials"), a.listServiceSpecificCredentials),
		wire.Op(wire.Named("ListSAMLProviders"), a.listSAMLProviders),
		wire.Op(wire.Named("ListServerCertificates"), a.listServerCertificates),
	}
}

// there fails unless the user that a request is about is there.
func (a api) there(ctx context.Context, name *string) error {
	user, err := a.userOf(ctx, name)
	if err == nil {
		_, err = a.Find(ctx, User, user)
	}
	return err
}

func (a api) noLogin(ctx context.Context, name *string) error {
	if err := a.there(ctx, name); err != nil {
		return err
	}
	return noSuchEntity("Login Profile for User %s cannot be found.", clip(aws.ToString(name)))
}

func (a api) getLoginProfile(ctx context.Context, in *iam.GetLoginProfileInput) (*iam.GetLoginProfileOutput, error) {
	return nil, a.noLogin(ctx, in.UserName)
}

func (a api) deleteLoginProfile(ctx context.Context, in *iam.DeleteLoginProfileInput) (*iam.DeleteLoginProfileOutput, error) {
	return nil, a.noLogin(ctx, in.UserName)
}

func (a api) listMFADevices(ctx context.Context, in *iam.ListMFADevicesInput) (*iam.ListMFADevicesOutput, error) {
	return &iam.ListMFADevicesOutput{MFADevices: []types.MFADevice{}}, a.there(ctx, in.UserName)
}

func (a api) listVirtualMFADevices(context.Context, *iam.ListVirtualMFADevicesInput) (*iam.ListVirtualMFADevicesOutput, error) {
	return &iam.ListVirtualMFADevicesOutput{VirtualMFADevices: []types.VirtualMFADevice{}}, nil
}

func (a api) listSSHPublicKeys(ctx context.Context, in *iam.ListSSHPublicKeysInput) (*iam.ListSSHPublicKeysOutput, error) {
	return &iam.ListSSHPublicKeysOutput{SSHPublicKeys: []types.SSHPublicKeyMetadata{}}, a.there(ctx, in.UserName)
}

func (a api) listSigningCertificates(ctx context.Context, in *iam.ListSigningCertificatesInput) (*iam.ListSigningCertificatesOutput, error) {
	return &iam.ListSigningCertificatesOutput{Certificates: []types.SigningCertificate{}}, a.there(ctx, in.UserName)
}

func (a api) listServiceSpecificCredentials(ctx context.Context, in *iam.ListServiceSpecificCredentialsInput) (*iam.ListServiceSpecificCredentialsOutput, error) {
	out := &iam.ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: []types.ServiceSpecificCredentialMetadata{}}
	if in.UserName == nil && aws.ToBool(in.AllUsers) {
		return out, nil
	}
	return out, a.there(ctx, in.UserName)
}

func (a api) listSAMLProviders(context.Context, *iam.ListSAMLProvidersInput) (*iam.ListSAMLProvidersOutput, error) {
	return &iam.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{}}, nil
}

func (a api) listServerCertificates(context.Context, *iam.ListServerCertificatesInput) (*iam.ListServerCertificatesOutput, error) {
	return &iam.ListServerCertificatesOutput{ServerCertificateMetadataList: []types.ServerCertificateMetadata{}}, nil
}
