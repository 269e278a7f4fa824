package parameter

import (
	"github.com/aws/aws-sdk-go-v2/service/ssm/schemas"
	"github.com/aws/smithy-go"
)

// absent are the operations of Systems Manager that are not here: all but Parameter
// Store's.
var absent = []*smithy.Schema{
	schemas.AssociateOpsItemRelatedItem, schemas.CancelCommand, schemas.CancelMaintenanceWindowExecution,
	schemas.CreateActivation, schemas.CreateAssociation, schemas.CreateAssociationBatch, schemas.CreateCloudConnector,
	schemas.CreateDocument, schemas.CreateMaintenanceWindow, schemas.CreateOpsItem, schemas.CreateOpsMetadata,
	schemas.CreatePatchBaseline, schemas.CreateResourceDataSync, schemas.DeleteActivation, schemas.DeleteAssociation,
	schemas.DeleteCloudConnector, schemas.DeleteDocument, schemas.DeleteInventory, schemas.DeleteMaintenanceWindow,
	schemas.DeleteOpsItem, schemas.DeleteOpsMetadata, schemas.DeletePatchBaseline, schemas.DeleteResourceDataSync,
	schemas.DeleteResourcePolicy, schemas.DeregisterDefaultHostManagementConfiguration,
	schemas.DeregisterManagedInstance, schemas.DeregisterPatchBaselineForPatchGroup,
	schemas.DeregisterTargetFromMaintenanceWindow, schemas.DeregisterTaskFromMaintenanceWindow,
	schemas.DescribeActivations, schemas.DescribeAssociation, schemas.DescribeAssociationExecutionTargets,
	schemas.DescribeAssociationExecutions, schemas.DescribeAutomationExecutions,
	schemas.DescribeAutomationStepExecutions, schemas.DescribeAvailablePatches, schemas.DescribeDocument,
	schemas.DescribeDocumentPermission, schemas.DescribeEffectiveInstanceAssociations,
	schemas.DescribeEffectivePatchesForPatchBaseline, schemas.DescribeInstanceAssociationsStatus,
	schemas.DescribeInstanceInformation, schemas.DescribeInstancePatchStates,
	schemas.DescribeInstancePatchStatesForPatchGroup, schemas.DescribeInstancePatches,
	schemas.DescribeInstanceProperties, schemas.DescribeInventoryDeletions,
	schemas.DescribeMaintenanceWindowExecutionTaskInvocations, schemas.DescribeMaintenanceWindowExecutionTasks,
	schemas.DescribeMaintenanceWindowExecutions, schemas.DescribeMaintenanceWindowSchedule,
	schemas.DescribeMaintenanceWindowTargets, schemas.DescribeMaintenanceWindowTasks,
	schemas.DescribeMaintenanceWindows, schemas.DescribeMaintenanceWindowsForTarget, schemas.DescribeOpsItems,
	schemas.DescribePatchBaselines, schemas.DescribePatchGroupState, schemas.DescribePatchGroups,
	schemas.DescribePatchProperties, schemas.DescribeSessions, schemas.DisassociateOpsItemRelatedItem,
	schemas.GetAccessToken, schemas.GetAutomationExecution, schemas.GetCalendarState, schemas.GetCloudConnector,
	schemas.GetCommandInvocation, schemas.GetConnectionStatus, schemas.GetDefaultPatchBaseline,
	schemas.GetDeployablePatchSnapshotForInstance, schemas.GetDocument, schemas.GetExecutionPreview,
	schemas.GetInventory, schemas.GetInventorySchema, schemas.GetMaintenanceWindow,
	schemas.GetMaintenanceWindowExecution, schemas.GetMaintenanceWindowExecutionTask,
	schemas.GetMaintenanceWindowExecutionTaskInvocation, schemas.GetMaintenanceWindowTask, schemas.GetOpsItem,
	schemas.GetOpsMetadata, schemas.GetOpsSummary, schemas.GetPatchBaseline, schemas.GetPatchBaselineForPatchGroup,
	schemas.GetResourcePolicies, schemas.GetServiceSetting, schemas.ListAssociationVersions, schemas.ListAssociations,
	schemas.ListCloudConnectors, schemas.ListCommandInvocations, schemas.ListCommands, schemas.ListComplianceItems,
	schemas.ListComplianceSummaries, schemas.ListDocumentMetadataHistory, schemas.ListDocumentVersions,
	schemas.ListDocuments, schemas.ListInventoryEntries, schemas.ListNodes, schemas.ListNodesSummary,
	schemas.ListOpsItemEvents, schemas.ListOpsItemRelatedItems, schemas.ListOpsMetadata,
	schemas.ListResourceComplianceSummaries, schemas.ListResourceDataSync, schemas.ModifyDocumentPermission,
	schemas.PutComplianceItems, schemas.PutInventory, schemas.PutResourcePolicy,
	schemas.RegisterDefaultHostManagementConfiguration, schemas.RegisterDefaultPatchBaseline,
	schemas.RegisterPatchBaselineForPatchGroup, schemas.RegisterTargetWithMaintenanceWindow,
	schemas.RegisterTaskWithMaintenanceWindow, schemas.ResetServiceSetting, schemas.ResumeSession,
	schemas.SendAutomationSignal, schemas.SendCommand, schemas.StartAccessRequest, schemas.StartAssociationsOnce,
	schemas.StartAutomationExecution, schemas.StartChangeRequestExecution, schemas.StartExecutionPreview,
	schemas.StartSession, schemas.StopAutomationExecution, schemas.TerminateSession, schemas.UpdateAssociation,
	schemas.UpdateAssociationStatus, schemas.UpdateCloudConnector, schemas.UpdateDocument,
	schemas.UpdateDocumentDefaultVersion, schemas.UpdateDocumentMetadata, schemas.UpdateMaintenanceWindow,
	schemas.UpdateMaintenanceWindowTarget, schemas.UpdateMaintenanceWindowTask, schemas.UpdateManagedInstanceRole,
	schemas.UpdateOpsItem, schemas.UpdateOpsMetadata, schemas.UpdatePatchBaseline, schemas.UpdateResourceDataSync,
	schemas.UpdateServiceSetting, schemas.ValidateCloudConnector,
}
